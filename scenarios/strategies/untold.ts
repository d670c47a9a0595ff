/**
 * A scenario without its story: its job, options and operations under the faults of another scenario, those of a general storm. How well
 * a strategy searches shows only where nobody has told it when to strike. What people do to the job is its own, not the storm's.
 */
import { isAtHome, mayEndJobManager } from '../high-availability-problems.ts';
import type { FaultRule, FaultTime, Scenario } from '../scenario.ts';
import { withFaults } from '../swarm.ts';

/** `storm`: whose fault rules; what strikes again and again there does so as often in a shorter or longer storm. */
export function untold(scenario: Scenario, storm: Scenario): Scenario {
  const { kind } = scenario.engine.highAvailability;
  const { stormUs } = scenario.liveness;
  const rules = storm.faults
    .filter(
      ({ action }) =>
        action.kind !== 'operation' &&
        isAtHome(action, kind, scenario.sink?.kind) &&
        !(kind === 'none' && mayEndJobManager(action)),
    )
    .map((rule): FaultRule => ({ ...rule, time: scaled(rule.time, stormUs, storm.liveness.stormUs) }));
  const operations = scenario.faults.filter(({ action }) => action.kind === 'operation');
  return withFaults(scenario, [...operations, ...rules]);
}

function scaled(time: FaultTime, toUs: number, fromUs: number): FaultTime {
  if (time.kind !== 'every') return time;
  const part = (us: number): number => Math.floor((us * toUs) / fromUs);
  const { low, high } = time.gapUs;
  return { ...time, gapUs: { low: part(low), high: part(high) }, afterUs: part(time.afterUs) };
}
