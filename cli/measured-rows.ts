/**
 * Rows that a long measurement appends to a file as it goes, one mutant a line, so that a call goes on where another one stopped, and a mutant
 * that has come since is measured alone.
 *
 * I1: rows of one file were measured alike: each says how, and a file with another saying is refused.
 * I2: a line that was cut off by an interruption is measured again.
 */
import { areOf, countOf } from '../reports/index.ts';
import { appender, type Appender, exists, readLines } from './files.ts';
import type { OptionValues } from './option-table.ts';
import { UsageError } from './usage-error.ts';

export interface MeasuredRow {
  readonly slug: string;
}

export interface RowsOfWhat<Row extends MeasuredRow> {
  /** The options that write such rows, for an error message: `--shrink`. */
  readonly options: string;
  /** What every row has beside its slug. */
  readonly field: keyof Row & string;
  /** What the figures depend on, as words; the same for all rows of a file. */
  readonly setup?: string;
}

export class MeasuredRows<Row extends MeasuredRow> {
  readonly #known = new Map<string, Row>();
  readonly #file: Appender | undefined;
  readonly #setup: string | undefined;

  /** Without a path nothing is known and nothing is kept. */
  constructor(path: string | undefined, what: RowsOfWhat<Row>) {
    this.#setup = what.setup;
    if (path === undefined) return;
    if (exists(path)) this.#read(path, what);
    this.#file = appender(path, false);
  }

  /** What the file has of it, or what `measure` finds, which it has from then on. */
  async row(slug: string, measure: () => Promise<Row>): Promise<Row> {
    const known = this.#known.get(slug);
    if (known !== undefined) return known;
    const row = await measure();
    const line = this.#setup === undefined ? row : { ...row, setup: this.#setup };
    this.#file?.append(`${JSON.stringify(line)}\n`);
    return row;
  }

  close(): void {
    this.#file?.close();
  }

  #read(path: string, { options, field, setup }: RowsOfWhat<Row>): void {
    let number = 0;
    for (const line of readLines(path)) {
      number += 1;
      const value = parsed(line);
      if (value === undefined && !line.endsWith('}')) continue;
      const place = `${path}, line ${number}`;
      if (value === undefined || !('slug' in value) || !(field in value))
        throw new UsageError(`${place}: expected a row that 'mutants ${options}' has written.`);
      const { setup: measured, ...row } = value as unknown as Row & { readonly setup?: string };
      if (measured !== setup)
        throw new UsageError(
          `${place}: was measured with ${measured ?? 'other options'}; expected ${setup ?? 'none'}.`,
        );
      this.#known.set(row.slug, row as unknown as Row);
    }
  }
}

/** What is kept of a measurement that was interrupted. */
export function keptOf(
  { rowsFile, outFile }: Pick<OptionValues, 'rowsFile' | 'outFile'>,
  done: number,
  all: number,
): string {
  const some = `${done} of ${countOf(all, 'mutant')} ${areOf(done)} measured`;
  const rows =
    rowsFile === undefined
      ? 'this is all that is kept of them (--rows FILE would go on)'
      : `${rowsFile} has them, and the same call goes on`;
  return `${some}; ${rows}${outFile === undefined ? '' : `; ${outFile} is as it was`}`;
}

function parsed(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
