/**
 * Every record of a source with splits exactly once, whatever is lost on the way between enumerator and readers (X47, X48; Flink:
 * OperatorEventSendingCheckpointITCase, CoordinatedSourceITCase). The real enumerator and the real readers; what a reader emits is
 * part of its state, so that a restore takes back what came after the checkpoint.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SplitReader } from '../../engine/connectors/split-reader.ts';
import type { CheckpointId } from '../../engine/foundation/ids.ts';
import { chainOf } from '../../engine/job/job-graph.ts';
import type { Micros } from '../../engine/foundation/time.ts';
import { type EngineParts, standardParts } from '../../engine/parts.ts';
import type { Out } from '../../engine/protocol/actor.ts';
import type { EngineMessage, LogFetch, OperatorEventMessage } from '../../engine/protocol/messages.ts';
import {
  CoordinationWorld,
  EVENT_TIMEOUT_US,
  splitSource,
  type TaskPlace,
  type WorldOptions,
  type WorldSource,
  type WorldTask,
} from '../support/coordination-world.ts';
import { EPOCH, LOG, NO_STORAGE } from '../support/engine-values.ts';

const STORM_US = 120_000;
const LIFE_US = 500_000;
/** Records of each partition; not a multiple of a split. */
const RECORDS = 47;

interface ReaderState {
  readonly splits: Uint8Array;
  readonly emitted: readonly string[];
}

class ReaderTask implements WorldTask {
  readonly emitted: string[] = [];
  readonly #reader: SplitReader;
  readonly #source: ReturnType<typeof splitSource>;
  /** Nothing more can come: what comes all the same meets operators that have ended. */
  hasEnded = false;

  constructor(place: TaskPlace, spec: WorldSource) {
    this.#source = splitSource(spec);
    this.#reader = new SplitReader({
      spec: this.#source,
      uid: this.#source.uid,
      parallelism: spec.subtasks,
      broker: LOG,
      requestTimeoutUs: EVENT_TIMEOUT_US,
      firstRequestId: 1,
      restore: undefined,
      openStorage: () => NO_STORAGE,
      parts: standardParts,
      attempt: place.attempt,
      epoch: EPOCH,
      toJobManager: place.toJobManager,
      fail: place.fail,
    });
  }

  restore(state: unknown): void {
    const { splits, emitted } = state as ReaderState;
    this.#reader.restore([{ bytes: splits }]);
    this.emitted.push(...emitted);
  }

  start(out: Out): void {
    this.#reader.start(out);
  }

  snapshot(id: CheckpointId, out: Out): ReaderState {
    return { splits: this.#reader.snapshot(id, (offset) => offset, out), emitted: [...this.emitted] };
  }

  handleMessage(message: EngineMessage, nowUs: Micros, out: Out): void {
    if (message.kind === 'log-fetch') this.#answer(message, nowUs, out);
    if (message.kind === 'operator-event' || message.kind === 'operator-event-acknowledged')
      this.#reader.handleMessage(message, nowUs, out);
    this.hasEnded ||= this.#reader.isExhausted;
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#reader.handleTimer(timer, nowUs, out);
  }

  /** The log, when the fetch has arrived; at the end of a partition that goes on it never answers. */
  #answer({ requestId, partition, offset, maxRecords }: LogFetch, nowUs: Micros, out: Out): void {
    const count = Math.min(maxRecords, RECORDS - offset);
    const bounded = this.#isBounded(partition);
    if (count <= 0 && !bounded) return;
    const offsets = Array.from({ length: count }, (_, index) => offset + index);
    const values = offsets.map((at) => `${partition}/${at}`);
    this.#reader.handleMessage(
      {
        kind: 'log-records',
        behind: 0,
        requestId,
        outcome: 'done',
        partition,
        offset,
        values,
        timestampsUs: offsets,
        sourceIndices: offsets,
        ended: bounded && offset + count >= RECORDS,
      },
      nowUs,
      out,
    );
    const consumer = { process: (value: unknown) => void (this.hasEnded || this.emitted.push(String(value))) };
    while (this.#reader.hasRecords) this.#reader.emit(100, consumer, () => true, out);
  }

  #isBounded(partition: number): boolean {
    const source = chainOf(this.#source).find(({ partitions }) => partitions.includes(partition));
    return source?.bounded === true;
  }
}

interface Life {
  readonly seed: number;
  readonly subtasks: number;
  readonly partitions: number;
  /** 0: a partition is one split. */
  readonly recordsPerSplit: number;
  readonly lossPercent: number;
  readonly delayUsMax: number;
  readonly barrierUsMax: number;
  readonly fetchUsMax: number;
  readonly restart: WorldOptions['restart'];
  readonly failuresAtUs: readonly number[];
}

const LIFE: fc.Arbitrary<Life> = fc.record({
  seed: fc.nat(),
  subtasks: fc.integer({ min: 1, max: 4 }),
  partitions: fc.integer({ min: 1, max: 5 }),
  recordsPerSplit: fc.constantFrom(0, 1, 4, 10),
  lossPercent: fc.constantFrom(0, 2, 10),
  delayUsMax: fc.constantFrom(20, 400, 2_000),
  barrierUsMax: fc.constantFrom(20, 2_000),
  fetchUsMax: fc.constantFrom(500, 8_000),
  restart: fc.constantFrom('job', 'region'),
  failuresAtUs: fc.array(fc.nat(STORM_US), { maxLength: 4 }),
});

type Drop = (message: OperatorEventMessage) => boolean;

interface LifeOptions {
  readonly parts?: Partial<EngineParts>;
  readonly drop?: Drop;
  readonly lifeUs?: number;
  /** More of the source, and how often it is checkpointed. */
  readonly source?: Pick<WorldOptions, 'bounded' | 'first' | 'checkpointEveryUs'>;
}

function liveThrough(life: Life, options: LifeOptions = {}): CoordinationWorld {
  let state = life.seed;
  const draw = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  const { subtasks, recordsPerSplit } = life;
  const shape = {
    subtasks,
    partitions: Array.from({ length: life.partitions }, (_, partition) => partition),
    ...(recordsPerSplit === 0 ? {} : { recordsPerSplit }),
    checkpointEveryUs: 4_000,
    ...options.source,
  };
  const world = new CoordinationWorld({
    ...shape,
    restart: life.restart,
    checkpointTimeoutUs: 25_000,
    parts: options.parts ?? {},
    barrierDelayUs: () => 1 + draw(life.barrierUsMax),
    network: (message, nowUs) => {
      if (message.kind === 'log-fetch') return 1 + draw(life.fetchUsMax);
      if (options.drop?.(message as OperatorEventMessage) === true) return undefined;
      return nowUs < STORM_US && draw(100) < life.lossPercent ? undefined : 1 + draw(life.delayUsMax);
    },
    task: (place) => new ReaderTask(place, shape),
  });
  for (const atUs of life.failuresAtUs) world.after(atUs, () => world.failTask(draw(subtasks)));
  return world.run(options.lifeUs ?? LIFE_US);
}

const emittedOf = (world: CoordinationWorld, { subtasks }: Life): string[][] =>
  Array.from({ length: subtasks }, (_, subtask) => (world.task(subtask) as ReaderTask).emitted);

function expected({ partitions }: Life): string[] {
  const records: string[] = [];
  for (let partition = 0; partition < partitions; partition += 1)
    for (let offset = 0; offset < RECORDS; offset += 1) records.push(`${partition}/${offset}`);
  return records.sort();
}

const eachOnce = (life: Life, world: CoordinationWorld): void =>
  expect(emittedOf(world, life).flat().sort()).toEqual(expected(life));

const SETTINGS = { seed: 20_210_406, numRuns: 150 };
const CALM: Life = {
  seed: 7,
  subtasks: 2,
  partitions: 3,
  recordsPerSplit: 4,
  lossPercent: 0,
  delayUsMax: 50,
  barrierUsMax: 50,
  fetchUsMax: 3_000,
  restart: 'job',
  failuresAtUs: [],
};

interface Ending {
  readonly life: Life;
  /** Partitions of the first source of a chain. */
  readonly first: number | undefined;
  readonly bounded: boolean;
  readonly checkpointEveryUs: number;
}
/** Time for one source after the other. */
const ENDING_US = 800_000;
const ENDING_SETTINGS = {
  seed: Number(process.env['SPLIT_ENDINGS_SEED'] ?? 20_261_129),
  numRuns: Number(process.env['SPLIT_ENDINGS'] ?? 20),
};

/** Drops the n-th messages of those that fit, n from 1. */
function nth(fits: Drop, ...which: readonly number[]): Drop {
  let seen = 0;
  return (message) => {
    if (!fits(message)) return false;
    seen += 1;
    return which.includes(seen);
  };
}
const isAssignment: Drop = (message) => message.kind === 'operator-event' && message.event.kind === 'assign-splits';
/** Of an event to a subtask: the sender of acknowledgements is the subtask here, they come after the first assignment. */
const isAcknowledgement: Drop = (message) => message.kind === 'operator-event-acknowledged';

describe('splits between enumerator and readers', () => {
  it('X47, X48, K1, K2: each record exactly once, through losses, delays, failures of one reader or of the job', () => {
    let failures = 0;
    const probes = new Set<string>();
    fc.assert(
      fc.property(LIFE, (life) => {
        const world = liveThrough(life);
        eachOnce(life, world);
        failures += world.failures.length;
        for (const probe of world.out.probes()) probes.add(probe);
      }),
      SETTINGS,
    );
    expect(failures).toBeGreaterThan(100);
    expect([...probes]).toEqual(
      expect.arrayContaining([
        'operator-event-lost',
        'operator-event-kept-back',
        'splits-given-back',
        'split-finished-again',
      ]),
    );
  });

  it.each([
    ['checkpoint-does-not-wait-for-events', { coordinatorSnapshot: 'at-once' as const }],
    ['gateway-stays-open', { gatewayAtCheckpoint: 'stays-open' as const }],
    ['enumerator-state-not-restored', { coordinatorStateToRestore: () => undefined }],
    ['splits-not-given-back', { splitsToGiveBack: () => [] }],
  ])('%s: the same lives find it', (_, parts) => {
    const check = fc.check(
      fc.property(LIFE, (life) => eachOnce(life, liveThrough(life, { parts }))),
      { ...SETTINGS, endOnFailure: true },
    );
    expect(check.failed).toBe(true);
  });

  it.each(['job', 'region'] as const)(
    'X47: assignments 2, 4 and 6 are lost, the %s restarts: each record once',
    (restart) => {
      const life = { ...CALM, restart };
      const world = liveThrough(life, { drop: nth(isAssignment, 2, 4, 6) });
      eachOnce(life, world);
      expect(world.failures.length).toBeGreaterThan(1);
    },
  );

  it('X47: assignments 1 and 3 are lost and a reader fails: each record once', () => {
    const life = { ...CALM, restart: 'region' as const, failuresAtUs: [9_000] };
    eachOnce(life, liveThrough(life, { drop: nth(isAssignment, 1, 3) }));
  });

  it.each(['job', 'region'] as const)(
    'X47: acknowledgements 2 and 4 are lost, the %s restarts: each record once',
    (restart) => {
      const life = { ...CALM, restart };
      const world = liveThrough(life, { drop: nth(isAcknowledgement, 2, 4) });
      eachOnce(life, world);
      expect(world.failures.length).toBeGreaterThan(0);
    },
  );

  it('K3: fewer splits than readers: the others idle, and are told again after each failover that there is nothing more', () => {
    const life = { ...CALM, subtasks: 4, partitions: 2, recordsPerSplit: 0, failuresAtUs: [20_000] };
    const world = liveThrough(life);
    eachOnce(life, world);
    expect(emittedOf(world, life).filter((records) => records.length > 0)).toHaveLength(2);
    const told = world.out.reported('operator-event-sent').filter(({ event }) => event === 'no-more-splits');
    const attempts = new Set(told.map(({ attempt }) => attempt));
    expect(attempts.size).toBe(told.length);
    expect(told).toHaveLength(4);
  });

  /** Few checkpoints, so that much is forgotten; most failures near the end of a source. */
  const ENDING: fc.Arbitrary<Ending> = fc.record({
    life: LIFE.map((life) => ({
      ...life,
      subtasks: 3,
      partitions: life.partitions + 2,
      recordsPerSplit: life.recordsPerSplit === 1 ? 0 : life.recordsPerSplit,
    })),
    first: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
    bounded: fc.boolean(),
    checkpointEveryUs: fc.constantFrom(8_000, 15_000, 60_000),
  });
  const endsWell = ({ life, first, ...source }: Ending, parts: Partial<EngineParts> = {}): CoordinationWorld => {
    const ofChain = first === undefined ? {} : { first };
    const world = liveThrough(life, { parts, lifeUs: ENDING_US, source: { ...source, ...ofChain } });
    eachOnce(life, world);
    return world;
  };

  it('B24, K3: each record exactly once where partitions end, of one source or of two in a chain', () => {
    let ended = 0;
    fc.assert(
      fc.property(ENDING, (ending) => {
        const world = endsWell(ending);
        ended += [0, 1, 2].filter((subtask) => (world.task(subtask) as ReaderTask).hasEnded).length;
      }),
      ENDING_SETTINGS,
    );
    expect(ended).toBeGreaterThan(20);
  });

  it('splits-back-to-done-reader: the same lives find it', () => {
    const check = fc.check(
      fc.property(ENDING, (ending) => void endsWell(ending, { splitsToDoneReader: 'of-earlier-sources' })),
      { ...ENDING_SETTINGS, endOnFailure: true },
    );
    expect(check.failed).toBe(true);
  });

  it('K1: whole partitions keep their order, and stay with their reader', () => {
    const life = { ...CALM, recordsPerSplit: 0 };
    for (const records of emittedOf(liveThrough(life), life)) {
      for (const partition of ['0', '1', '2']) {
        const offsets = records
          .filter((record) => record.startsWith(`${partition}/`))
          .map((record) => Number(record.slice(2)));
        if (offsets.length > 0) expect(offsets).toEqual(Array.from({ length: RECORDS }, (_, offset) => offset));
      }
    }
  });
});
