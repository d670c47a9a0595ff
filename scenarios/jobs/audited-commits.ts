/**
 * Counts records per key into a sink that counts itself: how many committables its writers make, before the committer, and how many are
 * committed, behind it (row K8). What is counted before is in the snapshot with the committables; behind the committer it is counted at least once.
 */
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import type { SinkOptions } from '../../engine/api/data-stream.ts';
import type { CommittableMessage } from '../../engine/connectors/sink/sink-contract.ts';
import type { FunctionSpec, KeyedProcessFunction } from '../../engine/job/functions.ts';
import type { ValueState } from '../../engine/state/keyed-state.ts';
import { valueState } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import { type JobDefinition, keyField, outputKey, textParameter } from './job-definition.ts';
import { countPerKey } from './keyed-count.ts';
import { readUnion, sinkOptions } from './log-topics.ts';

const COMMITTABLES = 'committables';
const writer = ({ subtask }: CommittableMessage): string => `writer-${String(subtask)}`;

export const auditedCommits: JobDefinition = {
  name: 'audited-commits',
  description: 'Counts records per key; its sink counts committables before and behind its committer.',
  parameters: [{ name: 'key', description: 'Field of the row that is the key.', default: 'origin' }],
  build(input) {
    const field = textParameter(input.parameters, 'key');
    const env = new StreamExecutionEnvironment({
      jobId: 'audited-commits',
      name: 'Audited commits',
      parallelism: input.parallelism,
    });
    readUnion(env, input, input.topics)
      .keyBy((row) => keyField(row, field))
      .process(countPerKey(field))
      .uid('count')
      .sinkTo({ ...sinkOptions(input), ...(input.kafka?.committer === undefined ? {} : audited) })
      .uid('sink');
    return {
      graph: env.jobGraph(),
      audit: { stateIsOrderInsensitive: true, outputValues: 'multiset', outputKey },
    };
  },
};

/** Only where the committer is behind its writer there is room for it. */
const audited: Pick<SinkOptions, 'preCommit' | 'postCommit'> = {
  preCommit: (written) => written.keyBy(writer).process(countCommittables).uid('written'),
  postCommit: (committed) => {
    committed.keyBy(writer).process(countCommittables).uid('committed');
  },
};

/** By writer subtask; hands on what it is given. */
const countCommittables: FunctionSpec<KeyedProcessFunction<CommittableMessage, CommittableMessage>> = {
  states: [valueState(COMMITTABLES, Types.int)],
  create() {
    let count: ValueState<number>;
    return {
      open(runtime) {
        count = runtime.value<number>(COMMITTABLES);
      },
      processElement(message, _context, out) {
        if (message.kind === 'committable') count.update((count.value() ?? 0) + 1);
        out.collect(message);
      },
    };
  },
};
