/** Where a reader of splits gets the records of a split from: the log, or files. The contract; which there are says open-fetcher.ts. */
import type { ReplyHandler } from '../clients/request-client.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { LogRecords } from '../protocol/messages.ts';
import type { LogSplit } from '../protocol/operator-events.ts';
import type { SourceMessage } from './source-reader.ts';

export interface SplitFetcher {
  /** From the split's position on. Undefined: no answer came; refusals are answers. */
  fetch(split: LogSplit, out: Out, then: ReplyHandler<LogRecords>): void;
  handleMessage(message: SourceMessage, nowUs: Micros, out: Out): void;
  handleTimer(timer: string, nowUs: Micros, out: Out): boolean;
}
