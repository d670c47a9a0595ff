/**
 * What lies in the log: the topics of a plan dealt over partitions, and when each record becomes readable.
 *
 * Owns: positions, values and readability, all by arithmetic: no event per record. Immutable, so one content may serve any
 * number of lives of the same plan. Read by the log broker and by judges.
 *
 * I1: topics follow each other in the plan's order, in global partition numbers and in source indices alike;
 * I2: record i of a topic lies in its partition i mod n at offset floor(i / n); other layouts (more partitions from some time on, several
 *     records in an entry) are dealt in log-layout.ts. Offsets count entries;
 * I3: `readableRecords` and `readableAtUs` agree to the microsecond.
 */
import { assert, InvariantViolation } from '../../engine/foundation/assert.ts';
import { LINEAGE_PATH_UNIT, type RecordValue } from '../../engine/protocol/stream-elements.ts';
import type { Dataset } from '../judges/job-audit.ts';
import type { FilesPlan, TopicPlan } from '../plan.ts';
import type { StartPosition } from '../../engine/protocol/start-position.ts';
import { fileOfLines, type InputFile } from './input-files.ts';
import {
  dealtOverTime,
  type Entries,
  entriesOf,
  entriesWith,
  fileOfRecord,
  recordReadableAtUs,
  readableOfTopic,
} from './log-layout.ts';

/** Records of one partition that follow each other. */
export interface LogSlice {
  readonly values: readonly RecordValue[];
  readonly timestampsUs: readonly number[];
  readonly sourceIndices: readonly number[];
  /** Records of each entry; absent: one. */
  readonly entrySizes?: readonly number[];
}

export interface PartitionAndOffset {
  readonly partition: number;
  readonly offset: number;
}

interface Topic {
  readonly plan: TopicPlan;
  /** Global number of its first partition. */
  readonly partitionBase: number;
  /** Source index of its first record. */
  readonly sourceBase: number;
}

interface Partition {
  readonly topic: Topic;
  /** Position within its topic. */
  readonly position: number;
  readonly values: RecordValue[];
  readonly timestampsUs: number[];
  readonly sourceIndices: number[];
  /** Where an entry may hold several records; absent: each holds one. */
  readonly entries: Entries | undefined;
  /** Partitions came to the topic, so that I2 is not the rule. */
  readonly isIrregular: boolean;
}

/** Global partition numbers of each topic. */
export function partitionsOf(topics: readonly TopicPlan[]): Map<string, number[]> {
  const numbers = new Map<string, number[]>();
  for (const { plan, partitionBase } of placed(topics)) {
    numbers.set(
      plan.name,
      Array.from({ length: partitionCount(plan) }, (_, position) => partitionBase + position),
    );
  }
  return numbers;
}

/** Source index of each topic's first record. */
export function sourceIndexBase(topics: readonly TopicPlan[]): Map<string, number> {
  return new Map(placed(topics).map(({ plan, sourceBase }) => [plan.name, sourceBase]));
}

export class LogContent {
  readonly totalRecords: number;
  /** Of topics that are files. */
  readonly files: readonly InputFile[];
  readonly #topics: readonly Topic[];
  readonly #partitions: readonly Partition[];

  constructor(topics: readonly TopicPlan[], datasets: ReadonlyMap<string, Dataset>) {
    this.#topics = placed(topics);
    const files: InputFile[] = [];
    this.#partitions = this.#topics.flatMap((topic) => {
      const dealt = deal(topic, datasets.get(topic.plan.dataset));
      return topic.plan.files === undefined ? dealt : splitsOf(topic, dealt, topic.plan.files, files);
    });
    this.files = files;
    this.totalRecords = topics.reduce((sum, topic) => sum + topic.records, 0);
    assert(this.totalRecords <= LINEAGE_PATH_UNIT, 'every source index fits a lineage', { records: this.totalRecords });
  }

  get partitions(): number {
    return this.#partitions.length;
  }

  /** Entries of a partition, readable or not. */
  lengthOf(partition: number): number {
    const { entries, values } = this.#partition(partition);
    return entries?.count ?? values.length;
  }

  /** The partitions that a topic has at this time. */
  partitionsAt(name: string, nowUs: number): readonly number[] | undefined {
    const topic = this.#topics.find(({ plan }) => plan.name === name);
    if (topic === undefined) return undefined;
    const { grows, partitions } = topic.plan;
    const count = grows !== undefined && nowUs >= grows.atUs ? grows.partitions : partitions;
    return Array.from({ length: count }, (_, position) => topic.partitionBase + position);
  }

  /** Where somebody begins at this time who begins in this way (StartPosition). */
  startOffset(partition: number, at: StartPosition, nowUs: number): number {
    const { topic, position, timestampsUs, entries } = this.#partition(partition);
    const readable = this.readableRecords(partition, nowUs);
    if (at === 'latest') return readable;
    if (at === 'earliest') return this.logStart(partition, nowUs);
    if (at === 'committed') {
      const { committed = 0 } = topic.plan;
      return position >= topic.plan.partitions ? 0 : Math.min(readable, this.#entriesBelow(partition, committed));
    }
    const record = timestampsUs.findIndex((timestampUs) => timestampUs >= at.timestampUs);
    if (record < 0) return readable;
    return Math.min(readable, Math.max(this.logStart(partition, nowUs), entries?.holding(record) ?? record));
  }

  /** How many records of a partition lie before a position. */
  recordsBefore(partition: number, offset: number, sub = 0): number {
    const { entries } = this.#partition(partition);
    return (entries?.firstOf(offset) ?? offset) + sub;
  }

  /** Whether readers are told that nothing comes behind the last record. */
  isBounded(partition: number): boolean {
    return this.#partition(partition).topic.plan.bounded;
  }

  /** Whether a log has it: what lies in files does not. */
  isInLog(partition: number): boolean {
    return this.#partition(partition).topic.plan.files === undefined;
  }

  /** Whether each record is handed out once. */
  isSocket(partition: number): boolean {
    return this.#partition(partition).topic.plan.socket === true;
  }

  /** The virtual time at which a record can first be fetched. */
  readableAtUs(sourceIndex: number): number {
    const topic = this.#topicOf(sourceIndex);
    return recordReadableAtUs(topic.plan, sourceIndex - topic.sourceBase);
  }

  /** Of the last record of an entry. */
  sourceIndexAt({ partition, offset }: PartitionAndOffset): number {
    const { topic, position, entries, isIrregular, sourceIndices } = this.#partition(partition);
    const record = entries === undefined ? offset : entries.firstOf(offset + 1) - 1;
    if (isIrregular) return sourceIndices[record] ?? -1;
    return topic.sourceBase + record * topic.plan.partitions + position;
  }

  /** How many entries of a partition can be fetched at this time: all with smaller offsets. */
  readableRecords(partition: number, nowUs: number): number {
    return this.#entriesBelow(partition, readableOfTopic(this.#partition(partition).topic.plan, nowUs));
  }

  /** The smallest offset that was not deleted by this time. */
  logStart(partition: number, nowUs: number): number {
    const { retentionUs = nowUs } = this.#partition(partition).topic.plan;
    return retentionUs >= nowUs ? 0 : this.readableRecords(partition, nowUs - retentionUs);
  }

  /** `count` entries from the offset on. */
  slice({ partition, offset }: PartitionAndOffset, count: number): LogSlice {
    const { values, timestampsUs, sourceIndices, entries } = this.#partition(partition);
    const start = entries?.firstOf(offset) ?? offset;
    const end = entries?.firstOf(offset + count) ?? offset + count;
    const records = {
      values: values.slice(start, end),
      timestampsUs: timestampsUs.slice(start, end),
      sourceIndices: sourceIndices.slice(start, end),
    };
    return entries === undefined ? records : { entrySizes: entries.sizes(offset, count), ...records };
  }

  /** Entries of a partition that lie among the first so many records of its topic. */
  #entriesBelow(partition: number, records: number): number {
    const { topic, position, entries, isIrregular, sourceIndices } = this.#partition(partition);
    let below = records <= position ? 0 : Math.ceil((records - position) / topic.plan.partitions);
    if (isIrregular) below = countBelow(sourceIndices, topic.sourceBase + records);
    return entries?.wholeIn(below) ?? below;
  }

  #partition(number: number): Partition {
    const partition = this.#partitions[number];
    assert(partition !== undefined, 'the partition exists');
    return partition;
  }

  #topicOf(sourceIndex: number): Topic {
    for (let number = this.#topics.length - 1; number >= 0; number -= 1) {
      const topic = this.#topics[number];
      if (topic === undefined || topic.sourceBase > sourceIndex) continue;
      if (sourceIndex < topic.sourceBase + topic.plan.records) return topic;
    }
    throw new InvariantViolation('the source record exists', { sourceIndex });
  }
}

/** The topics with their first partition and source index (I1). */
function placed(topics: readonly TopicPlan[]): readonly Topic[] {
  let partitionBase = 0;
  let sourceBase = 0;
  return topics.map((plan) => {
    assert(plan.partitions >= 1, 'a topic has a partition', { topic: plan.name });
    const topic = { plan, partitionBase, sourceBase };
    partitionBase += partitionCount(plan);
    sourceBase += plan.records;
    return topic;
  });
}

/** Those that come later included. */
const partitionCount = ({ partitions, grows }: TopicPlan): number => Math.max(partitions, grows?.partitions ?? 0);

/** How many of these rising numbers are below a limit. */
function countBelow(rising: readonly number[], limit: number): number {
  let low = 0;
  let high = rising.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rising[middle] ?? 0) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The topic's records, dealt round robin (I2). */
function deal(topic: Topic, dataset: Dataset | undefined): Partition[] {
  const { records, rows, partitions: count, name, grows, entryRecords = 1 } = topic.plan;
  assert(dataset !== undefined, 'the data set of a topic is loaded', { topic: name, dataset: topic.plan.dataset });
  assert(rows === undefined || rows.length === records, 'a topic names as many rows as it has records', {
    topic: name,
  });
  const rowOf = (record: number): number => {
    const row = rows?.[record] ?? record;
    assert(row < dataset.values.length, 'the data set has the records the topic uses', { topic: name, row });
    return row;
  };
  const dealt = grows === undefined ? undefined : dealtOverTime(topic.plan);
  return Array.from({ length: partitionCount(topic.plan) }, (_, position) => {
    const of = { topic, position, isIrregular: dealt !== undefined };
    const numbers = dealt?.[position] ?? everyNth(position, count, records);
    const rowNumbers = numbers.map(rowOf);
    return {
      ...of,
      values: rowNumbers.map((row) => dataset.values[row]),
      timestampsUs: rowNumbers.map((row) => dataset.timestampsUs[row] ?? 0),
      sourceIndices: numbers.map((record) => topic.sourceBase + record),
      entries: entryRecords === 1 ? undefined : entriesOf(numbers.length, entryRecords),
    };
  });
}

function everyNth(first: number, step: number, end: number): number[] {
  const numbers: number[] = [];
  for (let number = first; number < end; number += step) numbers.push(number);
  return numbers;
}

/** The same records in files, and the splits of these in place of the partitions: each with the lines that begin in it, by blocks. */
function splitsOf(topic: Topic, dealt: readonly Partition[], plan: FilesPlan, files: InputFile[]): Partition[] {
  const { count, parts, partBytes, blockBytes, everyUs } = plan;
  const { name, startUs, records } = topic.plan;
  const lines = Array.from({ length: records }, (_, record) => {
    const { values, timestampsUs, sourceIndices } = dealt[record % dealt.length] ?? {
      values: [],
      timestampsUs: [],
      sourceIndices: [],
    };
    const at = Math.floor(record / dealt.length);
    return { value: values[at], timestampUs: timestampsUs[at] ?? 0, sourceIndex: sourceIndices[at] ?? 0 };
  });
  return Array.from({ length: count * parts }, (_, position): Partition => {
    const [file, part] = [Math.floor(position / parts), position % parts];
    const own = lines.filter((_line, record) => fileOfRecord(topic.plan, plan, record) === file);
    const { bytes, begins } = fileOfLines(own);
    const path = `input/${name}/part-${String(file).padStart(5, '0')}`;
    if (part === 0) files.push({ path, bytes, atUs: startUs + file * everyUs });
    const from = part * partBytes;
    const to = part === parts - 1 ? Math.max(from, bytes.length) : from + partBytes;
    const inPart = own.filter((_line, index) => (begins[index] ?? 0) >= from && (begins[index] ?? 0) < to);
    const beginsInPart = begins.filter((begin) => begin >= from && begin < to);
    const blocks = Math.ceil((to - from) / blockBytes);
    const firsts = Array.from({ length: blocks + 1 }, (_block, block) =>
      block === blocks ? inPart.length : beginsInPart.filter((begin) => begin < from + block * blockBytes).length,
    );
    return {
      topic,
      position,
      isIrregular: true,
      values: inPart.map(({ value }) => value),
      timestampsUs: inPart.map(({ timestampUs }) => timestampUs),
      sourceIndices: inPart.map(({ sourceIndex }) => sourceIndex),
      entries: entriesWith(firsts),
    };
  });
}
