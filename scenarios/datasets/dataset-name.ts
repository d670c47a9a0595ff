/**
 * The names of data sets, as they stand in a plan: one string that says all that is needed to load or make the rows.
 *
 *     flights-20k                                       a shipped data set
 *     access-log                                        a stream that is made by rule, without a file
 *     generated:1000x80                                 1,000 keys, 80 % of the records on the hottest tenth of them
 *     nexmark:20                                        the Nexmark stream, 20 events per second of event time
 *     file:orders/2024.csv?key=customer&time=placed_at  a file: its format is its extension
 *
 * I1: `parseDatasetName(formatDatasetName(d))` is `d`.
 */

/** Data sets that come with the package, and the fields of their rows. */
export const SHIPPED_DATASETS = {
  'flights-20k': ['date', 'delay', 'distance', 'origin', 'destination'],
  'flights-200k': ['delay', 'distance', 'time'],
  'flights-3m': ['date', 'delay', 'distance', 'origin', 'destination'],
  airports: ['iata', 'name', 'city', 'state', 'country', 'latitude', 'longitude'],
  stocks: ['symbol', 'date', 'price'],
  movies: ['Title', 'US Gross', 'Worldwide Gross', 'Release Date', 'Distributor', 'IMDB Rating', 'IMDB Votes'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type ShippedDataset = keyof typeof SHIPPED_DATASETS;

/** Streams that jobs on real data need and no file has, and the fields of their rows. */
export const MADE_STREAMS = {
  'stock-trades': ['trade', 'symbol', 'side', 'size'],
  'access-log': ['line'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type MadeStream = keyof typeof MADE_STREAMS;

export const FILE_FORMATS = ['csv', 'jsonl', 'parquet'] as const;
export type FileFormat = (typeof FILE_FORMATS)[number];

export type DatasetSpec =
  | { readonly kind: 'shipped'; readonly name: ShippedDataset }
  | { readonly kind: 'stream'; readonly name: MadeStream }
  | { readonly kind: 'generated'; readonly keys: number; readonly skewPercent: number }
  | { readonly kind: 'nexmark'; readonly eventsPerSecond: number }
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly format: FileFormat;
      /** Field that is the key, for jobs that ask for one. */
      readonly key?: string;
      /** Field that is the event time; absent: the position in the file. */
      readonly time?: string;
    };

/** Made from a seed instead of loaded. */
export type MadeSpec = Extract<DatasetSpec, { readonly kind: 'stream' | 'generated' | 'nexmark' }>;
export type LoadedSpec = Exclude<DatasetSpec, MadeSpec>;

export const isMade = (spec: DatasetSpec): spec is MadeSpec =>
  spec.kind === 'stream' || spec.kind === 'generated' || spec.kind === 'nexmark';

export type DatasetName =
  | { readonly ok: true; readonly spec: DatasetSpec }
  | { readonly ok: false; readonly expected: string };

const GENERATED = /^generated:([1-9]\d{0,6})x(\d{1,3})$/;
const NEXMARK = /^nexmark:([1-9]\d{0,6})$/;
const FILE = /^file:([^?]+)(?:\?(.*))?$/;
/** All that go by a name alone. */
export const DATASET_NAMES: readonly string[] = [...Object.keys(SHIPPED_DATASETS), ...Object.keys(MADE_STREAMS)];

/** What every message about a wrong name says. */
export const DATASET_EXPECTATION = `a data set: ${DATASET_NAMES.join(', ')}, generated:<keys>x<skew percent>, nexmark:<events per second>, or file:<path>`;

export function parseDatasetName(name: string): DatasetName {
  if (isShipped(name)) return { ok: true, spec: { kind: 'shipped', name } };
  if (isMadeStream(name)) return { ok: true, spec: { kind: 'stream', name } };
  const generated = GENERATED.exec(name);
  if (generated !== null) {
    const skewPercent = Number(generated[2]);
    if (skewPercent > 100) return { ok: false, expected: 'a skew of at most 100 percent' };
    return { ok: true, spec: { kind: 'generated', keys: Number(generated[1]), skewPercent } };
  }
  const nexmark = NEXMARK.exec(name);
  if (nexmark !== null) return { ok: true, spec: { kind: 'nexmark', eventsPerSecond: Number(nexmark[1]) } };
  const file = FILE.exec(name);
  if (file !== null) return fileSpec(file[1] ?? '', file[2] ?? '');
  return { ok: false, expected: DATASET_EXPECTATION };
}

export function formatDatasetName(spec: DatasetSpec): string {
  if (spec.kind === 'shipped' || spec.kind === 'stream') return spec.name;
  if (spec.kind === 'generated') return `generated:${spec.keys}x${spec.skewPercent}`;
  if (spec.kind === 'nexmark') return `nexmark:${spec.eventsPerSecond}`;
  const fields = [
    ...(spec.key === undefined ? [] : [`key=${encodeURIComponent(spec.key)}`]),
    ...(spec.time === undefined ? [] : [`time=${encodeURIComponent(spec.time)}`]),
  ];
  const path = spec.path.replaceAll('%', '%25').replaceAll('?', '%3F');
  return `file:${path}${fields.length === 0 ? '' : `?${fields.join('&')}`}`;
}

/** The format of a file by its extension; undefined when it is none we read. */
export function fileFormatOf(path: string): FileFormat | undefined {
  const extension = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  return FILE_FORMATS.find((format) => format === extension);
}

function fileSpec(encodedPath: string, query: string): DatasetName {
  const path = encodedPath.replaceAll('%3F', '?').replaceAll('%25', '%');
  const format = fileFormatOf(path);
  if (format === undefined)
    return { ok: false, expected: `a file that ends in ${FILE_FORMATS.map((name) => `.${name}`).join(', ')}` };
  const fields: { key?: string; time?: string } = {};
  for (const part of query === '' ? [] : query.split('&')) {
    const [name, value = ''] = part.split('=');
    if (name !== 'key' && name !== 'time') return { ok: false, expected: 'only key= and time= behind the ? of a file' };
    fields[name] = decodeURIComponent(value);
  }
  return { ok: true, spec: { kind: 'file', path, format, ...fields } };
}

function isShipped(name: string): name is ShippedDataset {
  return Object.hasOwn(SHIPPED_DATASETS, name);
}

function isMadeStream(name: string): name is MadeStream {
  return Object.hasOwn(MADE_STREAMS, name);
}
