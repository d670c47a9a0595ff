/**
 * Counts records per key, each topic for itself, while two outside ledgers number the checkpoints (rows C18, C25): the first has nothing to do with
 * some of them, and the second is not to hear of those.
 */
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import type { AuditedLedger } from '../../sim/judges/job-audit.ts';
import { countInDocument } from './document-count.ts';
import { type JobDefinition, keyField, numberParameter, outputKey, textParameter } from './job-definition.ts';
import { ledgerHook } from './ledger-hook.ts';
import { readUnion, sinkOptions } from './log-topics.ts';

const JOB_ID = 'ledgered-counts';

export const ledgeredCounts: JobDefinition = {
  name: JOB_ID,
  description: 'Counts records per key and topic; master hooks tell two outside ledgers of every checkpoint.',
  parameters: [
    { name: 'key', description: 'Field of the row that is the key.', default: 'origin' },
    { name: 'refuseEvery', description: 'Of so many checkpoints the first ledger refuses one; 0: none.', default: 5 },
  ],
  build(input) {
    const field = textParameter(input.parameters, 'key');
    const refuseEvery = numberParameter(input.parameters, 'refuseEvery');
    const env = new StreamExecutionEnvironment({
      jobId: JOB_ID,
      name: 'Ledgered counts',
      parallelism: input.parallelism,
    });
    for (const topic of input.topics)
      readUnion(env, input, [topic])
        .keyBy((row) => keyField(row, field))
        .process(countInDocument(field))
        .uid(`count-${topic.name}`)
        .sinkTo(sinkOptions(input))
        .uid(`sink-${topic.name}`);
    const ledgers: readonly AuditedLedger[] = [
      ledger('first', (id) => refuseEvery > 0 && id % refuseEvery === 0),
      ledger('second', () => false),
    ];
    for (const one of ledgers) env.addMasterHook(ledgerHook(one));
    return {
      graph: env.jobGraph(),
      audit: { stateIsOrderInsensitive: true, outputValues: 'multiset', outputKey, ledgers },
    };
  },
};

const ledger = (identifier: string, refuses: AuditedLedger['refuses']): AuditedLedger => ({
  identifier,
  key: `${JOB_ID}/ledger-${identifier}`,
  refuses,
});
