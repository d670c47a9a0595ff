/** The fetcher that a source with splits asks for. */
import { FileFetcher } from './file/file-fetcher.ts';
import { LogFetcher } from './log-fetcher.ts';
import type { SourceReaderOptions } from './source-reader.ts';
import type { SplitFetcher } from './split-fetcher.ts';

export const splitFetcherOf = (options: SourceReaderOptions): SplitFetcher =>
  options.spec.files === undefined ? new LogFetcher(options) : new FileFetcher(options, options.spec.files);
