/** map, filter and flatMap: no state, one direct call per record (Flink: StreamMap, StreamFilter, StreamFlatMap). */
import type { Collector } from '../job/functions.ts';
import { childLineage } from '../protocol/stream-elements.ts';
import type { ElementConsumer } from './element-consumer.ts';

export class MapOperator implements ElementConsumer {
  readonly #map: (value: unknown) => unknown;
  readonly #next: ElementConsumer;

  constructor(map: (value: unknown) => unknown, next: ElementConsumer) {
    this.#map = map;
    this.#next = next;
  }

  process(value: unknown, timestampUs: number, lineage: number): void {
    const map = this.#map;
    this.#next.process(map(value), timestampUs, lineage);
  }
}

export class FilterOperator implements ElementConsumer {
  readonly #filter: (value: unknown) => boolean;
  readonly #next: ElementConsumer;

  constructor(filter: (value: unknown) => boolean, next: ElementConsumer) {
    this.#filter = filter;
    this.#next = next;
  }

  process(value: unknown, timestampUs: number, lineage: number): void {
    const filter = this.#filter;
    if (filter(value)) this.#next.process(value, timestampUs, lineage);
  }
}

/** Numbers what one input record gives rise to, so that each child has a lineage of its own. */
export class ChildCollector implements Collector<unknown> {
  readonly #next: ElementConsumer;
  #timestampUs = 0;
  #parent = 0;
  #child = 0;

  constructor(next: ElementConsumer) {
    this.#next = next;
  }

  startElement(timestampUs: number, lineage: number): void {
    this.#timestampUs = timestampUs;
    this.#parent = lineage;
    this.#child = 0;
  }

  collect(value: unknown): void {
    const lineage = childLineage(this.#parent, this.#child);
    this.#child += 1;
    this.#next.process(value, this.#timestampUs, lineage);
  }
}

export class FlatMapOperator implements ElementConsumer {
  readonly #flatMap: (value: unknown, out: Collector<unknown>) => void;
  readonly #collector: ChildCollector;

  constructor(flatMap: (value: unknown, out: Collector<unknown>) => void, next: ElementConsumer) {
    this.#flatMap = flatMap;
    this.#collector = new ChildCollector(next);
  }

  process(value: unknown, timestampUs: number, lineage: number): void {
    const flatMap = this.#flatMap;
    this.#collector.startElement(timestampUs, lineage);
    flatMap(value, this.#collector);
  }
}
