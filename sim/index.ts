/**
 * The door of the simulator: a plan goes in, a run record comes out.
 */
export { CHECKPOINT_POINTS, type CheckpointPoint, FAULT_POINTS, type FaultPoint } from './faults/checkpoint-point.ts';
export type { Fault, FaultKind, FaultTrigger } from './faults/fault.ts';
export type { HistoryEvent, WorldEvent } from './history/history-event.ts';
export type { Dataset, JobAudit } from './judges/job-audit.ts';
export type { DurableState, EndOfLife, Judge } from './judges/judge.ts';
export type { RunVerdict, Verdict } from './judges/verdict.ts';
export { HARDWARE_PROFILES, profileNamed } from './node/hardware-profile.ts';
export type { SimulationPlan, TopicPlan } from './plan.ts';
export { type PreparedJob, prepareJob } from './prepared-job.ts';
export type {
  CheckpointRecord,
  FaultRecord,
  RestoreRecord,
  RunRecord,
  SubtaskRecord,
  TimelineRecord,
} from './run-record.ts';
export { type SimulationInputs, type SimulationOptions, simulate } from './simulate.ts';
