/** What makes the schedule of a plan simpler: no priorities of messages, fewer changes of them, smaller delays; fewer turns of chance. */
import type { SimulationPlan } from '../../sim/plan.ts';
import { smallerNumbers } from './smaller-numbers.ts';

/** What is left out, in words, and the plan without it. */
export interface SimplerSchedule {
  readonly without: string;
  readonly plan: SimulationPlan;
}

/** Boldest first; each is simpler by an order that has no cycles (parts, then numbers). */
export function simplerSchedules(plan: SimulationPlan): SimulationPlan[] {
  return [...scheduleQuestions(plan).map((question) => question.plan), ...smallerDelays(plan)];
}

/** The plan without its priorities, and without each single part of its schedule. */
export function scheduleQuestions(plan: SimulationPlan): SimplerSchedule[] {
  const { priorities, branches = [], ...rest } = plan;
  const kept = branches.length === 0 ? {} : { branches };
  const questions: SimplerSchedule[] = [];
  if (priorities !== undefined) {
    questions.push({ without: 'priorities of messages', plan: { ...rest, ...kept } });
    for (const step of priorities.changeSteps) {
      const changeSteps = priorities.changeSteps.filter((other) => other !== step);
      const fewer = { ...rest, ...kept, priorities: { ...priorities, changeSteps } };
      questions.push({ without: `change of priority at step ${step}`, plan: fewer });
    }
  }
  for (const branch of branches) {
    const left = branches.filter((other) => other !== branch);
    const fewer = { ...rest, ...(priorities === undefined ? {} : { priorities }) };
    const without = `other chance behind event ${branch.afterEvent}`;
    questions.push({ without, plan: left.length === 0 ? fewer : { ...fewer, branches: left } });
  }
  return questions;
}

function smallerDelays(plan: SimulationPlan): SimulationPlan[] {
  const { priorities } = plan;
  if (priorities === undefined) return [];
  return [
    ...smallerNumbers(priorities.windowUs, 0).map((windowUs) => ({ ...plan, priorities: { ...priorities, windowUs } })),
    ...smallerNumbers(priorities.dropUs, 0).map((dropUs) => ({ ...plan, priorities: { ...priorities, dropUs } })),
  ];
}
