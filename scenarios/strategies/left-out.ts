/**
 * Scenarios that a strategy has nothing to say of: what it changes takes away what the scenario promises, so that a failing life would be no
 * bug. A scenario says so itself (`notFor`), or it follows from what it says.
 */
import type { Scenario } from '../scenario.ts';
import type { StrategyName } from './strategy-names.ts';

/** They crash machines, whatever faults the scenario has. */
const CRASHING: readonly StrategyName[] = ['crashpoints', 'lineage'];

/** Why, for people; undefined: the strategy may search this scenario. */
export function whyLeftOut({ notFor, engine }: Scenario, strategy: StrategyName): string | undefined {
  const said = notFor?.[strategy];
  if (said !== undefined) return said;
  return CRASHING.includes(strategy) ? whyNotUntold({ engine }) : undefined;
}

/** Why it may not be lived under the faults of another scenario (untold.ts), which crash machines; undefined: it may. */
export function whyNotUntold({ engine }: Pick<Scenario, 'engine'>): string | undefined {
  return engine.restart.strategy === 'none' ? 'a job that is never restarted does not outlive a crash' : undefined;
}
