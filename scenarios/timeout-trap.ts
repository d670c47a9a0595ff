/**
 * The timeout trap of transactional sinks (row K11): a transaction that is pre-committed and not yet committed when brokers give it up is lost,
 * although its checkpoint is complete. Whether a scenario makes that possible, said before anything is lived. Pure.
 */
import { longestDelay, secondsText } from './longest-delay.ts';
import type { Scenario } from './scenario.ts';

/** A sentence for people; undefined: no fault of the scenario lasts long enough. */
export function timeoutTrap({
  sink,
  engine,
  faults,
}: Pick<Scenario, 'sink' | 'engine' | 'faults'>): string | undefined {
  if (sink?.kind !== 'kafka') return undefined;
  const open = longestDelay({ engine, faults });
  if (sink.transactionTimeoutUs > open.us) return undefined;
  const timeout = secondsText(sink.transactionTimeoutUs);
  return (
    `transactions time out after ${timeout}, but may be open for ${secondsText(open.us)}: ${open.parts}. ` +
    'What is pre-committed then is lost; sink.transactionTimeout should be longer.'
  );
}
