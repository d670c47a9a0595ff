/**
 * How a life recovers, as a hash: two cases after which the cluster does the same recover alike, and crashing in the middle of the second
 * recovery shows nothing that the first has not shown.
 *
 * What counts: leaders, restarts, what is restored, what happens to checkpoints and transactions, in order; not when.
 */
import type { HistoryEvent } from '../../sim/history/history-event.ts';
import { combineDigests } from '../../sim/kernel/digest.ts';

const TELLING: ReadonlySet<string> = new Set([
  'leadership-acquired',
  'leadership-lost',
  'job-status',
  'restart-scheduled',
  'restore-chosen',
  'task-restored',
  'checkpoint-completed',
  'checkpoint-aborted',
  'checkpoint-subsumed',
  'transaction-committed',
  'transaction-aborted',
  'object-deleted',
  'process-exited',
]);

export function recoveryHash(history: readonly HistoryEvent[]): string {
  return combineDigests([
    JSON.stringify(
      recoveryOf(history)
        .filter(({ event }) => TELLING.has(event.kind))
        .map(nameOf),
    ),
  ]);
}

/** The part of a life in which it recovers: behind its first fault, up to the second checkpoint that completes after a restore. */
export function recoveryOf(history: readonly HistoryEvent[]): readonly HistoryEvent[] {
  const after = history.findIndex(({ event }) => event.kind === 'fault-started');
  if (after < 0) return [];
  let isRestored = false;
  let completed = 0;
  for (let index = after + 1; index < history.length; index += 1) {
    const kind = history[index]?.event.kind;
    if (kind === 'restore-chosen') {
      isRestored = true;
      completed = 0;
    }
    if (isRestored && kind === 'checkpoint-completed') completed += 1;
    if (completed === 2) return history.slice(after + 1, index + 1);
  }
  return history.slice(after + 1);
}

function nameOf({ node, event }: HistoryEvent): string {
  const facts = Object.entries(event).filter(
    ([key]) => !/(?:Us|[bB]ytes)$/.test(key) && !['values', 'lineages', 'metrics'].includes(key),
  );
  return `${node} ${JSON.stringify(facts)}`;
}
