/** Where a reader of splits gets the records of a split from: the log, or files. The contract; which there are says open-fetcher.ts. */
import type { ReplyHandler } from '../clients/request-client.ts';
import { assert } from '../foundation/assert.ts';
import type { Micros } from '../foundation/time.ts';
import { chainOf, type SourceSpec } from '../job/job-graph.ts';
import type { Out } from '../protocol/actor.ts';
import type { LogRecords } from '../protocol/messages.ts';
import { type LogSplit, sourceOf } from '../protocol/operator-events.ts';
import type { SourceMessage } from './source-reader.ts';

export interface SplitFetcher {
  /** From the split's position on. Undefined: no answer came; refusals are answers. */
  fetch(split: LogSplit, out: Out, then: ReplyHandler<LogRecords>): void;
  handleMessage(message: SourceMessage, nowUs: Micros, out: Out): void;
  handleTimer(timer: string, nowUs: Micros, out: Out): boolean;
}

/** The source that a split is of. */
export function specOfSplit(spec: SourceSpec, split: Pick<LogSplit, 'source'>): SourceSpec {
  const source = chainOf(spec)[sourceOf(split)];
  assert(source !== undefined, 'a split is of a source of its chain', { source: sourceOf(split) });
  return source;
}
