/**
 * Loads the inputs of a life: shipped data sets, and files of the user in CSV, JSON lines or Parquet.
 *
 * Owns: decoding rows into plain JSON objects and finding their event time. Does not own: names (scenarios), disk access
 * (files.ts), generated inputs (scenarios/live.ts makes them).
 * I1: a bad row is a UsageError `file:line: reason`.
 * I2: values are plain JSON: no bigint, no Date, no undefined; rows of one data set have their fields in one order.
 * I3: event time is the time field in microseconds; without one it is the position, a millisecond a row.
 */
import { parse as parseCsv } from 'csv-parse/sync';
import { compressors } from 'hyparquet-compressors';
import { parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { countOf } from '../reports/index.ts';
import { type DatasetSpec, isMade, type LoadedSpec, parseDatasetName } from '../scenarios/datasets/dataset-name.ts';
import type { Dataset } from '../sim/judges/job-audit.ts';
import { formatInstant, parseInstantUs } from './event-time.ts';
import { exists, fileOfPackage, randomAccess, readLines, readText } from './files.ts';
import { UsageError } from './usage-error.ts';

type Row = Readonly<Record<string, unknown>>;
interface LoadedRow {
  readonly line: number;
  readonly row: Row;
}
interface Source {
  /** For messages. */
  readonly path: string;
  readonly format: 'csv' | 'json' | 'jsonl' | 'parquet';
  readonly timeOf: (row: Row, index: number) => number | undefined;
  /** Fields every row must have. */
  readonly required: readonly string[];
  /** The file is in another order than that of time, in which a stream of it comes. */
  readonly isSortedByTime?: true;
}

/** Event time passes by a millisecond per row where rows have no time. */
const ROW_GAP_US = 1_000;
const US_PER_HOUR = 3_600_000_000;

/** Loaded data sets of this process. Lives are synchronous, so what they need is prepared before. */
export class DatasetStore {
  readonly #loaded = new Map<string, Dataset>();

  /** Loads so many records of each data set, unless they are there already; generated inputs need no loading. */
  async prepare(needs: ReadonlyMap<string, number>): Promise<void> {
    for (const [dataset, records] of needs) {
      const name = parseDatasetName(dataset);
      if (!name.ok) throw new UsageError(`Data set '${dataset}': expected ${name.expected}.`);
      if (isMade(name.spec) || (this.#loaded.get(dataset)?.values.length ?? -1) >= records) continue;
      this.#loaded.set(dataset, await loadDataset(dataset, name.spec, records));
    }
  }

  /** A prepared data set. */
  readonly load = (dataset: string): Dataset => {
    const found = this.#loaded.get(dataset);
    if (found === undefined) throw new UsageError(`Data set '${dataset}' was not prepared.`);
    return found;
  };
}

/** The first `records` rows of a data set. */
export async function loadDataset(name: string, spec: LoadedSpec, records: number): Promise<Dataset> {
  const source = spec.kind === 'shipped' ? shippedSource(spec.name) : fileSource(spec);
  const isSorted = source.isSortedByTime === true;
  const rows = await readRows(source, isSorted ? Number.MAX_SAFE_INTEGER : records);
  if (rows.length < records) {
    throw new UsageError(
      `${source.path} has ${countOf(rows.length, 'row')}, but the scenario asks for ${records}: lower input.records.`,
    );
  }
  const timestampsUs = rows.map(({ row, line }, index) => {
    const missing = source.required.find(
      (field) => row[field] === undefined || row[field] === '' || row[field] === null,
    );
    if (missing !== undefined) throw badRow(source, line, `the field '${missing}' is missing`);
    const atUs = source.timeOf(row, index);
    if (atUs !== undefined && Number.isSafeInteger(atUs)) return atUs;
    throw badRow(source, line, 'the time is neither YYYY-MM-DD HH:mm:ss nor a number of epoch milliseconds');
  });
  const values = rows.map(({ row }) => row);
  return isSorted ? sortedByTime(name, values, { timestampsUs, records }) : { name, values, timestampsUs };
}

/** Rows of one instant stay in the order of the file. */
function sortedByTime(
  name: string,
  values: readonly Row[],
  { timestampsUs, records }: { readonly timestampsUs: readonly number[]; readonly records: number },
): Dataset {
  const order = values.map((_row, index) => index).sort((a, b) => timeAt(a) - timeAt(b) || a - b);
  const first = order.slice(0, records);
  return { name, values: first.map((index) => values[index]), timestampsUs: first.map(timeAt) };

  function timeAt(index: number): number {
    return timestampsUs[index] ?? 0;
  }
}

function shippedSource(name: Extract<DatasetSpec, { kind: 'shipped' }>['name']): Source {
  const file = (ending: string): string => fileOfPackage('vega-datasets', `data/${name}.${ending}`);
  const byDate = (row: Row): number | undefined => parseInstantUs(row['date']);
  if (name === 'airports') return { path: file('csv'), format: 'csv', timeOf: byPosition, required: ['iata'] };
  if (name === 'flights-3m') return { path: file('parquet'), format: 'parquet', timeOf: byDate, required: ['date'] };
  if (name === 'stocks')
    return { path: file('csv'), format: 'csv', timeOf: byDate, required: ['symbol', 'price'], isSortedByTime: true };
  if (name === 'movies') return { path: file('json'), format: 'json', timeOf: byPosition, required: [] };
  const hours = (row: Row): number | undefined =>
    typeof row['time'] === 'number' ? Math.round(row['time'] * US_PER_HOUR) : undefined;
  const timeOf = name === 'flights-200k' ? hours : byDate;
  return { path: file('json'), format: 'json', timeOf, required: [] };
}

function fileSource(spec: Extract<DatasetSpec, { kind: 'file' }>): Source {
  if (!exists(spec.path)) throw new UsageError(`Data file ${spec.path}: there is no such file.`);
  const { time } = spec;
  return {
    path: spec.path,
    format: spec.format,
    timeOf: time === undefined ? byPosition : (row) => parseInstantUs(row[time]),
    required: [spec.key, time].filter((field) => field !== undefined),
  };
}

const byPosition = (_row: Row, index: number): number => index * ROW_GAP_US;

async function readRows(source: Source, records: number): Promise<LoadedRow[]> {
  if (source.format === 'csv') return csvRows(source, records);
  if (source.format === 'jsonl') return jsonLineRows(source, records);
  if (source.format === 'parquet') return await parquetRows(source, records);
  const rows = JSON.parse(readText(source.path)) as Row[];
  return rows.slice(0, records).map((row, index) => ({ line: index + 1, row }));
}

function csvRows(source: Source, records: number): LoadedRow[] {
  // The parser stops behind a row, and so not before the first; a shrunk plan may ask for none.
  if (records === 0) return [];
  const text = readText(source.path);
  try {
    const parsed = parseCsv(text, {
      columns: true,
      bom: true,
      info: true,
      skip_empty_lines: true,
      to: records,
      cast: numberOrText,
    }) as unknown as {
      record: Row;
      info: { lines: number };
    }[];
    return parsed.map(({ record, info }) => ({ line: info.lines, row: record }));
  } catch (error) {
    const line = error instanceof Error && 'lines' in error ? Number(error.lines) : 1;
    throw badRow(source, line, error instanceof Error ? error.message : String(error));
  }
}

/** A text that is exactly how a number prints is that number; `007` and `1E5` stay text. */
function numberOrText(text: string, context: { header: boolean }): string | number {
  const value = Number(text);
  return !context.header && text !== '' && Number.isFinite(value) && String(value) === text ? value : text;
}

function jsonLineRows(source: Source, records: number): LoadedRow[] {
  const rows: LoadedRow[] = [];
  let line = 0;
  for (const text of readLines(source.path)) {
    line += 1;
    if (rows.length >= records) break;
    if (text.trim() === '') continue;
    let row: unknown;
    try {
      row = JSON.parse(text);
    } catch (error) {
      throw badRow(source, line, `not JSON (${error instanceof Error ? error.message : String(error)})`);
    }
    if (!isRow(row)) throw badRow(source, line, 'expected an object with named fields');
    rows.push({ line, row });
  }
  return rows;
}

async function parquetRows(source: Source, records: number): Promise<LoadedRow[]> {
  const file = randomAccess(source.path);
  try {
    const metadata = await parquetMetadataAsync(file);
    const rowEnd = Math.min(records, Number(metadata.num_rows));
    // Only the row groups that hold these rows are read.
    const rows = await parquetReadObjects({ file, metadata, compressors, parsers: PARSERS, rowStart: 0, rowEnd });
    return rows.map((row, index) => ({ line: index + 1, row: plainRow(source, index + 1, row) }));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      `${source.path}: not a readable Parquet file (${error instanceof Error ? error.message : String(error)}).`,
    );
  }
}

/** Instants become calendar texts, the way the shipped JSON files have them. */
const PARSERS = {
  ...DEFAULT_PARSERS,
  timestampFromMilliseconds: (value: bigint) => formatInstant(Number(value) * 1_000),
  timestampFromMicroseconds: (value: bigint) => formatInstant(Number(value)),
  timestampFromNanoseconds: (value: bigint) => formatInstant(Number(value / 1_000n)),
  dateFromDays: (days: number) => formatInstant(days * 24 * US_PER_HOUR),
};

function plainRow(source: Source, line: number, row: Readonly<Record<string, unknown>>): Row {
  return Object.fromEntries(
    Object.entries(row).map(([field, value]) => {
      if (typeof value !== 'bigint') return [field, value ?? null];
      const number = Number(value);
      if (!Number.isSafeInteger(number)) throw badRow(source, line, `'${field}' exceeds 2^53`);
      return [field, number];
    }),
  );
}

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value);
const badRow = (source: Source, line: number, reason: string): UsageError =>
  new UsageError(`${source.path}:${line}: ${reason}.`);
