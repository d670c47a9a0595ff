/**
 * The chained operators of one subtask, built from tail to head (Flink: OperatorChain).
 *
 * Owns: operators, state backends, the sink. Does not own: when records come or snapshots are taken.
 */
import { openCommitter, openSink, type SinkHost } from '../connectors/open-sink.ts';
import type { SinkTask } from '../connectors/sink/sink-task.ts';
import type { RestoredPiece } from '../connectors/source-reader.ts';
import type { ProcessingTime } from '../event-time/internal-timer-service.ts';
import type { TimeStage } from '../event-time/time-stage.ts';
import { TimestampsAndWatermarks } from '../event-time/timestamps-and-watermarks.ts';
import { assert } from '../foundation/assert.ts';
import type { ExecutionAttemptId } from '../foundation/ids.ts';
import { micros } from '../foundation/time.ts';
import type { StateKey } from '../job/functions.ts';
import { type FunctionOperatorSpec, type JobVertex, type OperatorSpec, operatorStatesOf } from '../job/job-graph.ts';
import { keyGroupRangeOf } from '../job/key-groups.ts';
import { BroadcastProcessOperator, ProcessOperator } from '../operators/broadcast-operators.ts';
import type { ElementConsumer, SideOutputConsumer } from '../operators/element-consumer.ts';
import { FunctionState } from '../operators/function-state.ts';
import type { KeyedOperatorOptions } from '../operators/keyed-context.ts';
import { type FinishingOperator, KeyedCoProcessOperator, KeyedProcessOperator } from '../operators/keyed-operators.ts';
import { FilterOperator, FlatMapOperator, MapOperator } from '../operators/stateless-operators.ts';
import type { UserCode } from '../operators/user-code.ts';
import { PatternOperator } from '../operators/cep/pattern-operator.ts';
import { WindowOperator } from '../operators/window-operator.ts';
import { WorkingConsumer, type WorkMeter } from '../operators/work-meter.ts';
import { restoreKeyedState } from '../changelog/replay.ts';
import type { StateBackendOptions } from '../parts.ts';
import type { KeyedOperatorState, KeyedStateBackend, RestoredSegment } from '../state/keyed-state-backend.ts';
import type { ExpiryClock } from '../state/time-to-live.ts';
import type { TypeSerializer } from '../state/type-serializer.ts';
import { recordBytesOf, type TaskEnvironment } from './task-environment.ts';
import { workingDirectory } from './working-directory.ts';

export interface OperatorChainOptions {
  readonly environment: TaskEnvironment;
  readonly vertex: JobVertex;
  readonly subtask: number;
  readonly attempt: ExecutionAttemptId;
  /** No subtask index at or above this was ever deployed. */
  readonly highestParallelism: number;
  /** Behind the last operator: the channels. */
  readonly tail: ElementConsumer & SideOutputConsumer;
  /** Of the subtask. */
  readonly clock: ProcessingTime;
  readonly sinkHost: SinkHost;
  /** Marks the calls of user functions. */
  readonly userCode: UserCode;
  /** Takes the work that operators say they do. */
  readonly work: WorkMeter;
  /** Keyed state files of an operator, to be read before its function opens. */
  readonly keyedStateOf: (operator: string) => readonly KeyedPiece[];
  /** The same of operator state, each with the elements that are this subtask's. */
  readonly operatorStateOf: (operator: string) => readonly RestoredPiece[];
  /** False on a start from nothing. */
  readonly isRestored: boolean;
}

/** One file of keyed state, and the segments that it lists. */
export interface KeyedPiece {
  readonly bytes: Uint8Array;
  readonly segments?: readonly RestoredSegment[] | undefined;
}

/** Operator state of a user function. */
export interface FunctionStateOfOperator {
  readonly operator: string;
  readonly state: FunctionState;
}

export class OperatorChain {
  /** Entry for records of logical input 0 and 1. */
  readonly heads: readonly [ElementConsumer, ElementConsumer];
  readonly keyed: readonly KeyedOperatorState[];
  readonly functionStates: readonly FunctionStateOfOperator[];
  readonly sink: SinkTask | undefined;
  /** Operators that care for time, head first. */
  readonly stages: readonly TimeStage[];
  /** Of them, those that make watermarks. */
  readonly assigners: readonly TimestampsAndWatermarks[];
  /** At a source with watermarks: what it hands its records to. */
  readonly sourceTime: TimestampsAndWatermarks | undefined;
  /** Head first. */
  readonly #finishing: readonly FinishingOperator[];

  constructor(options: OperatorChainOptions) {
    const keyed: KeyedOperatorState[] = [];
    const functionStates: FunctionStateOfOperator[] = [];
    const finishing: FinishingOperator[] = [];
    const stages: TimeStage[] = [];
    let sink: SinkTask | undefined;
    let heads: readonly [ElementConsumer, ElementConsumer] = [options.tail, options.tail];
    for (const spec of [...options.vertex.operators].reverse()) {
      const next = heads[0];
      if (spec.kind === 'sink' || spec.kind === 'committer') {
        assert(next === options.tail && sink === undefined, 'a sink is the last operator of its chain', {
          uid: spec.uid,
        });
        sink = createSink(spec, options);
        heads = single(sink.head);
      } else {
        heads = createOperator(spec, next, options, { keyed, functionStates, finishing, stages });
      }
      heads = withWork(spec, heads, options.work);
    }
    const time = sourceTime(options, heads[0]);
    if (time !== undefined) stages.push(time);
    this.heads = time === undefined ? heads : single(time);
    this.sourceTime = time;
    this.stages = stages.reverse();
    this.assigners = this.stages.filter((stage) => stage instanceof TimestampsAndWatermarks);
    this.keyed = keyed;
    this.functionStates = functionStates;
    this.sink = sink;
    this.#finishing = finishing.reverse();
  }

  /** All input has come: operators do their last work in the order of the chain. Returns how many keys they visited. */
  finish(): number {
    return this.#finishing.reduce((keys, operator) => keys + operator.finish(), 0);
  }
}

/** What is gathered while a chain is built. */
interface ChainParts {
  readonly keyed: KeyedOperatorState[];
  readonly functionStates: FunctionStateOfOperator[];
  readonly finishing: FinishingOperator[];
  readonly stages: TimeStage[];
}

/** Row S11: per split at a source whose strategy says so. */
function sourceTime(
  { vertex, userCode }: OperatorChainOptions,
  next: ElementConsumer,
): TimestampsAndWatermarks | undefined {
  const { source } = vertex;
  if (source?.watermarks === undefined) return undefined;
  const isIdleWithoutSplits = source.kind !== 'split-log';
  return new TimestampsAndWatermarks({ uid: source.uid, spec: source.watermarks, next, userCode, isIdleWithoutSplits });
}

function createOperator(
  spec: Exclude<OperatorSpec, { kind: 'sink' | 'committer' }>,
  next: ElementConsumer,
  options: OperatorChainOptions,
  parts: ChainParts,
): readonly [ElementConsumer, ElementConsumer] {
  switch (spec.kind) {
    case 'map':
      return single(new MapOperator(spec.map, next, options.userCode));
    case 'filter':
      return single(new FilterOperator(spec.filter, next, options.userCode));
    case 'flat-map':
      return single(new FlatMapOperator(spec.flatMap, next, options.userCode));
    case 'watermarks': {
      const assigner = new TimestampsAndWatermarks({
        uid: spec.uid,
        spec: spec.watermarks,
        next,
        userCode: options.userCode,
      });
      parts.stages.push(assigner);
      return single(assigner);
    }
    case 'process': {
      const backend = createBackend(spec, spec.keySerializer, options, parts.keyed);
      const functionState = createFunctionState(spec, options, parts.functionStates);
      const operator = new KeyedProcessOperator(spec, { backend, functionState, ...keyedOptions(options, next) });
      parts.finishing.push(operator);
      if (operator.timers !== undefined) parts.stages.push(operator.timers);
      return single(operator);
    }
    case 'co-process': {
      const backend = createBackend(spec, spec.keySerializer, options, parts.keyed);
      const functionState = createFunctionState(spec, options, parts.functionStates);
      const operator = new KeyedCoProcessOperator(spec, { backend, functionState, ...keyedOptions(options, next) });
      parts.finishing.push(operator);
      if (operator.timers !== undefined) parts.stages.push(operator.timers);
      return operator.inputs;
    }
    case 'window': {
      const backend = createBackend(spec, spec.keySerializer, options, parts.keyed);
      const { windows: rules } = options.environment.parts;
      const operator = new WindowOperator(spec, { backend, rules, ...keyedOptions(options, next) });
      parts.stages.push(operator.timers);
      return single(operator);
    }
    case 'pattern': {
      const backend = createBackend(spec, spec.keySerializer, options, parts.keyed);
      const { patterns: rules } = options.environment.parts;
      const operator = new PatternOperator(spec, { backend, rules, ...keyedOptions(options, next) });
      parts.stages.push(operator.timers);
      return single(operator);
    }
    case 'plain-process': {
      const functionState = createFunctionState(spec, options, parts.functionStates);
      return single(new ProcessOperator(spec, { functionState, next, ...subtaskOf(options) }));
    }
    case 'broadcast-process': {
      const { keyed } = spec;
      const backend = keyed === undefined ? undefined : createBackend(spec, keyed.keySerializer, options, parts.keyed);
      const functionState = createFunctionState(spec, options, parts.functionStates);
      const expiryClock = expiryClockOf(options);
      const shared = { functionState, backend, next, expiryClock, work: options.work, ...subtaskOf(options) };
      return new BroadcastProcessOperator(spec, shared).inputs;
    }
    default:
      throw new RangeError(`unknown operator ${String(spec satisfies never)}`);
  }
}

function withWork(
  { workNanoseconds }: OperatorSpec,
  heads: readonly [ElementConsumer, ElementConsumer],
  work: WorkMeter,
): readonly [ElementConsumer, ElementConsumer] {
  if (workNanoseconds === undefined) return heads;
  const [first, second] = heads;
  const working = new WorkingConsumer(work, workNanoseconds, first);
  return [working, second === first ? working : new WorkingConsumer(work, workNanoseconds, second)];
}

const single = (consumer: ElementConsumer): readonly [ElementConsumer, ElementConsumer] => [consumer, consumer];
const subtaskOf = (
  options: OperatorChainOptions,
): { subtask: number; parallelism: number; userCode: OperatorChainOptions['userCode'] } => ({
  subtask: options.subtask,
  parallelism: options.vertex.parallelism,
  userCode: options.userCode,
});

/** Side outputs leave at the end of the chain only (job-graph-generator.ts). */
const keyedOptions = (options: OperatorChainOptions, next: ElementConsumer): Omit<KeyedOperatorOptions, 'backend'> => ({
  clock: options.clock,
  expiryClock: expiryClockOf(options),
  initialWatermarkUs: options.environment.parts.initialWatermarkUs(options.isRestored),
  next,
  ...subtaskOf(options),
  ...(next === options.tail ? { side: options.tail } : {}),
});

/** Row S12: the wall clock as it is at the begin of the mailbox action. */
const expiryClockOf = ({ clock, environment: { parts, wallClock } }: OperatorChainOptions): ExpiryClock => ({
  nowUs: () => wallClock(micros(clock.nowUs)),
  restoredUs: (writtenUs) => parts.restoredAccess(writtenUs, wallClock(micros(clock.nowUs))),
});

/** Restored, and registered whether or not the function declares any: what it does not claim goes into every snapshot. */
function createFunctionState(
  spec: FunctionOperatorSpec,
  options: OperatorChainOptions,
  into: FunctionStateOfOperator[],
): FunctionState {
  const store = options.environment.parts.createOperatorStateStore(spec.uid);
  const restored = options.operatorStateOf(spec.uid);
  for (const { bytes, lists } of restored) store.restore(bytes, lists);
  const descriptors = operatorStatesOf(spec);
  const state = new FunctionState({ store, descriptors, isRestored: options.isRestored, ...subtaskOf(options) });
  if (descriptors.length > 0 || restored.length > 0) into.push({ operator: spec.uid, state });
  return state;
}

function createBackend(
  spec: Pick<OperatorSpec, 'uid'>,
  keySerializer: TypeSerializer<StateKey>,
  options: OperatorChainOptions,
  keyed: KeyedOperatorState[],
): KeyedStateBackend {
  const { vertex, subtask, environment } = options;
  const keyGroups = keyGroupRangeOf(subtask, vertex.parallelism, vertex.maxParallelism);
  const directory = workingDirectory(environment, options.attempt, spec.uid);
  const backend = environment.parts.createStateBackend({
    keySerializer,
    keyGroups,
    maxParallelism: vertex.maxParallelism,
    operator: spec.uid,
    backend: environment.configuration.checkpoint.backend,
    work: options.work.store,
    ...(directory === undefined ? {} : { directory }),
    ...changelogOf(environment),
  });
  for (const { bytes, segments } of options.keyedStateOf(spec.uid))
    options.work.addKeys(restoreKeyedState(backend, bytes, segments));
  keyed.push({ operator: spec.uid, backend, keyGroups });
  return backend;
}

/** Row S20. A log needs files that are written before the checkpoint is. */
function changelogOf({ configuration, parts }: TaskEnvironment): Pick<StateBackendOptions, 'changelog'> {
  const { changelog, incremental, compression, storage } = configuration.checkpoint;
  if (changelog === undefined || storage.kind === 'jobmanager') return {};
  const { preemptiveBytes: fullBytes } = changelog;
  return { changelog: { fullBytes, incremental, compression, materializedTo: (next) => parts.materializedTo(next) } };
}

function createSink(
  spec: Extract<OperatorSpec, { kind: 'sink' | 'committer' }>,
  options: OperatorChainOptions,
): SinkTask {
  const { environment, subtask, attempt, highestParallelism, sinkHost, vertex } = options;
  const open = spec.kind === 'sink' ? openSink : openCommitter;
  return open({
    uid: spec.uid,
    behind: options.tail,
    jobId: environment.graph.jobId,
    spec: spec.sink,
    place: { subtask, parallelism: vertex.parallelism, highestParallelism, attempt },
    services: environment.services,
    runtime: environment.configuration.runtime,
    parts: environment.parts,
    host: sinkHost,
    recordBytes: recordBytesOf(environment.graph, vertex.index),
  });
}
