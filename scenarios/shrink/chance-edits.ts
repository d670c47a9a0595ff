/**
 * Less chance: first whole sites draw no more, then what is left of their draws becomes a list of choices that the plan fixes, and of that
 * the fewest stay (guided replay: a fixed choice that no longer fits, because the life has become another one, is the boring one).
 *
 * Owns: the edits. Does not own: what a site is (sim/kernel/choice.ts).
 * I1: a plan with fixed choices needs no stream of chance: it means the same although generators change.
 */
import type { FixedChoice } from '../../sim/kernel/choice.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { fewestOf } from './delta-debugging.ts';
import { firstOf, type Search } from './search.ts';
import { smallerNumbers } from './smaller-numbers.ts';

/** Draws among which the few that matter are sought. */
const SOUGHT_MAX = 1_000;
/** More than this a person would not read: the sites go on drawing. */
const FIXED_MAX = 20;

/** Sites that were asked and may draw, and only these. */
export function* fewerSites(plan: SimulationPlan, asked: readonly string[]): Search<SimulationPlan | undefined> {
  const fixed = new Set(plan.fixedChoices?.map(({ site }) => site));
  const drawn = asked.filter((site) => !fixed.has(site) && (plan.drawnSites?.includes(site) ?? true));
  const of = (kept: readonly string[]): SimulationPlan => ({ ...plan, drawnSites: kept });
  const kept = yield* fewestOf(drawn, of);
  return kept.length === drawn.length && plan.drawnSites !== undefined ? undefined : of(kept);
}

/** The draws of the sites that are left, as fixed choices; `taken` is what they drew in the plan's own life. */
export function* fixedDraws(plan: SimulationPlan, taken: readonly FixedChoice[]): Search<SimulationPlan | undefined> {
  if (taken.length > SOUGHT_MAX) return undefined;
  const all = [...(plan.fixedChoices ?? []), ...taken];
  const found = yield* firstOf([withFixed(plan, all)]);
  if (found === undefined) return undefined;
  const kept = yield* fewestOf(all, (some) => withFixed(plan, some));
  return kept.length > FIXED_MAX ? undefined : withFixed(plan, kept);
}

/** Fewer fixed choices, and nearer to the boring option. */
export function* fewerFixed(plan: SimulationPlan): Search<SimulationPlan | undefined> {
  const fixed = plan.fixedChoices ?? [];
  if (fixed.length === 0) return undefined;
  const kept = yield* fewestOf(fixed, (some) => withFixed(plan, some));
  if (kept.length < fixed.length) return withFixed(plan, kept);
  return yield* firstOf(
    fixed.flatMap((choice, index) =>
      smallerNumbers(choice.option, 1).map((option) => withFixed(plan, fixed.with(index, { ...choice, option }))),
    ),
  );
}

/** Nothing draws any more, so chance takes no other course either. */
function withFixed(plan: SimulationPlan, choices: readonly FixedChoice[]): SimulationPlan {
  const { fixedChoices: _, branches: __, ...rest } = plan;
  return { ...rest, drawnSites: [], ...(choices.length === 0 ? {} : { fixedChoices: choices }) };
}
