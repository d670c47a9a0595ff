/** A file of which a command writes the part between two marks. */
import { type DocumentMarks, tableDocument, withTable } from '../reports/index.ts';
import { exists, readText } from './files.ts';
import { UsageError } from './usage-error.ts';

/** What the file will hold: the table in its place, everything else as it was. */
export function markedFile(file: string, marks: DocumentMarks, text: string): string {
  if (!exists(file)) return tableDocument(marks, text);
  const document = withTable(readText(file), marks, text);
  if (document !== undefined) return document;
  throw new UsageError(
    `${file} has no place for the table: expected a line ${marks.begin} and below it a line ${marks.end}.`,
  );
}
