/**
 * How near a life came to a violation: per judge the smallest distance seen to the line that it draws.
 *
 * A sweep in which nothing is violated says little of how much was missing. A margin that is small in one life in ten thousand says where
 * to look, and one that is never small says what the sweep does not test.
 *
 * Owns: the list of margins, and the least of each. Does not own: the distances (the judges know them).
 * Invariants:
 *   I1 less is nearer; 0 is the line itself. What lies beyond it is below 0, and a finding unless the margin's sentence says otherwise;
 *   I2 a margin that does not apply to a life is absent, never 0;
 *   I3 an observation makes an object only if it is the least so far.
 */

export interface MarginSpec {
  readonly name: string;
  readonly judge: string;
  readonly unit: 'us' | 'count';
  /** What is measured. */
  readonly says: string;
}

const OF_JUDGES = {
  'exactly-once-output': {
    'commit-before-timeout': [
      'us',
      'What was left of its time-out when a transaction was committed. Below 0, and no finding: whoever aborts it had not looked yet.',
    ],
  },
  'exactly-once-state': {
    'restore-before-release': ['us', 'From the restore of a subtask to when its checkpoint left the pointer.'],
  },
  'consistent-cut': {
    'snapshot-before-next-barrier': ['us', 'From a snapshot of a subtask to its first barrier of the next checkpoint.'],
  },
  'checkpoint-lifecycle': {
    'expiry-after-completion': [
      'us',
      'What was left of its time-out when a checkpoint completed. Below 0, and no finding: the write that decides was under way.',
    ],
    'announced-after-durable': ['us', 'From the pointer naming a checkpoint to its notices and commits.'],
    'restart-after-durable': ['us', 'From the pointer naming a checkpoint to a restart that restores it.'],
  },
  retention: {
    'deletion-after-release': ['us', 'From when the pointer named a checkpoint no more to the deletion of its files.'],
    'deletion-after-restore': ['us', 'From the last restore from a checkpoint to the deletion of its files.'],
  },
  fencing: {
    'last-act-before-end': ['us', 'From the last act of a leader to when it had to have stopped.'],
    'commit-before-successor': [
      'us',
      'From the last commit of a producer to when a newer attempt began to write in its place.',
    ],
  },
  finishing: {
    'end-after-final-checkpoint': ['us', 'From when its final checkpoint was durable to the end of a subtask.'],
  },
  notifications: {
    'between-notices': ['us', 'Between two notices to one subtask: what a delay would have to be to swap them.'],
  },
  savepoints: {
    'told-after-durable': ['us', 'From when a savepoint was durable to when its client was told.'],
  },
  requests: {
    'told-after-recorded': [
      'us',
      'From the record of a start, or of a stop, to when its client was told that it is done.',
    ],
  },
  'restore-audit': {
    'snapshots-restored': ['count', 'Snapshots that could be restored at the end.'],
  },
  'state-expiry': {
    'access-from-expiry': ['us', 'Between an access to an entry and the moment at which it expires.'],
  },
  ledgers: {
    'number-after-set-back': ['us', 'From when an outside ledger was set back to the next number that it gave.'],
  },
  bounds: {
    'backlog-room': [
      'count',
      'Buffers that the pool of a producer, with its overdraft, still had room for when most elements waited in one queue. Below 0, and no finding: events, what was restored, or the one record in progress.',
    ],
  },
  progress: {
    'time-left': ['us', 'What was left of the liveness phase when all was done.'],
    'trigger-due': ['us', 'What was left of the time within which an undisturbed job is due a checkpoint.'],
    'restarts-left': ['count', 'Restarts that were left, since the last fault, before they count as a loop.'],
    'restart-attempts-left': ['count', 'Failures that the restart strategy would still have restarted the job after.'],
    'failed-checkpoints-left': ['count', 'Failed checkpoints in a row that would still have been tolerated.'],
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, readonly ['us' | 'count', string]>>>>;

type NamesOf<J> = J extends keyof typeof OF_JUDGES ? `${J}/${keyof (typeof OF_JUDGES)[J] & string}` : never;
/** `judge/margin`. */
export type MarginName = NamesOf<keyof typeof OF_JUDGES>;

export const MARGINS: readonly MarginSpec[] = Object.entries(OF_JUDGES).flatMap(([judge, margins]) =>
  Object.entries(margins).map(([name, [unit, says]]) => ({ name: `${judge}/${name}`, judge, unit, says })),
);

export interface Margin {
  readonly value: number;
  /** Index in the history of what came nearest; -1: the end of the life. */
  readonly at: number;
}

export class Margins {
  readonly #least = new Map<MarginName, Margin>();

  /** `at`: index in the history. */
  near(name: MarginName, value: number, at: number): void {
    const known = this.#least.get(name);
    if (known === undefined || value < known.value) this.#least.set(name, { value, at });
  }

  /** In the order of the list. */
  all(): Readonly<Record<string, Margin>> {
    const entries = MARGINS.flatMap(({ name }): [string, Margin][] => {
      const margin = this.#least.get(name as MarginName);
      return margin === undefined ? [] : [[name, margin]];
    });
    return Object.fromEntries(entries);
  }
}
