/**
 * Restores a snapshot into fresh operators by the engine's own path, with no cluster: for the restore audit.
 *
 * Owns the stand-ins for what a subtask has around its operators. The engine does the rest: who gets which state (StateAssignment), the
 * chain, its backends, the user functions that open on them.
 */
import { StateAssignment } from '../../engine/checkpoint/state-assignment.ts';
import { elementAt } from '../../engine/state/operator-state-file.ts';
import { executionAttemptId, nodeId } from '../../engine/foundation/ids.ts';
import { type JobGraph, type JobVertex, keySerializerOf } from '../../engine/job/job-graph.ts';
import { operatorsOf } from '../../engine/job/scaled-graph.ts';
import { UserCode } from '../../engine/operators/user-code.ts';
import { WorkMeter } from '../../engine/operators/work-meter.ts';
import type { EngineConfiguration } from '../../engine/protocol/configuration.ts';
import type { CheckpointMetadata } from '../../engine/protocol/metadata-file.ts';
import type { SegmentHandle, StateHandle } from '../../engine/protocol/state-handle.ts';
import type { RestoredSegment } from '../../engine/state/keyed-state-backend.ts';
import { OperatorChain } from '../../engine/taskmanager/operator-chain.ts';
import type { TaskEnvironment } from '../../engine/taskmanager/task-environment.ts';
import { bagOf, type ElementBag } from '../judges/element-bag.ts';
import type { RestoredState, SnapshotRestorer } from '../judges/restore-audit.ts';
import { StateHash } from '../judges/state-hash.ts';
import { expiringStates, withoutTimes } from '../judges/unstamped-state.ts';

/** Of no execution that ever was. */
const ATTEMPT = executionAttemptId(0);
const NODE = nodeId('restore-audit');
const NO_BYTES = new Uint8Array();
const nothing = (): void => {};

export class EngineRestorer implements SnapshotRestorer {
  readonly #environment: TaskEnvironment;

  constructor(environment: Omit<TaskEnvironment, 'node'>) {
    this.#environment = { ...environment, node: NODE };
  }

  restore(
    metadata: CheckpointMetadata,
    graph: JobGraph,
    bytesOf: (file: StateHandle | SegmentHandle) => Uint8Array,
  ): RestoredState {
    const environment = { ...this.#environment, graph, configuration: this.#configurationFor(metadata) };
    const { parts, configuration } = environment;
    const { withoutChannelStateOf } = configuration.checkpoint;
    const assignment = new StateAssignment({ graph, restored: metadata, parts, withoutChannelStateOf });
    const keyed = new Map<string, StateHash>();
    const elements = new Map<string, ElementBag[]>();
    for (const vertex of graph.vertices) {
      for (let subtask = 0; subtask < vertex.parallelism; subtask += 1) {
        const { handles } = assignment.of(vertex.index, subtask);
        if (keepsState(vertex))
          restoreSubtask({ environment, vertex, subtask, handles, isRestored: true, bytesOf }, keyed);
        for (const operator of operatorsOf(vertex)) {
          const bags = elements.get(operator) ?? [];
          elements.set(operator, [...bags, shareOf(operator, handles, bytesOf)]);
        }
      }
    }
    return { keyed, elements };
  }

  /** A run may have another backend than the plan says (row S24), and what is native is for that one to read. */
  #configurationFor({ format, backend = 'hashmap' }: CheckpointMetadata): EngineConfiguration {
    const { configuration } = this.#environment;
    if (format === 'canonical') return configuration;
    return { ...configuration, checkpoint: { ...configuration.checkpoint, backend } };
  }

  emptyFiles(graph: JobGraph): ReadonlyMap<string, Uint8Array> {
    const environment = { ...this.#environment, graph };
    const files = new Map<string, Uint8Array>();
    for (const vertex of graph.vertices.filter(keepsState)) {
      const nobody = { handles: [], isRestored: false, bytesOf: () => NO_BYTES };
      const { keyed } = openSubtask({ environment, vertex, subtask: 0, ...nobody });
      for (const { operator, backend } of keyed) files.set(operator, backend.snapshot().write());
    }
    return files;
  }
}

/** State of functions, or by key. That of sources and sinks is no part of an operator chain that is only looked at. */
const keepsState = ({ operators }: JobVertex): boolean =>
  operators.some((operator) => 'function' in operator || keySerializerOf(operator) !== undefined);

/** Without what it writes to. All state that its functions declare is registered, whenever they ask for it. */
const forAudit = (vertex: JobVertex): JobVertex => ({
  ...vertex,
  operators: vertex.operators
    .filter(({ kind }) => kind !== 'sink' && kind !== 'committer')
    .map((operator) => {
      if (!('function' in operator)) return operator;
      const { function: declared } = operator;
      return { ...operator, function: { ...declared, registration: 'before-open' } } as typeof operator;
    }),
});

interface SubtaskRestore {
  readonly environment: TaskEnvironment;
  readonly vertex: JobVertex;
  readonly subtask: number;
  readonly handles: readonly StateHandle[];
  readonly isRestored: boolean;
  readonly bytesOf: (file: StateHandle | SegmentHandle) => Uint8Array;
}

function openSubtask({ environment, vertex, subtask, handles, bytesOf, isRestored }: SubtaskRestore): OperatorChain {
  const withBytes = (handle: SegmentHandle): RestoredSegment => ({ handle, bytes: bytesOf(handle) });
  return new OperatorChain({
    environment,
    vertex: forAudit(vertex),
    subtask,
    attempt: ATTEMPT,
    highestParallelism: vertex.parallelism,
    tail: { process: nothing, processSide: nothing },
    sinkHost: SINK_HOST,
    userCode: new UserCode(),
    work: new WorkMeter(),
    clock: { nowUs: 0 },
    keyedStateOf: (operator) =>
      handles
        .filter((handle) => handle.operator === operator && handle.state === 'keyed')
        .map((handle) => ({ bytes: bytesOf(handle), segments: handle.segments?.map(withBytes) })),
    operatorStateOf: (operator) =>
      handles
        .filter((handle) => handle.operator === operator && handle.state === 'operator')
        .map((handle) => ({ bytes: bytesOf(handle), lists: handle.lists })),
    isRestored,
  });
}

function restoreSubtask(restore: SubtaskRestore, into: Map<string, StateHash>): void {
  const expiring = expiringStates(restore.environment.graph);
  for (const { operator, backend } of openSubtask(restore).keyed) {
    const hash = into.get(operator) ?? new StateHash();
    into.set(operator, hash);
    const stamped = expiring.get(operator);
    backend.visitEntries((state, keyGroup, key, content) =>
      hash.add(state, keyGroup, key, stamped?.has(state) === true ? withoutTimes(content) : content),
    );
  }
}

/** What a subtask is given of the operator state of one operator. */
function shareOf(operator: string, handles: readonly StateHandle[], bytesOf: SubtaskRestore['bytesOf']): ElementBag {
  const own = handles.filter((handle) => handle.state === 'operator' && handle.operator === operator);
  return bagOf(
    own.flatMap((handle) => {
      const bytes = bytesOf(handle);
      return (handle.lists ?? []).map(({ name, mode, offsets }) => ({
        name,
        mode,
        elements: offsets.map((offset) => elementAt(bytes, offset)),
      }));
    }),
  );
}

/** Nothing runs: a sink that is only built asks for nothing. */
const SINK_HOST = {
  initialized: nothing,
  preCommitted: nothing,
  fail: nothing,
  reportCommit: nothing,
  reportCommitFailure: nothing,
};
