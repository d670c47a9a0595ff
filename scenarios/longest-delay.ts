/**
 * How long what belongs to a checkpoint may wait for it, or for a job that comes back to it: its interval, its timeout, and the longest downtime
 * that one fault of the scenario makes. What outside systems give up earlier is lost (timeout-trap.ts, retention-trap.ts). Pure.
 */
import { unreachable } from '../engine/foundation/assert.ts';
import { longestNemesisUs } from './nemeses/nemesis.ts';
import type { FaultAction, Scenario } from './scenario.ts';

const US_PER_S = 1_000_000;

export interface LongestDelay {
  readonly us: number;
  /** For people: what it is made of. */
  readonly parts: string;
}

export function longestDelay({ engine, faults }: Pick<Scenario, 'engine' | 'faults'>): LongestDelay {
  const { intervalUs, timeoutUs } = engine.checkpoint;
  const downtimeUs = faults.reduce((longest, { action }) => Math.max(longest, downtimeOf(action, engine)), 0);
  return {
    us: intervalUs + timeoutUs + downtimeUs,
    parts: `checkpoint interval and timeout and a downtime of ${secondsText(downtimeUs)}`,
  };
}

export const secondsText = (us: number): string => `${us / US_PER_S} s`;

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
    case 'power-loss':
      return action.restartAfterUs.high;
    case 'nemesis':
      return longestNemesisUs(action, engine.runtime);
    case 'throw':
    case 'disk-damage':
    case 'clock-step':
    case 'clock-drift':
    case 'reset':
    case 'operation':
      return 0;
    default:
      return unreachable(action);
  }
}
