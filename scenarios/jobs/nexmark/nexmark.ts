/**
 * The queries of the Nexmark suite over its stream of persons, auctions and bids: which one says the parameter `query`.
 *
 * All but q12 have one answer, whatever the schedule: windows of event time into which nothing comes late, and functions that see their
 * elements in the order of event time (event-time-order.ts). Output is compared value by value, state byte by byte. q12 counts by processing time
 * and is judged by what its output accounts for. How each differs from its SQL: docs/nexmark.md.
 */
import { InvalidJob } from '../../../engine/api/invalid-job.ts';
import { StreamExecutionEnvironment } from '../../../engine/api/stream-execution-environment.ts';
import { type JobDefinition, numberParameter, textParameter } from '../job-definition.ts';
import { sinkOptions } from '../log-topics.ts';
import { averagePricePerCategory, winningBids } from './auction-queries.ts';
import { type NexmarkQuery, nexmarkStreams } from './event-streams.ts';
import { expandedBids, localItems } from './join-queries.ts';
import { lastBids, topBids } from './ranking-queries.ts';
import { currencyConversion, passThrough, selection } from './stateless-queries.ts';
import { highestBids, hotItems, newSellers, processingTimeCounts, userSessions } from './window-queries.ts';

export const NEXMARK_QUERIES: Readonly<Record<string, NexmarkQuery>> = {
  q0: passThrough,
  q1: currencyConversion,
  q2: selection,
  q3: localItems,
  q4: averagePricePerCategory,
  q5: hotItems,
  q7: highestBids,
  q8: newSellers,
  q9: winningBids,
  q11: userSessions,
  q12: processingTimeCounts,
  q18: lastBids,
  q19: topBids,
  q20: expandedBids,
};

export const nexmark: JobDefinition = {
  name: 'nexmark',
  description: 'A query of the Nexmark suite over persons, auctions and bids.',
  parameters: [
    { name: 'query', description: `Which one: ${Object.keys(NEXMARK_QUERIES).join(', ')}.`, default: 'q5' },
    {
      name: 'watermarkInterval',
      description: 'Milliseconds between two watermarks of a subtask at least.',
      default: 200,
    },
  ],
  build(input) {
    const { parameters, parallelism } = input;
    const name = textParameter(parameters, 'query');
    const query = Object.hasOwn(NEXMARK_QUERIES, name) ? NEXMARK_QUERIES[name] : undefined;
    if (query === undefined)
      throw new InvalidJob(
        `The parameter query is '${name}'; it must be one of ${Object.keys(NEXMARK_QUERIES).join(', ')}.`,
      );
    const env = new StreamExecutionEnvironment({ jobId: `nexmark-${name}`, name: `Nexmark ${name}`, parallelism });
    env.setAutoWatermarkInterval(numberParameter(parameters, 'watermarkInterval'));
    query.build(nexmarkStreams(env, input)).sinkTo(sinkOptions(input)).uid('sink');
    return { graph: env.jobGraph(), audit: query.audit };
  },
};
