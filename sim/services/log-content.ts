/**
 * What lies in the log: the topics of a plan dealt over partitions, and when each record becomes readable.
 *
 * Owns: positions, values and readability, all by arithmetic: no event per record. Immutable, so one content may serve any
 * number of lives of the same plan. Read by the log broker and by judges.
 *
 * I1: topics follow each other in the plan's order, in global partition numbers and in source indices alike;
 * I2: record i of a topic lies in its partition i mod n at offset floor(i / n);
 * I3: `readableRecords` and `readableAtUs` agree to the microsecond.
 */
import { assert, InvariantViolation } from '../../engine/foundation/assert.ts';
import { LINEAGE_PATH_UNIT, type RecordValue } from '../../engine/protocol/stream-elements.ts';
import type { Dataset } from '../judges/job-audit.ts';
import type { TopicPlan } from '../plan.ts';

const US_PER_SECOND = 1_000_000;

/** Records of one partition that follow each other. */
export interface LogSlice {
  readonly values: readonly RecordValue[];
  readonly timestampsUs: readonly number[];
  readonly sourceIndices: readonly number[];
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
}

/** Global partition numbers of each topic. */
export function partitionsOf(topics: readonly TopicPlan[]): Map<string, number[]> {
  const numbers = new Map<string, number[]>();
  for (const { plan, partitionBase } of placed(topics)) {
    numbers.set(
      plan.name,
      Array.from({ length: plan.partitions }, (_, position) => partitionBase + position),
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
  readonly #topics: readonly Topic[];
  readonly #partitions: readonly Partition[];

  constructor(topics: readonly TopicPlan[], datasets: ReadonlyMap<string, Dataset>) {
    this.#topics = placed(topics);
    this.#partitions = this.#topics.flatMap((topic) => deal(topic, datasets.get(topic.plan.dataset)));
    this.totalRecords = topics.reduce((sum, topic) => sum + topic.records, 0);
    assert(this.totalRecords <= LINEAGE_PATH_UNIT, 'every source index fits a lineage', { records: this.totalRecords });
  }

  get partitions(): number {
    return this.#partitions.length;
  }

  /** Records of a partition, readable or not. */
  lengthOf(partition: number): number {
    return this.#partition(partition).values.length;
  }

  /** Whether readers are told that nothing comes behind the last record. */
  isBounded(partition: number): boolean {
    return this.#partition(partition).topic.plan.bounded;
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

  partitionAndOffsetOf(sourceIndex: number): PartitionAndOffset {
    const { plan, partitionBase, sourceBase } = this.#topicOf(sourceIndex);
    const record = sourceIndex - sourceBase;
    const position = record % plan.partitions;
    return { partition: partitionBase + position, offset: (record - position) / plan.partitions };
  }

  sourceIndexAt({ partition, offset }: PartitionAndOffset): number {
    const { topic, position } = this.#partition(partition);
    return topic.sourceBase + offset * topic.plan.partitions + position;
  }

  /** How many records of a partition can be fetched at this time: all with smaller offsets. */
  readableRecords(partition: number, nowUs: number): number {
    const { topic, position } = this.#partition(partition);
    const records = readableOfTopic(topic.plan, nowUs);
    return records <= position ? 0 : Math.ceil((records - position) / topic.plan.partitions);
  }

  /** `count` records from the offset on. */
  slice({ partition, offset }: PartitionAndOffset, count: number): LogSlice {
    const { values, timestampsUs, sourceIndices } = this.#partition(partition);
    const end = offset + count;
    return {
      values: values.slice(offset, end),
      timestampsUs: timestampsUs.slice(offset, end),
      sourceIndices: sourceIndices.slice(offset, end),
    };
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
    partitionBase += plan.partitions;
    sourceBase += plan.records;
    return topic;
  });
}

/** The topic's records, dealt round robin (I2). */
function deal(topic: Topic, dataset: Dataset | undefined): Partition[] {
  const { records, rows, partitions: count, name } = topic.plan;
  assert(dataset !== undefined, 'the data set of a topic is loaded', { topic: name, dataset: topic.plan.dataset });
  assert(rows === undefined || rows.length === records, 'a topic names as many rows as it has records', {
    topic: name,
  });
  return Array.from({ length: count }, (_, position) => {
    const partition: Partition = { topic, position, values: [], timestampsUs: [], sourceIndices: [] };
    for (let record = position; record < records; record += count) {
      const row = rows?.[record] ?? record;
      assert(row < dataset.values.length, 'the data set has the records the topic uses', { topic: name, row });
      partition.values.push(dataset.values[row]);
      partition.timestampsUs.push(dataset.timestampsUs[row] ?? 0);
      partition.sourceIndices.push(topic.sourceBase + record);
    }
    return partition;
  });
}

function recordReadableAtUs({ startUs, ratePerSecond }: TopicPlan, record: number): number {
  return ratePerSecond === 0 ? startUs : startUs + Math.floor((record * US_PER_SECOND) / ratePerSecond);
}

/** The number of records that are readable: an estimate by division, then put right by the definition, so that they agree (I3). */
function readableOfTopic(plan: TopicPlan, nowUs: number): number {
  if (nowUs < plan.startUs) return 0;
  if (plan.ratePerSecond === 0) return plan.records;
  const estimate = Math.ceil(((nowUs - plan.startUs + 1) * plan.ratePerSecond) / US_PER_SECOND);
  let records = Math.min(estimate, plan.records);
  while (records < plan.records && recordReadableAtUs(plan, records) <= nowUs) records += 1;
  while (records > 0 && recordReadableAtUs(plan, records - 1) > nowUs) records -= 1;
  return records;
}
