/**
 * Stretches of a life in which checkpoints did nothing but what they should: one sentence, whatever happened in them.
 *
 * I1: what is told anyway (findings, decisive events, checkpoints that the findings are about) ends a stretch and is not in it.
 */
import type { HistoryEvent } from '../../sim/history/history-event.ts';

/** Checkpoints that went by without incident, in place of their events. */
export interface RoutineStretch {
  readonly begin: HistoryEvent;
  readonly first: number;
  readonly last: number;
}

export type Told = HistoryEvent | RoutineStretch;

/** What happens in every checkpoint, and between them. */
const ROUTINE: ReadonlySet<string> = new Set([
  'checkpoint-triggered',
  'coordinator-snapshot-taken',
  'operator-event-sent',
  'trigger-received',
  'barrier-received',
  'alignment-started',
  'alignment-done',
  'barrier-sent',
  'snapshot-taken',
  'state-write-sent',
  'file-opened',
  'object-stored',
  'object-deleted',
  'acknowledge-sent',
  'acknowledge-received',
  'all-acknowledged',
  'metadata-write-sent',
  'pointer-write-sent',
  'coordination-updated',
  'checkpoint-completed',
  'checkpoint-subsumed',
  'notify-complete-sent',
  'notify-complete-received',
  'transaction-opened',
  'transaction-pre-committed',
  'commit-sent',
  'transaction-committed',
  'kafka-transaction',
  'output-appended',
  'message-discarded',
  'probe',
]);

/** `isTold`: in any case, as it is. `isSilent`: it would have no sentence. */
export function withoutRoutine(
  history: readonly HistoryEvent[],
  isTold: (entry: HistoryEvent) => boolean,
  isSilent: (entry: HistoryEvent) => boolean,
): Told[] {
  const told: Told[] = [];
  let stretch: HistoryEvent[] = [];
  const close = (): void => {
    told.push(...condensed(stretch));
    stretch = [];
  };
  for (const entry of history) {
    const isRoutine = !isTold(entry) && (ROUTINE.has(entry.event.kind) || isSilent(entry));
    if (!isRoutine) close();
    // A stretch begins with a trigger: what is left of an earlier checkpoint is told.
    if (isRoutine && (stretch.length > 0 || entry.event.kind === 'checkpoint-triggered')) stretch.push(entry);
    else told.push(entry);
  }
  close();
  return told;
}

/** One sentence up to the first checkpoint that was begun and not completed before another one like it: from there on all is told. */
function condensed(stretch: readonly HistoryEvent[]): Told[] {
  let routine = stretch;
  for (;;) {
    const completed = completedIn(routine);
    const open = routine.findIndex(
      ({ event }) => event.kind === 'checkpoint-triggered' && !completed.includes(event.checkpointId),
    );
    const [begin] = routine;
    const [first, last] = [completed[0], completed.at(-1)];
    if (begin === undefined || first === undefined || last === undefined) return [...stretch];
    if (open < 0) return [{ begin, first, last }, ...stretch.slice(routine.length)];
    routine = routine.slice(0, open);
  }
}

const completedIn = (stretch: readonly HistoryEvent[]): number[] =>
  stretch.flatMap(({ event }) => (event.kind === 'checkpoint-completed' ? [event.checkpointId] : []));
