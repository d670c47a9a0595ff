/**
 * The two events whose order decides: the failing life and a life that passes, the same up to an event and with chance redrawn at as few
 * sites as possible behind it. Where they part, one event comes first here and another one there.
 *
 * Hermit's last mile ("schedule bisection"): from a failing and a passing schedule to one swap.
 */
import type { HistoryEvent } from '../../sim/history/history-event.ts';

export interface CriticalPair {
  /** Comes first where it fails. */
  readonly first: HistoryEvent;
  /** Comes first where it passes; at its place in the failing life, or in the passing one when it never comes there. */
  readonly second: HistoryEvent;
  /** Sites whose other chance is enough to pass. */
  readonly sites: readonly string[];
  /** Both events happen in both lives: only their order differs. */
  readonly isSwap: boolean;
}

/** Where two histories part, behind what they have in common. */
export function parting(
  failingLife: readonly HistoryEvent[],
  passingLife: readonly HistoryEvent[],
): Omit<CriticalPair, 'sites'> | undefined {
  const [failing, passing] = [failingLife.filter(isTelling), passingLife.filter(isTelling)];
  const [failingNames, passingNames] = [failing.map(eventName), passing.map(eventName)];
  const place = failingNames.findIndex((name, index) => passingNames[index] !== name);
  const [first, second] = [failing[place], passing[place]];
  if (first === undefined || second === undefined) return undefined;
  const secondInFailing = failing[failingNames.indexOf(passingNames[place] ?? '', place)];
  const isSwap = secondInFailing !== undefined && passingNames.includes(failingNames[place] ?? '', place);
  return { first, second: secondInFailing ?? second, isSwap };
}

/** Leases are renewed and ids taken by the clock; that a life goes on longer than the other is no order, and a probe only looks at one. */
const isTelling = ({ event }: HistoryEvent): boolean =>
  event.kind !== 'phase' &&
  event.kind !== 'probe' &&
  !(event.kind === 'coordination-updated' && CLOCKWORK_KEY.test(event.key));

const CLOCKWORK_KEY = /\/(?:leader|checkpoint-id)$/;

/** How much there was of it: another time gives another amount. */
const CONTENTS: ReadonlySet<string> = new Set(['metrics', 'values', 'lineages', 'value', 'version']);

/** What happened, without when: the same event of two lives has one name. */
function eventName({ node, event }: HistoryEvent): string {
  const { kind, ...rest } = event;
  // What depends on when it happened is no part of what happened.
  const facts = Object.entries(rest).filter(([key]) => !/(?:Us|[bB]ytes)$/.test(key) && !CONTENTS.has(key));
  return `${node} ${kind} ${JSON.stringify(facts)}`;
}
