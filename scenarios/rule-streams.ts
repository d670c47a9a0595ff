/**
 * What each fault rule's streams of chance are named by: a digest of what it says, and its number among rules that say the same. So adding,
 * removing or moving a rule shifts no other rule's draws.
 */
import { combineDigests } from '../sim/kernel/digest.ts';
import { canonicalJson } from './canonical-json.ts';
import type { FaultRule } from './scenario.ts';

/** Names are a function of the rules alone; a sweep compiles one scenario a million times. */
const knownNames = new WeakMap<readonly FaultRule[], readonly string[]>();

export function streamNamesOf(rules: readonly FaultRule[]): readonly string[] {
  const known = knownNames.get(rules);
  if (known !== undefined) return known;
  const seen = new Map<string, number>();
  const names = rules.map((rule) => {
    const digest = combineDigests([canonicalJson(rule)]);
    const number = (seen.get(digest) ?? 0) + 1;
    seen.set(digest, number);
    return `${digest}#${number}`;
  });
  knownNames.set(rules, names);
  return names;
}
