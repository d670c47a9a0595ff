/** The source of the kind a job asks for: the one place where kinds of sources are told apart in a subtask. */
import { LogSource, type LogSourceOptions } from './log-source.ts';
import type { SourceReader } from './source-reader.ts';
import { SplitReader, type SplitReaderOptions } from './split-reader.ts';

export function openSource(options: LogSourceOptions & SplitReaderOptions): SourceReader {
  return options.spec.kind === 'split-log' ? new SplitReader(options) : new LogSource(options);
}
