/**
 * Rare situations that lives are to reach: those the engine knows (engine/protocol/probe-table.ts), and those of outside systems that only these
 * can see.
 *
 * Owns: the names that simulated services report. Does not own: who counts.
 */
import { type Probe, PROBES } from '../engine/protocol/probe-table.ts';

const OF_SERVICES = {
  'kafka-leader-elected': 'A broker was silent for too long, and what it led is led by others (row K10).',
  'kafka-transaction-timed-out': 'A coordinator aborted a transaction that was open for too long (row K10).',
  'produce-fenced': 'A broker refused what a former producer of a transactional id wrote (row K10).',
  'produce-invalid-transaction-state': 'A broker refused a write: its transaction was not begun there (row K10).',
} as const;

export type ServiceProbe = keyof typeof OF_SERVICES;

export const ALL_PROBES: readonly Probe[] = [
  ...PROBES,
  ...Object.entries(OF_SERVICES).map(([name, says]) => ({ name, area: 'services', says })),
];

/** What a service reports. */
export interface ServiceProbeEvent {
  readonly kind: 'probe';
  readonly probe: ServiceProbe;
}

export function serviceProbe(out: { report(event: ServiceProbeEvent): void }, name: ServiceProbe): void {
  out.report({ kind: 'probe', probe: name });
}
