/** What an operator of patterns may get wrong of its state: what leaves it, and what was never in it. */
import { type EventQueue, standardPatternRules } from '../../engine/operators/cep/pattern-operator.ts';
import type { StateKey } from '../../engine/job/functions.ts';
import type { KeyedStateBackend } from '../../engine/state/keyed-state-backend.ts';
import { type Mutant, withWrong } from './mutant.ts';

export const cepPartialMatchesNotClearedAtTimeout: Mutant = {
  slug: 'cep-partial-matches-not-cleared-at-timeout',
  bug: 'FLINK-7606',
  story: 'Partial matches whose time is over stay in state, and go on to match.',
  parts: withWrong({ patterns: { ...standardPatternRules, isTimedOut: () => false } }),
  scenario: 'trade-monitoring',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state'],
};

export const cepBufferNotInState: Mutant = {
  slug: 'cep-buffer-not-in-state',
  bug: 'Issue 4, section 1',
  story: 'Events that wait for their turn lie in a field of the operator, so a restore loses them.',
  parts: withWrong({ patterns: { ...standardPatternRules, eventQueue: (_inState, backend) => inMemory(backend) } }),
  scenario: 'trade-monitoring',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state'],
};

export const cepEventsAsTheyCame: Mutant = {
  slug: 'cep-events-as-they-came',
  bug: 'own (decision 0092)',
  story: 'Events of one time are taken in the order in which channels deliver them, which a replay does not repeat.',
  parts: withWrong({ patterns: { ...standardPatternRules, equalTimes: 'as-they-came' } }),
  scenario: 'trade-monitoring',
  judges: ['consistent-cut', 'exactly-once-output', 'exactly-once-state'],
};

function inMemory(backend: KeyedStateBackend): EventQueue {
  const byKey = new Map<StateKey, Map<number, unknown[]>>();
  const ofKey = (): Map<number, unknown[]> => {
    const key = backend.currentKey;
    const known = byKey.get(key) ?? new Map<number, unknown[]>();
    byKey.set(key, known);
    return known;
  };
  return {
    get: (time) => ofKey().get(time),
    put: (time, events) => void ofKey().set(time, events),
    remove: (time) => void ofKey().delete(time),
    contains: (time) => ofKey().has(time),
    entries: () => [...ofKey()],
    keys: () => [...ofKey().keys()],
    isEmpty: () => ofKey().size === 0,
    clear: () => ofKey().clear(),
  };
}
