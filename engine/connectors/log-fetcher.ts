/** Fetches the records of splits from the log broker. */
import { type ReplyHandler, RequestClient } from '../clients/request-client.ts';
import { type Micros, micros } from '../foundation/time.ts';
import type { SourceSpec } from '../job/job-graph.ts';
import type { Out } from '../protocol/actor.ts';
import type { LogRecords } from '../protocol/messages.ts';
import { type LogSplit, UNBOUNDED } from '../protocol/operator-events.ts';
import type { SourceMessage, SourceReaderOptions } from './source-reader.ts';
import { type SplitFetcher, specOfSplit } from './split-fetcher.ts';

/** The end of a partition may hold a fetch for so long (log-broker.ts); a request must not time out before. */
const HELD_FETCH_US_MAX = 5_000_000;

export class LogFetcher implements SplitFetcher {
  readonly #spec: SourceSpec;
  readonly #client: RequestClient<LogRecords>;

  constructor({ spec, broker, requestTimeoutUs, firstRequestId }: SourceReaderOptions) {
    this.#spec = spec;
    const timeoutUs = requestTimeoutUs + HELD_FETCH_US_MAX;
    this.#client = new RequestClient({ node: broker, via: 'datagram', name: 'fetch', timeoutUs, firstRequestId });
  }

  fetch(split: LogSplit, out: Out, then: ReplyHandler<LogRecords>): void {
    const { partition, offset, end } = split;
    const { fetchRecords, fetchWaitUs } = specOfSplit(this.#spec, split);
    const left = end === UNBOUNDED ? fetchRecords : end - offset;
    this.#client.send(
      {
        kind: 'log-fetch',
        requestId: this.#client.nextRequestId,
        partition,
        offset,
        maxRecords: Math.min(fetchRecords, left),
        maxWaitUs: micros(fetchWaitUs),
      },
      out,
      then,
    );
  }

  handleMessage(message: SourceMessage, nowUs: Micros, out: Out): void {
    if (message.kind === 'log-records') this.#client.handleReply(message, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#client.handleTimer(timer, nowUs, out);
  }
}
