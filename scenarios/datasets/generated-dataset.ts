/**
 * Inputs made from a seed instead of a file: rows `{ key, value }` with some keys hotter than others.
 *
 * A tenth of the keys are hot and get `skewPercent` of the records; 10 is no skew at all. Pure: the same request gives the same rows.
 */
import type { Dataset } from '../../sim/judges/job-audit.ts';
import { Choices } from '../../sim/kernel/choice.ts';

export interface GeneratedRow {
  readonly key: string;
  readonly value: number;
}

export interface GeneratedDatasetRequest {
  /** Names the data set, and the streams it is drawn from. */
  readonly name: string;
  readonly seed: string;
  readonly records: number;
  /** Different keys, at least 1. */
  readonly keys: number;
  /** Percentage of the records whose key is hot, 0 to 100. */
  readonly skewPercent: number;
}

/** One key in so many is hot. */
const KEYS_PER_HOT_KEY = 10;
/** Values are integers below this: their sums stay exact. */
const VALUES = 1_000;
/** Event time passes by a millisecond per record. */
const RECORD_GAP_US = 1_000;

export function generatedDataset({ name, seed, records, keys, skewPercent }: GeneratedDatasetRequest): Dataset {
  const choices = new Choices({ rootSeed: seed });
  const isHot = choices.site(`dataset/${name}/hot`);
  const key = choices.site(`dataset/${name}/key`);
  const value = choices.site(`dataset/${name}/value`);
  const hotKeys = Math.ceil(keys / KEYS_PER_HOT_KEY);
  const coldKeys = keys - hotKeys;
  const values: GeneratedRow[] = [];
  const timestampsUs: number[] = [];
  for (let index = 0; index < records; index += 1) {
    const hot = isHot.chance(skewPercent, 100) || coldKeys === 0;
    const number = hot ? key.choose(hotKeys) : hotKeys + key.choose(coldKeys);
    values.push({ key: `key-${number}`, value: value.choose(VALUES) });
    timestampsUs.push(index * RECORD_GAP_US);
  }
  return { name, values, timestampsUs };
}
