/**
 * The timeout trap of transactional sinks (row K11): a transaction that is pre-committed and not yet committed when brokers give it up is lost,
 * although its checkpoint is complete. Whether a scenario makes that possible, said before anything is lived. Pure.
 */
import { unreachable } from '../engine/foundation/assert.ts';
import { longestNemesisUs } from './nemeses/nemesis.ts';
import type { FaultAction, Scenario } from './scenario.ts';

const US_PER_S = 1_000_000;

/** A sentence for people; undefined: no fault of the scenario lasts long enough. */
export function timeoutTrap({
  sink,
  engine,
  faults,
}: Pick<Scenario, 'sink' | 'engine' | 'faults'>): string | undefined {
  if (sink?.kind !== 'kafka') return undefined;
  const { intervalUs, timeoutUs } = engine.checkpoint;
  const downtimeUs = longestDowntimeUs({ engine, faults });
  const openUs = intervalUs + timeoutUs + downtimeUs;
  if (sink.transactionTimeoutUs > openUs) return undefined;
  const [timeout, open, down] = [sink.transactionTimeoutUs, openUs, downtimeUs].map((us) => `${us / US_PER_S} s`);
  return (
    `transactions time out after ${timeout}, but may be open for ${open}: checkpoint interval and timeout and a downtime of ${down}. ` +
    'What is pre-committed then is lost; sink.transactionTimeout should be longer.'
  );
}

/** Of the scenario's faults, one at a time. */
export const longestDowntimeUs = ({ engine, faults }: Pick<Scenario, 'engine' | 'faults'>): number =>
  faults.reduce((longest, { action }) => Math.max(longest, downtimeOf(action, engine)), 0);

/** How long one strike may keep a job from an outside system. */
function downtimeOf(action: FaultAction, engine: Scenario['engine']): number {
  switch (action.kind) {
    case 'crash':
      return action.restartAfterUs === 'never' ? 0 : action.restartAfterUs.high;
    case 'pause':
    case 'slow-cpu':
    case 'partition':
    case 'cut':
    case 'hold':
    case 'delay':
    case 'loss':
    case 'duplicate':
    case 'reorder':
    case 'slow-link':
    case 'service':
      return action.forUs.high;
    case 'hang':
      return action.hangUs.high;
    case 'out-of-memory':
      return action.restartAfterUs.high;
    case 'nemesis':
      return longestNemesisUs(action, engine.runtime);
    case 'throw':
    case 'disk-damage':
    case 'power-loss':
    case 'clock-step':
    case 'clock-drift':
    case 'reset':
    case 'operation':
      return 0;
    default:
      return unreachable(action);
  }
}
