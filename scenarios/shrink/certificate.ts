/**
 * The certificate of a shrunk plan: each fault and each choice that is left, and the plan without it. Lived, they show that every one of
 * them is necessary.
 */
import { faultLabel } from '../../sim/faults/fault.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { JobDefinition } from '../jobs/job-definition.ts';
import { choicesOf, withOnly } from './choices-of-plan.ts';
import { scheduleQuestions } from './schedule-edits.ts';

export interface CertificateEntry {
  /** What was left out, in words. */
  readonly without: string;
  /** `judge/anomaly` of the life without it; empty: it passes. */
  readonly signature: string;
  /** The life fails in the same way, but without its faults the standard engine fails, too: such a world says nothing. */
  readonly isImpossible?: true;
}

export interface CertificateQuestion {
  readonly without: string;
  readonly plan: SimulationPlan;
}

export function certificateOf(plan: SimulationPlan, jobs?: readonly JobDefinition[]): CertificateQuestion[] {
  const faults = plan.faults.map((fault) => ({
    without: `fault ${fault.id} (${faultLabel(fault)})`,
    plan: { ...plan, faults: plan.faults.filter(({ id }) => id !== fault.id) },
  }));
  const all = choicesOf(plan, jobs);
  const choices = all.map((choice) => ({
    without: `${choice.path}: ${JSON.stringify(choice.value)}`,
    plan: withOnly(
      plan,
      all,
      all.filter((other) => other !== choice),
    ),
  }));
  return [...faults, ...choices, ...scheduleQuestions(plan), ...chanceOf(plan)];
}

/** Sites that draw, and choices that are fixed. */
function chanceOf(plan: SimulationPlan): CertificateQuestion[] {
  const { drawnSites = [], fixedChoices = [] } = plan;
  const sites = drawnSites.map((site) => ({
    without: `chance of ${site}`,
    plan: { ...plan, drawnSites: drawnSites.filter((other) => other !== site) },
  }));
  const fixed = fixedChoices.map((choice) => ({
    without: `choice ${choice.nth} of ${choice.site}: ${choice.option}`,
    plan: { ...plan, fixedChoices: fixedChoices.filter((other) => other !== choice) },
  }));
  return [...sites, ...fixed];
}
