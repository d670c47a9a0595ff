/**
 * The door of the engine: what one needs to write a job. The actors that run it are wired by their own paths (sim/cluster).
 */
export {
  ConnectedStreams,
  DataStream,
  DataStreamSink,
  KeyedConnectedStreams,
  KeyedStream,
  type SinkOptions,
} from './api/data-stream.ts';
export { InvalidJob } from './api/invalid-job.ts';
export {
  type EnvironmentOptions,
  type JobCheckpointing,
  type LogSourceOptions,
  type SplitSourceOptions,
  StreamExecutionEnvironment,
} from './api/stream-execution-environment.ts';
export type {
  Collector,
  ElementContext,
  FunctionSpec,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  RuntimeContext,
  StateKey,
} from './job/functions.ts';
export { SuppressRestarts } from './job/functions.ts';
export type { HookDone, MasterHookSpec, MasterTriggerRestoreHook } from './job/master-hook.ts';
export type { JobEdge, JobGraph, JobVertex, OperatorSpec, SinkSpec, SourceSpec } from './job/job-graph.ts';
export type { AggregatingState, ListState, MapState, ReducingState, ValueState } from './state/keyed-state.ts';
export {
  type AggregateFunction,
  aggregatingState,
  listState,
  mapState,
  reducingState,
  type StateDescriptor,
  valueState,
} from './state/state-descriptor.ts';
export { Types } from './state/type-information.ts';
export type { TypeSerializer } from './state/type-serializer.ts';
