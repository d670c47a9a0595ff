/**
 * The door of the engine: what one needs to write a job. The actors that run it are wired by their own paths (sim/cluster).
 */
export {
  ConnectedStreams,
  DataStream,
  KeyedConnectedStreams,
  KeyedStream,
  type SinkOptions,
  WindowedStream,
} from './api/data-stream.ts';
export { DataStreamSink } from './api/data-stream-sink.ts';
export { InvalidJob } from './api/invalid-job.ts';
export {
  type EnvironmentOptions,
  type JobCheckpointing,
  type LogSourceOptions,
  type SplitSourceOptions,
  StreamExecutionEnvironment,
} from './api/stream-execution-environment.ts';
export { WatermarkStrategy } from './api/watermark-strategy.ts';
export { CEP, Pattern, type PatternStream } from './api/cep.ts';
export type { AfterMatch, Contiguity, Matched, PatternSpec, PatternStage } from './job/patterns.ts';
export {
  ContinuousEventTimeTrigger,
  ContinuousProcessingTimeTrigger,
  CountTrigger,
  EventTimeSessionWindows,
  EventTimeTrigger,
  ProcessingTimeSessionWindows,
  ProcessingTimeTrigger,
  PurgingTrigger,
  SlidingEventTimeWindows,
  SlidingProcessingTimeWindows,
  TumblingEventTimeWindows,
  TumblingProcessingTimeWindows,
  type WindowFunction,
} from './api/windows.ts';
export type { TimeWindow, TriggerSpec, WindowAssignerSpec, WindowContext } from './job/windows.ts';
export type {
  Collector,
  ElementContext,
  FunctionSpec,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  OnTimerContext,
  RuntimeContext,
  StateKey,
  TimerService,
} from './job/functions.ts';
export { OutputTag, SuppressRestarts } from './job/functions.ts';
export type { HookDone, MasterHookSpec, MasterTriggerRestoreHook } from './job/master-hook.ts';
export type { JobEdge, JobGraph, JobVertex, OperatorSpec, SinkSpec, SourceSpec } from './job/job-graph.ts';
export type { WatermarkGenerator, WatermarkOutput, WatermarkSpec } from './job/watermarks.ts';
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
export type { Committable, CommittableMessage } from './connectors/sink/sink-contract.ts';
