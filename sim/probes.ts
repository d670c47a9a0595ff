/**
 * Rare situations that lives are to reach: those the engine knows (engine/protocol/probe-table.ts), those of outside systems that only these
 * can see, and those of faults.
 *
 * Owns: the names that simulated services report, and those of faults. Does not own: who counts.
 */
import { type Probe, PROBES } from '../engine/protocol/probe-table.ts';

const OF_SERVICES = {
  'kafka-leader-elected': 'A broker was silent for too long, and what it led is led by others (row K10).',
  'kafka-transaction-timed-out': 'A coordinator aborted a transaction that was open for too long (row K10).',
  'produce-fenced': 'A broker refused what a former producer of a transactional id wrote (row K10).',
  'produce-invalid-transaction-state': 'A broker refused a write: its transaction was not begun there (row K10).',
} as const;

/** What the world counts of its own faults (collector/writes-in-flight.ts). */
const OF_FAULTS = {
  'crash-with-state-in-flight': 'A machine died, and had not heard what became of state that it wrote.',
  'crash-with-metadata-in-flight': 'A JobManager died, and had not heard what became of the metadata of a checkpoint.',
  'crash-with-pointer-in-flight': 'A JobManager died, and had not heard whether its pointer was written.',
} as const;

export type ServiceProbe = keyof typeof OF_SERVICES;
export type WorldProbe = keyof typeof OF_FAULTS;

export const ALL_PROBES: readonly Probe[] = [
  ...PROBES,
  ...Object.entries(OF_SERVICES).map(([name, says]) => ({ name, area: 'services', says })),
  ...Object.entries(OF_FAULTS).map(([name, says]) => ({ name, area: 'faults', says })),
];

/** A situation that is not asked of sweeps. */
export interface BeyondSweeps {
  readonly why: string;
  /** Test that reaches it, by its path; undefined: nothing does. tests/tidy/probes.test.ts looks for the name there. */
  readonly reachedBy: string | undefined;
}

/** Situations that no life of a shipped scenario is asked to reach, why, and what reaches them. */
export const BEYOND_SWEEPS: Readonly<Record<string, BeyondSweeps>> = {
  'checkpoint-ids-exhausted': {
    why: 'no checkpoint completes from then on, so that no life passes',
    reachedBy: 'tests/unit/engine/high-availability/leadership.test.ts',
  },
  'trigger-periodic-scheduler-shutdown': {
    why: 'what is queued goes with the scheduler, and what waits for its id is void then; the check guards another order',
    reachedBy: undefined,
  },
  'job-lost-with-jobmanager': {
    why: 'the job is gone, and a scenario that allows it is refused',
    reachedBy: 'tests/unit/engine/high-availability/leadership.test.ts',
  },
  'restore-refused': {
    why: 'no shipped job sets other key groups than its state has',
    reachedBy: 'tests/stories/upgrades.test.ts',
  },
  'kubernetes-write-fenced': {
    why: 'a leader stops by its own clock before another one may hold the record',
    reachedBy: 'tests/unit/engine/high-availability/leadership.test.ts',
  },
  'zookeeper-write-fenced': {
    why: 'with its session the node of a leader ends, and a request of that session is refused before',
    reachedBy: 'tests/unit/engine/high-availability/leadership.test.ts',
  },
  'takeover-superseded': {
    why: 'a leader stops by its own clock before another one may claim the pointer',
    reachedBy: 'tests/unit/engine/jobmanager/leader-takeover.test.ts',
  },
  'directory-not-empty': {
    why: 'a writer would have to be late by just the time between a list and a removal',
    reachedBy: 'tests/unit/engine/storage/file-storage.test.ts',
  },
  'produce-invalid-transaction-state': {
    why: 'a coordinator raises the epoch of what it aborts; a mutant that does not gets there',
    reachedBy: 'tests/properties/kafka-transactions.test.ts',
  },
};

/** What a service reports. */
export interface ServiceProbeEvent {
  readonly kind: 'probe';
  readonly probe: ServiceProbe;
}

export function serviceProbe(out: { report(event: ServiceProbeEvent): void }, name: ServiceProbe): void {
  out.report({ kind: 'probe', probe: name });
}
