/** What a life left in checkpoint storage, to be tampered with, and the restore audit over it. */
import type { JobGraph } from '../../engine/job/job-graph.ts';
import { standardParts, type EngineParts } from '../../engine/parts.ts';
import {
  decodePointer,
  encodePointer,
  pointerKey,
  type RetainedCheckpoint,
} from '../../engine/protocol/checkpoint-pointer.ts';
import { trueWallClock } from '../../engine/protocol/wall-clock.ts';
import { buildJob } from '../../scenarios/build-job.ts';
import { generatedDataset } from '../../scenarios/datasets/generated-dataset.ts';
import { datasetNeeds } from '../../scenarios/live.ts';
import { servicesOf } from '../../sim/cluster/world.ts';
import { EngineRestorer } from '../../sim/cluster/snapshot-restorer.ts';
import { CheckpointReader } from '../../sim/judges/checkpoint-reader.ts';
import { FileTrail } from '../../sim/judges/file-trail.ts';
import type { DurableState } from '../../sim/judges/judge.ts';
import { RestoreAudit, type SnapshotRestorer, type StateAtBarrier } from '../../sim/judges/restore-audit.ts';
import { expiringStates } from '../../sim/judges/unstamped-state.ts';
import type { Verdict } from '../../sim/judges/verdict.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { type PreparedJob, prepareJob } from '../../sim/prepared-job.ts';
import { liveIt, loadDataset } from './lives.ts';

const NOBODY: StateAtBarrier = { of: () => [] };

export class LeftByALife {
  readonly plan: SimulationPlan;
  readonly files = new Map<string, Uint8Array>();
  readonly job: PreparedJob;
  /** Directories of savepoints. */
  savepoints: readonly string[];
  readonly #pointer: string;

  constructor(plan: SimulationPlan) {
    this.plan = plan;
    const { graph, audit } = buildJob(plan);
    const datasets = new Map(
      [...datasetNeeds(plan)].map(([name, records]) => {
        const isGenerated = name.startsWith('generated:');
        const generated = { name, seed: 'dataset', records, keys: 10, skewPercent: 0 };
        return [name, isGenerated ? generatedDataset(generated) : loadDataset(name)] as const;
      }),
    );
    this.job = prepareJob({ graph, audit, topics: plan.topics, datasets });
    let pointer = '';
    liveIt(plan, {
      inspect: (durable) => {
        for (const path of durable.objects()) this.files.set(path, durable.object(path) ?? new Uint8Array());
        pointer = durable.coordination(pointerKey(graph.jobId)) ?? '';
      },
    });
    this.#pointer = pointer;
    this.savepoints = [...this.files.keys()].flatMap((path) => {
      const directory = path.slice(0, Math.max(0, path.lastIndexOf('/')));
      return path.endsWith('/_metadata') && directory.includes('/savepoint-') ? [directory] : [];
    });
  }

  retained(): readonly RetainedCheckpoint[] {
    return decodePointer(this.#pointer).completed;
  }

  /** Somebody moves a savepoint; nothing in its files changes. */
  moveSavepoint(from: string, to: string): void {
    for (const [path, bytes] of [...this.files]) {
      if (!path.startsWith(`${from}/`)) continue;
      this.files.delete(path);
      this.files.set(`${to}${path.slice(from.length)}`, bytes);
    }
    this.savepoints = this.savepoints.map((directory) => (directory === from ? to : directory));
  }

  /** The verdicts on what lies there now. `of`: only of the snapshot in this directory; `graph`: as the job is now. */
  audit({
    parts = standardParts,
    atBarrier = NOBODY,
    of,
    graph = this.job.graph,
    restoredBy = (engine) => engine,
  }: {
    parts?: EngineParts;
    atBarrier?: StateAtBarrier;
    of?: string | undefined;
    graph?: JobGraph;
    /** What restores in place of the engine. */
    restoredBy?: (engine: SnapshotRestorer) => SnapshotRestorer;
  } = {}): Verdict[] {
    const completed = this.retained().filter(({ metadata }) => of === undefined || metadata === `${of}/_metadata`);
    const pointer = encodePointer({ ...decodePointer(this.#pointer), completed });
    const savepoints = this.savepoints.filter((directory) => of === undefined || directory === of);
    const { judged } = this.job;
    const durable: DurableState = {
      object: (path) => this.files.get(path),
      objects: () => [...this.files.keys()].sort((a, b) => (a < b ? -1 : 1)),
      coordination: (key) => (key === pointerKey(graph.jobId) ? pointer : undefined),
      abortedRecord: () => undefined,
      openTransactions: () => [],
      leftovers: () => [],
    };
    const reader = new CheckpointReader({ graph, index: judged.index, durable });
    const environment = {
      graph,
      configuration: this.plan.engine,
      services: servicesOf(this.plan),
      wallClock: trueWallClock,
    };
    const restorer = restoredBy(new EngineRestorer({ ...environment, parts }));
    const audit = new RestoreAudit({
      ...{ graphOf: () => graph, expiring: expiringStates(graph), reader, restorer, atBarrier },
      handedOut: () => savepoints,
      files: new FileTrail(),
    });
    return audit.finish();
  }
}
