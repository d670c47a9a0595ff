/**
 * What windows show that fire again for late records, in any order of the input, wherever watermarks lie and checkpoints are restored: the judge of
 * their results finds nothing, and finds it when a window forgets what it held (S11, decision 0133). LATE_WINDOW_RUNS: lives of each kind.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  EventTimeSessionWindows,
  EventTimeTrigger,
  PurgingTrigger,
  TumblingEventTimeWindows,
} from '../../engine/api/windows.ts';
import type { TriggerSpec, WindowAssignerSpec } from '../../engine/job/windows.ts';
import { WindowBench } from '../support/window-bench.ts';
import { JudgedWindows } from '../support/judged-windows.ts';

const BOUND_MS = 3;
const LATENESS_MS = 8;
const RUNS = Number(process.env['LATE_WINDOW_RUNS'] ?? 60);

/** What happens next: a record of a partition, a watermark so far below what the records allow, a checkpoint, a restore of the newest. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('record' as const), partition: fc.nat(1) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('watermark' as const), belowMs: fc.nat(6) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'checkpoint' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restore' as const }) },
);
const partition = fc.array(fc.nat(60), { minLength: 4, maxLength: 14 });
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Checkpoint {
  readonly id: number;
  readonly state: Uint8Array | undefined;
  readonly positions: readonly number[];
  readonly watermarkMs: number;
}

interface Life {
  readonly assigner: WindowAssignerSpec;
  readonly trigger?: TriggerSpec;
  readonly input: readonly (readonly number[])[];
  readonly steps: readonly Step[];
}

const BEFORE_ALL = Number.NEGATIVE_INFINITY;

/** One operator and what it reads; what comes out is visible with the next checkpoint, or never. A record is a bit of the sums. */
class WindowLife {
  readonly #life: Life;
  readonly #judged: JudgedWindows;
  #newest: Checkpoint;
  #bench: WindowBench;
  #positions: number[];
  #newestMs: number[];
  #watermarkMs = BEFORE_ALL;

  constructor(life: Life) {
    const { assigner, input } = life;
    this.#life = life;
    const nameOf = (partition: number, offset: number): string => String(bitOf(input, partition, offset));
    this.#judged = new JudgedWindows({ assigner, input, boundMs: BOUND_MS, latenessMs: LATENESS_MS, nameOf });
    this.#newest = { id: 0, state: undefined, positions: input.map(() => 0), watermarkMs: BEFORE_ALL };
    this.#bench = this.#benchOf(undefined);
    this.#positions = input.map(() => 0);
    this.#newestMs = input.map(() => BEFORE_ALL);
  }

  /** What the judge finds. */
  lived(): string[][] {
    const { input, steps } = this.#life;
    for (const step of steps) this.#take(step);
    input.forEach((records, partition) => {
      for (const _ of records) this.#read(partition);
    });
    this.#bench.watermark(10_000);
    this.#checkpoint();
    return this.#judged.verdicts.filter(([anomaly]) => anomaly !== '');
  }

  #take(step: Step): void {
    if (step.kind === 'record') this.#read(step.partition);
    else if (step.kind === 'checkpoint') this.#checkpoint();
    else if (step.kind === 'restore') this.#restore();
    else this.#advance(Math.min(...this.#newestMs) - BOUND_MS - step.belowMs - 0.001);
  }

  #read(partition: number): void {
    const offset = this.#positions[partition] ?? 0;
    const atMs = this.#life.input[partition]?.[offset];
    if (atMs === undefined) return;
    this.#bench.record(atMs, 2 ** bitOf(this.#life.input, partition, offset));
    this.#positions[partition] = offset + 1;
    this.#newestMs[partition] = Math.max(this.#newestMs[partition] ?? BEFORE_ALL, atMs);
  }

  #advance(watermarkMs: number): void {
    if (watermarkMs <= this.#watermarkMs) return;
    this.#watermarkMs = watermarkMs;
    this.#bench.watermark(watermarkMs);
  }

  #checkpoint(): void {
    for (const text of this.#bench.take()) this.#show(text);
    const state = this.#bench.backend.snapshot().write();
    const positions = [...this.#positions];
    this.#newest = { id: this.#newest.id + 1, state, positions, watermarkMs: this.#watermarkMs };
  }

  #restore(): void {
    const { id, state, positions, watermarkMs } = this.#newest;
    this.#bench = this.#benchOf(state);
    this.#positions = [...positions];
    this.#newestMs = positions.map(() => BEFORE_ALL);
    this.#watermarkMs = BEFORE_ALL;
    if (id > 0) this.#judged.restored(id, watermarkMs);
  }

  #show(text: string): void {
    const [, start, end, sum] = /^k \[(-?\d+),(-?\d+)\) (\d+) /.exec(text) ?? [];
    if (sum === undefined) this.#judged.late(...bitsOf(Number(text.replace('late ', ''))));
    else this.#judged.shows(Number(start), Number(end), ...bitsOf(Number(sum)));
  }

  #benchOf(restored: Uint8Array | undefined): WindowBench {
    const { assigner, trigger } = this.#life;
    const options = { assigner, latenessMs: LATENESS_MS, late: true };
    return new WindowBench({ ...options, ...(trigger && { trigger }), ...(restored && { restored }) });
  }
}

/** Which record of all. */
const bitOf = (input: Life['input'], partition: number, offset: number): number =>
  input.slice(0, partition).reduce((sum, { length }) => sum + length, 0) + offset;

const bitsOf = (sum: number): number[] => Array.from({ length: 30 }, (_, bit) => bit).filter((bit) => sum & (1 << bit));

const KINDS: Readonly<Record<string, WindowAssignerSpec>> = {
  tumbling: TumblingEventTimeWindows.of(10, 3),
  session: EventTimeSessionWindows.withGap(7),
};

describe.each(Object.entries(KINDS))('%s windows that fire again', (_name, assigner) => {
  const lives = fc.record({
    input: fc.tuple(partition, partition),
    steps: fc.array(step, { minLength: 20, maxLength: 80 }),
  });

  it('show each result with all of the one before it, and what is late is', () => {
    fc.assert(
      fc.property(lives, (life) => {
        expect(new WindowLife({ assigner, ...life }).lived()).toEqual([]);
      }),
      { seed: 133, numRuns: RUNS },
    );
  });

  it('are found out when they forget what they have shown', () => {
    const trigger = PurgingTrigger.of(EventTimeTrigger.create());
    const found = fc
      .sample(lives, { seed: 133, numRuns: 40 })
      .flatMap((life) => new WindowLife({ assigner, trigger, ...life }).lived());
    expect(found.map(([anomaly]) => anomaly)).toContain('window-shrunk');
  });
});
