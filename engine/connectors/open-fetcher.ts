/** The fetcher that a source with splits asks for; a chain of sources (row B24) has one for files and one for the log. */
import { chainOf } from '../job/job-graph.ts';
import type { LogSplit } from '../protocol/operator-events.ts';
import { FileFetcher } from './file/file-fetcher.ts';
import { LogFetcher } from './log-fetcher.ts';
import type { SourceReaderOptions } from './source-reader.ts';
import { type SplitFetcher, specOfSplit } from './split-fetcher.ts';

export function splitFetcherOf(options: SourceReaderOptions): SplitFetcher {
  const sources = chainOf(options.spec);
  const hasFiles = sources.some(({ files }) => files !== undefined);
  if (!hasFiles) return new LogFetcher(options);
  const files = new FileFetcher(options);
  if (sources.every((source) => source.files !== undefined)) return files;
  const log = new LogFetcher(options);
  const fetcherOf = (split: LogSplit): SplitFetcher =>
    specOfSplit(options.spec, split).files === undefined ? log : files;
  return {
    fetch: (split, out, then) => fetcherOf(split).fetch(split, out, then),
    handleMessage: (message, nowUs, out) =>
      (message.kind === 'log-records' ? log : files).handleMessage(message, nowUs, out),
    handleTimer: (timer, nowUs, out) => log.handleTimer(timer, nowUs, out) || files.handleTimer(timer, nowUs, out),
  };
}
