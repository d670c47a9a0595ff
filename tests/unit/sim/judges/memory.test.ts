/** What judges remember of a long life is what they remember of one twice as long: checkpoints, restarts and leaders leave no trace for ever. */
import { describe, expect, it } from 'vitest';
import { checkpointId, executionAttemptId } from '../../../../engine/foundation/ids.ts';
import type { JobGraph } from '../../../../engine/job/job-graph.ts';
import { encodeMetadata } from '../../../../engine/protocol/metadata-file.ts';
import type { KeyedOperatorState } from '../../../../engine/state/keyed-state-backend.ts';
import { BarrierHashes } from '../../../../sim/cluster/barrier-hashes.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import { Bounds } from '../../../../sim/judges/bounds.ts';
import { CheckpointLifecycle } from '../../../../sim/judges/checkpoint-lifecycle.ts';
import { CheckpointReader } from '../../../../sim/judges/checkpoint-reader.ts';
import { ConservedOutput } from '../../../../sim/judges/conserved-output.ts';
import { ConsistentCut, type ConsistentCutOptions } from '../../../../sim/judges/consistent-cut.ts';
import { ExactlyOnceState, type ExactlyOnceStateOptions } from '../../../../sim/judges/exactly-once-state.ts';
import { Fencing } from '../../../../sim/judges/fencing.ts';
import { Finishing } from '../../../../sim/judges/finishing.ts';
import { FiredTimersLog } from '../../../../sim/judges/fired-timers.ts';
import { EPISODES_KEPT, PARTS_KEPT } from '../../../../sim/judges/forget-oldest.ts';
import { GivenUpData } from '../../../../sim/judges/given-up-data.ts';
import type { JobAudit } from '../../../../sim/judges/job-audit.ts';
import type { DurableState } from '../../../../sim/judges/judge.ts';
import { JudgeBench, type JudgeBenchOptions } from '../../../../sim/judges/judge-bench.ts';
import { Ledgers } from '../../../../sim/judges/ledgers.ts';
import { MissedRecords } from '../../../../sim/judges/missed-records.ts';
import { Notifications } from '../../../../sim/judges/notifications.ts';
import { Progress, type ProgressOptions } from '../../../../sim/judges/progress.ts';
import { unreadable } from '../../../../sim/judges/readable.ts';
import { InputIndex } from '../../../../sim/judges/reference-run.ts';
import { Requests } from '../../../../sim/judges/requests.ts';
import { RestoreAudit, type RestoreAuditOptions } from '../../../../sim/judges/restore-audit.ts';
import { RestoredTime } from '../../../../sim/judges/restored-time.ts';
import { Retention, type RetentionOptions } from '../../../../sim/judges/retention.ts';
import { RecordTrail } from '../../../../sim/judges/record-trail.ts';
import { RunHistory } from '../../../../sim/judges/run-history.ts';
import { Savepoints, type SavepointsOptions } from '../../../../sim/judges/savepoints.ts';
import { StateExpiry } from '../../../../sim/judges/state-expiry.ts';
import { TableOutput } from '../../../../sim/judges/table-output.ts';
import { Upgrades } from '../../../../sim/judges/upgrades.ts';
import { planOf } from '../../../support/lives.ts';
import { LEDGER_KEY, placeOf, requestOf, round, roundOfClients, SUBTASKS } from './long-life.ts';
import {
  COUNT_AUDIT,
  countGraph,
  JOB_ID,
  metadataPath,
  SMALL_PLAN,
  SmallLife,
  SmallWorld,
  statePath,
} from './small-life.ts';

/** Rounds after which all is remembered that ever is. */
const LONG = Math.max(EPISODES_KEPT, Math.ceil(PARTS_KEPT / SUBTASKS)) + 100;

/** A judge, or what one remembers with. */
interface Remembering {
  readonly name: string;
  /** Absent: is shown all. */
  readonly kinds?: readonly string[];
  readonly remembered: number;
  observe(entry: HistoryEvent): void;
  sent?(...[to, message]: ReturnType<typeof requestOf>): void;
}

const AUDIT = { stateIsOrderInsensitive: false } as JobAudit;
const LEDGER = { identifier: 'ledger', key: LEDGER_KEY, refuses: () => false };
const EXPIRES = { ttlMs: 1, access: () => ({ key: 'a', count: 1, atMs: 0 }) };
const GRAPH = countGraph([0, 1]);
const INDEX = new InputIndex([]);
const PLAN = planOf('quickstart', '1');
const READER = {
  retained: () => [],
  metadata: () => ({ kind: 'read', value: { checkpointId: 1 } }),
  contents: () => unreadable('there is none'),
  filesOf: ({ id }: { id: number }) => [metadataPath(id), statePath(id, 0)],
};
/** Judges that look at files only when they are told of some; here there are none. */
const WITHOUT_FILES = { jobId: JOB_ID, reader: READER, audit: AUDIT, index: INDEX, induced: [0] };

function cut(): ConsistentCut {
  let newest = 0;
  // Of snapshots that were handed out only the newest is there.
  const metadata = (path: string): object => {
    const checkpointId = Number(/(\d+)\/_metadata$/.exec(path)?.[1]);
    newest = Math.max(newest, checkpointId);
    return checkpointId === newest ? { kind: 'read', value: { checkpointId } } : unreadable('it is gone');
  };
  const options = { ...WITHOUT_FILES, reader: { ...READER, metadata }, fired: new FiredTimersLog() };
  return new ConsistentCut(options as unknown as ConsistentCutOptions);
}
const savepoints = (): Savepoints => new Savepoints(WITHOUT_FILES as unknown as SavepointsOptions);
const finishing = (): Finishing => new Finishing({ graph: GRAPH, isCheckpointing: true });
const progress = (): Progress => new Progress({ graph: GRAPH, plan: PLAN } as unknown as ProgressOptions);

const fencing = (['lease-store', 'zookeeper', 'kubernetes'] as const).map((kind) => {
  const engine = { ...PLAN.engine, highAvailability: { kind, tolerateSuspendedConnections: false } };
  return (): Fencing => new Fencing({ jobId: JOB_ID, plan: { ...PLAN, engine } });
});

function conservedOutput(): ConservedOutput {
  const window = { uid: 'windows', kind: 'window', window: { assigner: {}, allowedLatenessUs: 0 } };
  const graph = { vertices: [{ operators: [window], maxParallelism: 8 }] } as unknown as JobGraph;
  const windows = { operator: 'windows', of: () => undefined };
  const conserves = { input: String, output: () => [], windows };
  const fired = new FiredTimersLog();
  return new ConservedOutput({
    conserves,
    index: INDEX,
    trail: new RecordTrail(INDEX),
    hasFinished: () => true,
    windows: { graph, fired },
  });
}

function tableOutput(): TableOutput {
  const expected = { sinks: [{ uid: 'out' }], valuesOf: () => [{ value: { key: 'a', count: 1 } }] };
  return new TableOutput({ expected, audit: COUNT_AUDIT, version: 'count', hasFinished: () => true } as never);
}

/** What a life without clients goes through. */
function judges(): readonly Remembering[] {
  const durable = { object: () => new Uint8Array(1) };
  const retention = { jobId: JOB_ID, reader: READER, durable, isOver: () => false } as unknown as RetentionOptions;
  const kinds = { configuration: PLAN.engine.checkpoint, graphOf: () => GRAPH };
  return [
    new CheckpointLifecycle({ jobId: JOB_ID, isCheckpointing: true, kinds }),
    ...fencing.map((judge) => judge()),
    new ExactlyOnceState({ jobId: JOB_ID } as unknown as ExactlyOnceStateOptions),
    ...[cut(), finishing(), savepoints(), conservedOutput(), tableOutput()],
    new Notifications(),
    new Bounds({ graph: GRAPH, engine: PLAN.engine }),
    new Retention(retention),
    new Ledgers([LEDGER], { retained: () => [], metadata: () => unreadable('there is none') }),
    new StateExpiry(EXPIRES),
    ...[restoredTime(), missedRecords(), givenUpData()],
  ];
}

function restoredTime(): Remembering {
  const time = new RestoredTime({ graph: GRAPH, index: INDEX, cutOf: () => new Int32Array(0) });
  return Object.assign(time, { name: 'restored-time' });
}

const missedRecords = (): Remembering => Object.assign(new MissedRecords(() => {}), { name: 'missed-records' });

/** The first checkpoint is given up. */
function givenUpData(): Remembering {
  const contents = { kind: 'read', value: { inFlight: [] } };
  const reader = { retained: () => [{ id: 1 }], contents: () => contents };
  const options = { graph: GRAPH, reader, checkpointId: 1, changed: () => {} };
  return Object.assign(new GivenUpData(options as never), { name: 'given-up-data' });
}

/** What one with clients goes through besides. */
function judgesOfClients(): readonly Remembering[] {
  const versions = new Map([[1, { graph: GRAPH, audit: AUDIT }]]);
  const snapshotOf = (): { cut: Int32Array; isDrained: boolean } => ({ cut: new Int32Array(0), isDrained: false });
  const history = new RunHistory({ jobId: JOB_ID, versions, snapshotOf, changed: () => {} });
  const asked = { jobId: JOB_ID, isAdaptive: false, graph: () => GRAPH, claims: new Map() };
  return [
    Object.assign(history, { name: 'run-history' }),
    new Requests(asked),
    new Upgrades({ jobId: JOB_ID, history, restartsWithoutEnd: true }),
    ...[cut(), finishing(), progress()],
  ];
}

/** Tells rounds of a script, and gives what each remembers then. */
class Telling {
  readonly #all: readonly Remembering[];
  readonly #script: (n: number) => Iterable<HistoryEvent['event']>;
  #index = 0;
  #round = 0;

  constructor(all: readonly Remembering[], script: (n: number) => Iterable<HistoryEvent['event']>) {
    this.#all = all;
    this.#script = script;
  }

  get events(): number {
    return this.#index;
  }

  to(round: number): Record<string, number> {
    while (this.#round < round) {
      this.#round += 1;
      for (const event of this.#script(this.#round)) this.#tell(event);
    }
    return Object.fromEntries(this.#all.map(({ name, remembered }, at) => [`${String(at)} ${name}`, remembered]));
  }

  #tell(event: HistoryEvent['event']): void {
    const entry = { index: this.#index, atUs: this.#index, node: placeOf(event), event };
    this.#index += 1;
    for (const one of this.#all) {
      if (one.kinds?.includes(event.kind) !== false) one.observe(entry);
      if (event.kind === 'task-restored') one.sent?.(...requestOf(event.attempt));
    }
  }
}

describe('memory of judges', () => {
  it('does not grow with metadata that was read, and hashes of state at barriers, which the bench shares', () => {
    const bytes = encodeMetadata({
      ...{ checkpointId: checkpointId(1), jobId: JOB_ID, triggeredAtUs: 0, states: [], operators: [] },
      highestParallelism: 1,
    });
    const durable = { object: () => bytes } as unknown as DurableState;
    const reader = new CheckpointReader({
      graph: countGraph([0, 1]),
      index: new InputIndex([]),
      durable,
    });
    const hashes = new BarrierHashes(new Map());
    const keyed = [
      { operator: 'count', backend: { registered: [], visitEntries: () => {} } },
    ] as unknown as KeyedOperatorState[];
    const readTo = (from: number, to: number): readonly [number, number] => {
      for (let n = from; n <= to; n += 1) {
        expect(reader.metadata(metadataPath(n)).kind).toBe('read');
        hashes.atBarrier(
          { checkpointId: checkpointId(n), attempt: executionAttemptId(n), vertex: 1, subtask: 0 },
          keyed,
        );
      }
      return [reader.remembered, hashes.remembered];
    };
    const long = readTo(1, 1_000);
    expect(readTo(1_001, 4_000)).toEqual(long);
    expect(Math.min(...long)).toBeGreaterThan(0);
  });

  it('does not grow with checkpoints, restarts, crashes, leaders and transactions', () => {
    const all = judges();
    const life = new Telling(all, round);
    const long = life.to(LONG);
    expect(life.to(2 * LONG)).toEqual(long);
    const [judge] = all as readonly CheckpointLifecycle[];
    for (const [name, remembered] of Object.entries(long)) expect([name, remembered > 0]).toEqual([name, true]);
    // They looked: the lifecycle judge has followed each checkpoint.
    expect(judge?.finish()[0]?.message).toMatch(/\d{4,}/);
  }, 120_000);

  it('nor with what clients ask for, when the job goes on as before', () => {
    const life = new Telling(judgesOfClients(), roundOfClients);
    const long = life.to(LONG);
    expect(life.to(2 * LONG)).toEqual(long);
    for (const [name, remembered] of Object.entries(long)) expect([name, remembered > 0]).toEqual([name, true]);
  }, 120_000);

  it('but with output that is compared record by record', () => {
    const life = new SmallLife([['a']]);
    const before = life.bench.output.remembered;
    for (let n = 0; n < 100; n += 1) life.commit(`out-0-1-${n}`, []);
    expect(life.bench.output.remembered - before).toBe(101);
  });

  it('is looked at of every judge', () => {
    const { job } = new SmallLife([['a']], { ...COUNT_AUDIT, expires: EXPIRES, ledgers: [LEDGER] });
    const versions = new Map([1, 2].map((version) => [version, job] as const));
    const plan = { ...SMALL_PLAN, cluster: { ...SMALL_PLAN.cluster, clients: 1 } };
    const audit = {} as unknown as NonNullable<JudgeBenchOptions['audit']>;
    const bench = new JudgeBench({ job: { ...job, versions }, durable: new SmallWorld(), plan, audit });
    // That one begins to look when the life is over.
    const atTheEnd = new RestoreAudit({} as unknown as RestoreAuditOptions);
    const here = new Set([...judges(), ...judgesOfClients(), atTheEnd].map(({ name }) => name));
    for (const { name } of bench.judges) expect(here).toContain(name);
    expect(bench.judges.length).toBeGreaterThan(15);
  });
});
