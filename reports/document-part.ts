/** A measured text as sentences and tables, which is Markdown in a document and drawn on a terminal. */
import { table } from './markdown-summary.ts';

export interface TablePart {
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** Text may have Markdown's marks in it. */
export type DocumentPart = string | TablePart;

export const markdownOf = (parts: readonly DocumentPart[]): string =>
  parts.map((part) => (typeof part === 'string' ? part : table(part.head, part.rows).join('\n'))).join('\n\n');
