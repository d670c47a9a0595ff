/**
 * How the records of a topic lie: when each becomes readable, in which partition where partitions come to it, in which entry where an entry
 * of the log holds several.
 *
 * Pure arithmetic over the plan of a topic. Called by log-content.ts.
 *
 * I1: `readableOfTopic` and `recordReadableAtUs` agree to the microsecond.
 * I2: entry e of a partition holds e mod m + 1 records, m the most; the last one may hold less.
 */
import type { FilesPlan, TopicPlan } from '../plan.ts';

const US_PER_SECOND = 1_000_000;

type Rate = Pick<TopicPlan, 'startUs' | 'ratePerSecond' | 'records' | 'before' | 'files'>;

/** When a record of the topic can first be fetched. */
export function recordReadableAtUs(plan: Rate, record: number): number {
  const { startUs, ratePerSecond, before = 0, files } = plan;
  if (files !== undefined) return startUs + fileOfRecord(plan, files, record) * files.everyUs;
  if (record < before) return 0;
  return ratePerSecond === 0 ? startUs : startUs + Math.floor(((record - before) * US_PER_SECOND) / ratePerSecond);
}

/** Which file a record lies in; files hold records that follow each other. */
export const fileOfRecord = (
  { records }: Pick<Rate, 'records'>,
  { count }: Pick<FilesPlan, 'count'>,
  record: number,
): number => Math.min(count - 1, Math.floor(record / Math.max(1, Math.floor(records / count))));

/** The number of records that are readable: an estimate by division, then put right by the definition, so that they agree (I1). */
export function readableOfTopic(plan: Rate, nowUs: number): number {
  const { before = 0 } = plan;
  if (nowUs < plan.startUs) return before;
  if (plan.ratePerSecond === 0) return plan.records;
  const estimate = before + Math.ceil(((nowUs - plan.startUs + 1) * plan.ratePerSecond) / US_PER_SECOND);
  let records = Math.min(estimate, plan.records);
  while (records < plan.records && recordReadableAtUs(plan, records) <= nowUs) records += 1;
  while (records > before && recordReadableAtUs(plan, records - 1) > nowUs) records -= 1;
  return records;
}

/** The record numbers of each partition of a topic that gets more of them: what comes from then on is dealt over all. */
export function dealtOverTime(plan: Pick<TopicPlan, 'partitions' | 'grows'> & Rate): number[][] {
  const { partitions, grows = { atUs: 0, partitions } } = plan;
  const dealt = Array.from({ length: Math.max(partitions, grows.partitions) }, (): number[] => []);
  const early = readableOfTopic(plan, grows.atUs - 1);
  for (let record = 0; record < plan.records; record += 1) {
    const position = record < early ? record % partitions : (record - early) % grows.partitions;
    dealt[position]?.push(record);
  }
  return dealt;
}

/** Entries of one partition. */
export interface Entries {
  readonly count: number;
  /** How many records lie before an entry; behind the last one: all. */
  firstOf(entry: number): number;
  /** Records of each of so many entries. */
  sizes(from: number, count: number): readonly number[];
  /** The entry in which a record lies. */
  holding(record: number): number;
  /** How many entries lie wholly among the first so many records. */
  wholeIn(records: number): number;
}

/** I2. */
export function entriesOf(records: number, most: number): Entries {
  const firsts = [0];
  for (let entry = 0; (firsts[entry] ?? 0) < records; entry += 1)
    firsts.push(Math.min(records, (firsts[entry] ?? 0) + (entry % most) + 1));
  return entriesWith(firsts);
}

/** `firsts`: how many records lie before each entry, and at the end how many there are. */
export function entriesWith(firsts: readonly number[]): Entries {
  const count = firsts.length - 1;
  const records = firsts[count] ?? 0;
  const firstOf = (entry: number): number => firsts[Math.min(entry, count)] ?? records;
  const wholeIn = (within: number): number => firsts.findLastIndex((first) => first <= within);
  return {
    count,
    firstOf,
    sizes: (from, of) => Array.from({ length: of }, (_, at) => firstOf(from + at + 1) - firstOf(from + at)),
    holding: (record) => wholeIn(record),
    wholeIn,
  };
}
