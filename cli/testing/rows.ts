/** A user's own rows as a data set. Event time: the field that is named, or one row per millisecond. */
import type { Dataset } from '../../sim/judges/job-audit.ts';
import type { Scenario } from '../../scenarios/scenario.ts';
import { compile } from '../../scenarios/compile.ts';
import type { SimulationPlan } from '../../sim/plan.ts';

import { notPlain, shown } from './job-error.ts';

export type InputRow = Readonly<Record<string, unknown>>;

/** Name of the data set that a user's rows are, and of the topic that has them. */
export const ROWS = 'rows';
/** A scenario can only name data sets that ship: this one stands for the rows until the plan is made. */
export const IN_PLACE_OF_ROWS = 'generated:1x0';

/** The plan of a seed, whose topics read the rows. */
export function compileOnRows(scenario: Scenario, seed: string): SimulationPlan {
  const plan = compile(scenario, seed);
  return {
    ...plan,
    topics: plan.topics.map((topic) => (topic.dataset === IN_PLACE_OF_ROWS ? { ...topic, dataset: ROWS } : topic)),
  };
}

/** Throws `TypeError`: so many rows make no input. */
export function checkRecords(caller: string, records: unknown): void {
  if (typeof records !== 'number' || !Number.isSafeInteger(records) || records < 1)
    throw new TypeError(
      `${caller}: expected records as a whole number from 1, how many rows the input has; found ${shown(records)}.`,
    );
}

const US_PER_MS = 1_000;

/** `time` names a field with milliseconds; rows come in the order in which they are given, whatever it says. */
export function rowsDataset(rows: readonly InputRow[], time?: string): Dataset {
  const timestampsUs = rows.map((row, index) => {
    const problem = notPlain(row);
    if (problem !== undefined)
      throw new TypeError(`Row ${index}: ${shown(row)}; expected what JSON can say, but ${problem}.`);
    if (time === undefined) return index * US_PER_MS;
    const value = row[time];
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
      throw new TypeError(
        `Row ${index}: the field '${time}' is ${JSON.stringify(value) ?? 'missing'}; expected milliseconds.`,
      );
    }
    return value * US_PER_MS;
  });
  return { name: ROWS, values: rows, timestampsUs };
}
