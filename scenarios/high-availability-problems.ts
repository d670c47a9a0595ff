/**
 * What a scenario may not ask of its high availability: faults of another service, and survival without any.
 *
 * Where seeds draw the service, a fault that only one of them has is in the lives that drew that one.
 */
import type { HighAvailabilityConfiguration } from '../engine/protocol/configuration.ts';
import type { Fault } from '../sim/faults/fault.ts';
import { SERVICE_NODES } from '../sim/node-names.ts';
import type { FaultAction } from './scenario.ts';

/** Which service has what only one has. */
const HOME = { 'session-expiry': 'zookeeper', 'watch-loss': 'kubernetes' } as const;

interface Asked {
  readonly highAvailability: HighAvailabilityConfiguration;
  readonly cluster: { readonly jobManagers: number };
  readonly faults: readonly { readonly action: FaultAction }[];
  /** As written: seeds may draw another kind. */
  readonly swarm?: Readonly<Record<string, unknown>> | undefined;
}
/** A `SectionProblem` of schema.ts. */
interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly expected: string;
}

/** The service that alone has such a fault; undefined: any has, or it is none of a service. */
function homeOf(action: FaultAction | Fault): 'zookeeper' | 'kubernetes' | undefined {
  const isSpecial = action.kind === 'service' && (action.effect === 'session-expiry' || action.effect === 'watch-loss');
  return isSpecial ? HOME[action.effect] : undefined;
}

/** Whether a fault can strike where this service elects, and sinks write there. */
export function isAtHome(
  action: FaultAction | Fault,
  kind: HighAvailabilityConfiguration['kind'],
  sink: string | undefined,
): boolean {
  const home = homeOf(action);
  const isThere = home === undefined || home === kind;
  return isThere && (sink === 'kafka' || !isOfKafka(action)) && (sink === 'file' || !isOfOutputFiles(action));
}

/** A fault that only brokers of transactions have. */
export const isOfKafka = (action: FaultAction | Fault): boolean =>
  action.kind === 'service' && action.effect === 'fence';

/** A fault that only a storage of output files has. */
export const isOfOutputFiles = (action: FaultAction | Fault): boolean =>
  action.kind === 'power-loss' && ('node' in action ? action.node === SERVICE_NODES.sink : action.service === 'sink');

export function highAvailabilityProblems(input: Asked): Problem[] {
  const { kind } = input.highAvailability;
  const drawn = JSON.stringify(input.swarm?.['highAvailability'] ?? []);
  const problems = input.faults.flatMap(({ action }, index): Problem[] => {
    const home = homeOf(action);
    if (action.kind === 'service' && home !== undefined) {
      if (home === kind || drawn.includes(`"${home}"`)) return [];
      const message = `there is no ${action.effect} with highAvailability: ${kind}`;
      return [{ path: ['faults', index, action.service], message, expected: `highAvailability: ${home}` }];
    }
    if (kind !== 'none' || !mayEndJobManager(action)) return [];
    const message = 'without high availability the job ends with its JobManager';
    return [
      {
        path: ['faults', index, action.kind],
        message,
        expected: 'another target, or highAvailability that survives it',
      },
    ];
  });
  if (kind === 'none' && input.cluster.jobManagers !== 1) {
    const message = `${input.cluster.jobManagers} JobManagers without high availability would each run the job`;
    problems.push({ path: ['cluster', 'jobManagers'], message, expected: '1, or another highAvailability' });
  }
  return problems;
}

/** Without high availability such a fault ends the job. */
export function mayEndJobManager(action: FaultAction): boolean {
  if (action.kind === 'nemesis') return true;
  if (action.kind !== 'crash' && action.kind !== 'out-of-memory') return false;
  return (
    ['jobmanager', 'jobmanagers', 'machine', 'all'].includes(action.target) || action.target.startsWith('jobmanager-')
  );
}
