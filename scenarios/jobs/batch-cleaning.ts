/**
 * Cleans a table of films that has been typed in by many hands: titles that are numbers or missing, years a century ahead, gross takings that
 * are not known, films that are there twice. All input ends; what is left comes out then, one row per film.
 *
 * Which of two rows stays does not depend on the order in which they come: the one with more votes, then the one whose text is greater. So the
 * answer is that of any order.
 */
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import type { Collector, FunctionSpec, KeyedProcessFunction } from '../../engine/job/functions.ts';
import type { ValueState } from '../../engine/state/keyed-state.ts';
import { valueState } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import type { JobDefinition, Row } from './job-definition.ts';
import { readUnion, sinkOptions } from './log-topics.ts';

/** A clean row. */
export interface Film {
  readonly title: string;
  readonly year: number;
  /** Worldwide, dollars; null where nobody knows. */
  readonly gross: number | null;
  readonly votes: number;
}

/** Why a row is dropped. */
export type Flaw = 'no title' | 'no year' | 'no votes';

export interface Rejected {
  readonly flaw: Flaw;
  /** As it stands in the table. */
  readonly title: unknown;
}

type Cleaned = { readonly film: Film } | { readonly flaw: Flaw };

const BEST = valueState(
  'best',
  Types.row<Film>({ title: Types.string, year: Types.int, gross: Types.nullable(Types.int), votes: Types.int }),
);
/** The table ends in this year: what is said to be later was meant a century before. */
const NEWEST_YEAR = 2012;

export const batchCleaning: JobDefinition = {
  name: 'batch-cleaning',
  description: 'Cleans a table of films, drops what is there twice, and shows what is left when all input has ended.',
  parameters: [],
  build(input) {
    const { parallelism } = input;
    const env = new StreamExecutionEnvironment({ jobId: 'batch-cleaning', name: 'Batch cleaning', parallelism });
    const rows = readUnion(env, input, input.topics);
    rows
      .flatMap(collectFilm)
      .uid('clean')
      .keyBy(({ title }) => identity(title))
      .process(best())
      .uid('best')
      .name('Best')
      .sinkTo(sinkOptions(input))
      .uid('sink');
    rows.flatMap(collectRejected).uid('rejected').sinkTo(sinkOptions(input)).uid('rejected-sink');
    return { graph: env.jobGraph(), audit: { stateIsOrderInsensitive: true, outputValues: 'multiset' } };
  },
};

function collectFilm(row: Row, out: Collector<Film>): void {
  const cleaned = clean(row);
  if ('film' in cleaned) out.collect(cleaned.film);
}

function collectRejected(row: Row, out: Collector<Rejected>): void {
  const cleaned = clean(row);
  if ('flaw' in cleaned) out.collect({ flaw: cleaned.flaw, title: row['Title'] ?? null });
}

function clean(row: Row): Cleaned {
  const { Title: title, 'Release Date': date, 'IMDB Votes': votes, 'Worldwide Gross': gross } = row;
  if (typeof title !== 'string' && typeof title !== 'number') return { flaw: 'no title' };
  const year = typeof date === 'string' ? Number(/ (\d{4})$/.exec(date)?.[1]) : Number.NaN;
  if (!Number.isInteger(year)) return { flaw: 'no year' };
  if (typeof votes !== 'number') return { flaw: 'no votes' };
  return {
    film: {
      title: String(title).trim(),
      year: year > NEWEST_YEAR ? year - 100 : year,
      gross: typeof gross === 'number' && gross > 0 ? gross : null,
      votes,
    },
  };
}

/** Films are the same when their titles are, but for case, spaces and marks. */
const identity = (title: string): string => title.toLowerCase().replace(/[^a-z0-9]/g, '');

function best(): FunctionSpec<KeyedProcessFunction<Film, Film>> {
  return {
    states: [BEST],
    create() {
      let kept: ValueState<Film>;
      return {
        open(runtime) {
          kept = runtime.value<Film>('best');
        },
        processElement(film) {
          const before = kept.value();
          if (before === undefined || isBetter(film, before)) kept.update(film);
        },
        finish(_context, out) {
          const film = kept.value();
          if (film !== undefined) out.collect(film);
        },
      };
    },
  };
}

function isBetter(a: Film, b: Film): boolean {
  return a.votes === b.votes ? textOf(a) > textOf(b) : a.votes > b.votes;
}

/** Of the fields in one order: a film from a file has its properties in another than one that was just read. */
const textOf = ({ title, year, gross, votes }: Film): string => JSON.stringify([title, year, gross, votes]);
