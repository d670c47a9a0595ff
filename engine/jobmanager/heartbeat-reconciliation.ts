/**
 * What a heartbeat's list says about an execution (rows F4, F19; Flink: ExecutionDeploymentReconciler).
 *
 * Owns: the count of heartbeats in a row that missed it. The list is the truth, the messages only make it quick.
 */
import type { ExecutionAttemptId } from '../foundation/ids.ts';
import type { ListedExecution } from '../protocol/messages.ts';
import type { Execution } from './execution-graph.ts';

/** Heartbeats in a row that may miss an execution before it counts as gone: one may have been under way already. */
const MISSED_HEARTBEATS_MAX = 2;

export type Reconciliation =
  /** As it should be. */
  | 'agreed'
  /** It never arrived there, as far as one can tell: deploy it again. */
  | 'missing'
  /** It has ended, or its process has. */
  | 'gone'
  | 'runs'
  | 'finished'
  | 'failed';

export function reconcile(
  execution: Execution,
  found: { readonly incarnation: number; readonly listed: ReadonlyMap<ExecutionAttemptId, ListedExecution> },
): Reconciliation {
  // What has finished may be released, and needs its process no more.
  if (execution.state === 'finished') return 'agreed';
  if (execution.incarnation !== found.incarnation) return 'gone';
  const state = found.listed.get(execution.attempt)?.state;
  if (state === undefined) {
    execution.missed += 1;
    if (execution.state === 'deploying') return 'missing';
    return execution.missed >= MISSED_HEARTBEATS_MAX ? 'gone' : 'agreed';
  }
  execution.missed = 0;
  if (execution.state === 'canceling') return 'agreed';
  if (state === 'failed' || state === 'finished') return state;
  return state === 'running' && execution.state !== 'running' ? 'runs' : 'agreed';
}
