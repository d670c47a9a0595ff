/** How long a write may still be on its way (rows T6, U11). */
import { type Micros, micros } from '../foundation/time.ts';
import type { EngineConfiguration } from '../protocol/configuration.ts';

/**
 * How long after nobody waits for it any more a write may still arrive. A task ends without waiting for the writes of a checkpoint that was given
 * up, a write that was repeated happens a second time, and a TaskManager that was lost because it stood still writes when it goes on: who is silent
 * for the first time-out is lost, and gets another one to come back. Whoever stands still for longer leaves a file, which Flink does in any case.
 */
export const lateWriteUs = ({ runtime }: EngineConfiguration): Micros => micros(2 * runtime.heartbeatTimeoutUs);
