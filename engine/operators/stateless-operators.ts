/** map, filter and flatMap: no state, one direct call per record (Flink: StreamMap, StreamFilter, StreamFlatMap). */
import type { Collector } from '../job/functions.ts';
import { childLineage } from '../protocol/stream-elements.ts';
import type { ElementConsumer, SideOutputConsumer } from './element-consumer.ts';
import { UserCode } from './user-code.ts';

export class MapOperator implements ElementConsumer {
  readonly #map: (value: unknown) => unknown;
  readonly #next: ElementConsumer;
  readonly #userCode: UserCode;

  constructor(map: (value: unknown) => unknown, next: ElementConsumer, userCode = new UserCode()) {
    this.#map = map;
    this.#next = next;
    this.#userCode = userCode;
  }

  process(value: unknown, timestampUs: number, lineage: number): void {
    const map = this.#map;
    this.#userCode.isRunning = true;
    const mapped = map(value);
    this.#userCode.isRunning = false;
    this.#next.process(mapped, timestampUs, lineage);
  }
}

export class FilterOperator implements ElementConsumer {
  readonly #filter: (value: unknown) => boolean;
  readonly #next: ElementConsumer;
  readonly #userCode: UserCode;

  constructor(filter: (value: unknown) => boolean, next: ElementConsumer, userCode = new UserCode()) {
    this.#filter = filter;
    this.#next = next;
    this.#userCode = userCode;
  }

  process(value: unknown, timestampUs: number, lineage: number): void {
    const filter = this.#filter;
    this.#userCode.isRunning = true;
    const passes = filter(value);
    this.#userCode.isRunning = false;
    if (passes) this.#next.process(value, timestampUs, lineage);
  }
}

/** Numbers what one input record gives rise to, so that each child has a lineage of its own. */
export class ChildCollector implements Collector<unknown> {
  readonly #next: ElementConsumer;
  readonly #userCode: UserCode;
  readonly #side: SideOutputConsumer | undefined;
  #timestampUs = 0;
  #parent = 0;
  #child = 0;

  constructor(next: ElementConsumer, userCode: UserCode, side?: SideOutputConsumer) {
    this.#next = next;
    this.#userCode = userCode;
    this.#side = side;
  }

  startElement(timestampUs: number, lineage: number): void {
    this.#timestampUs = timestampUs;
    this.#parent = lineage;
    this.#child = 0;
  }

  collect(value: unknown): void {
    const lineage = childLineage(this.#parent, this.#child);
    this.#child += 1;
    this.#userCode.isRunning = false;
    this.#next.process(value, this.#timestampUs, lineage);
    this.#userCode.isRunning = true;
  }

  /** What follows has this event time. */
  atTime(timestampUs: number): void {
    this.#timestampUs = timestampUs;
  }

  /** As `output`, by the operator itself. */
  lateOutput(tag: string, value: unknown): void {
    this.output(tag, value);
    this.#userCode.isRunning = false;
  }

  /** Into a side output; it counts as one of the children, whether somebody reads it or not. */
  output(tag: string, value: unknown): void {
    const lineage = childLineage(this.#parent, this.#child);
    this.#child += 1;
    this.#userCode.isRunning = false;
    this.#side?.processSide(tag, value, this.#timestampUs, lineage);
    this.#userCode.isRunning = true;
  }
}

export class FlatMapOperator implements ElementConsumer {
  readonly #flatMap: (value: unknown, out: Collector<unknown>) => void;
  readonly #collector: ChildCollector;
  readonly #userCode: UserCode;

  constructor(
    flatMap: (value: unknown, out: Collector<unknown>) => void,
    next: ElementConsumer,
    userCode = new UserCode(),
  ) {
    this.#flatMap = flatMap;
    this.#collector = new ChildCollector(next, userCode);
    this.#userCode = userCode;
  }

  process(value: unknown, timestampUs: number, lineage: number): void {
    const flatMap = this.#flatMap;
    this.#collector.startElement(timestampUs, lineage);
    this.#userCode.isRunning = true;
    flatMap(value, this.#collector);
    this.#userCode.isRunning = false;
  }
}
