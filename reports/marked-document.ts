/**
 * Documents that people write and commands measure: a measured part stands between two lines of its own.
 *
 * I1: what stands outside the two marks is left as it is.
 */

/** The lines between which a measured part of a document stands. */
export interface DocumentMarks {
  readonly begin: string;
  readonly end: string;
}

/** The document with a new table between its marks; undefined when it has none. */
export function withTable(document: string, marks: DocumentMarks, text: string): string | undefined {
  const lines = document.split('\n');
  const begin = lines.indexOf(marks.begin);
  const end = lines.indexOf(marks.end);
  if (begin < 0 || end < begin) return undefined;
  return [...lines.slice(0, begin + 1), '', text, '', ...lines.slice(end)].join('\n');
}

/** A document that has only the table. */
export const tableDocument = (marks: DocumentMarks, text: string): string =>
  `# Mutants\n\n${marks.begin}\n\n${text}\n\n${marks.end}\n`;
