/**
 * Looks for sell-offs: the price of a share falls by so many percent within so many days of an earlier price, and large sales follow.
 *
 * Prices and trades are two topics and one stream per symbol. A price is the beginning of a match whenever a later one is low enough; the first
 * one that is ends the fall, and of the trades behind it the first large sales count. Falls without such sales in time come out of a side output.
 *
 * Prices are compared in whole cents: no answer hangs on a rounding.
 */
import { CEP, Pattern } from '../../engine/api/cep.ts';
import { InvalidJob } from '../../engine/api/invalid-job.ts';
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import { OutputTag } from '../../engine/job/functions.ts';
import type { Matched } from '../../engine/job/patterns.ts';
import { Types } from '../../engine/state/type-information.ts';
import type { TypeSerializer } from '../../engine/state/type-serializer.ts';
import { eventTimeParameters, MS_PER_MINUTE, readWithEventTime } from './event-time.ts';
import { type JobDefinition, keyField, numberParameter, type Row, textParameter } from './job-definition.ts';
import { sinkOptions } from './log-topics.ts';

export interface SellOff {
  readonly key: string;
  readonly kind: 'sell-off' | 'fall-without-sales';
  readonly fromCents: number;
  readonly toCents: number;
  readonly trades: readonly number[];
}

/** Rows of data sets are plain JSON. */
const ROWS = Types.json as TypeSerializer<unknown> as TypeSerializer<Row>;
const MS_PER_DAY = 24 * 60 * MS_PER_MINUTE;
const WITHOUT_SALES = new OutputTag<SellOff>('falls-without-sales');

export const tradeMonitoring: JobDefinition = {
  name: 'trade-monitoring',
  description: 'Falls of share prices that large sales follow, as a pattern of events (CEP).',
  parameters: [
    {
      name: 'pattern',
      description:
        '`sell-offs`: a fall, then sales; `runs`: a large sale at once behind another, more, and a price; `pairs`: any large sale behind one, and what follows it at once.',
      default: 'sell-offs',
    },
    { name: 'fallPercent', description: 'By how much a price falls at least.', default: 15 },
    { name: 'days', description: 'Within how many days of event time all of it happens.', default: 120 },
    { name: 'sales', description: 'How many large sales follow.', default: 2 },
    { name: 'saleSize', description: 'Shares of a large sale at least.', default: 10_000 },
    ...eventTimeParameters,
  ],
  build(input) {
    const { parameters, parallelism } = input;
    const fallPercent = numberParameter(parameters, 'fallPercent');
    const saleSize = numberParameter(parameters, 'saleSize');
    const env = new StreamExecutionEnvironment({ jobId: 'trade-monitoring', name: 'Trade monitoring', parallelism });
    const pattern = patternOf(textParameter(parameters, 'pattern'), {
      isFall: (row, peak) => centsOf(row) > 0 && centsOf(row) * 100 <= peak * (100 - fallPercent),
      isSale: ({ side, size }) => side === 'sell' && typeof size === 'number' && size >= saleSize,
      sales: numberParameter(parameters, 'sales'),
    }).within(numberParameter(parameters, 'days') * MS_PER_DAY);
    const rows = readWithEventTime(env, input).keyBy((row) => keyField(row, 'symbol'));
    const sellOffs = CEP.pattern<Row>(rows, pattern, ROWS)
      .sideOutputTimedOut(WITHOUT_SALES, (matched) => sellOff('fall-without-sales', matched))
      .select((matched) => sellOff('sell-off', matched))
      .uid('sell-offs')
      .name('Sell-offs');
    sellOffs.sinkTo(sinkOptions(input)).uid('sink');
    sellOffs
      .getSideOutput(WITHOUT_SALES)
      .filter(({ toCents }) => toCents > 0)
      .uid('falls')
      .sinkTo(sinkOptions(input))
      .uid('falls-sink');
    return { graph: env.jobGraph(), audit: { stateIsOrderInsensitive: true, outputValues: 'multiset' } };
  },
};

interface Signs {
  readonly isFall: (row: Row, peakCents: number) => boolean;
  readonly isSale: (row: Row) => boolean;
  readonly sales: number;
}

/** What is looked for: of each contiguity, of parts that come once, so often, or once and more. */
function patternOf(kind: string, { isFall, isSale, sales }: Signs): Pattern<Row> {
  switch (kind) {
    case 'sell-offs':
      return Pattern.begin<Row>('peak')
        .where((row) => centsOf(row) > 0)
        .followedBy('fall')
        .where((row, matched) => isFall(row, peakOf(matched)))
        .followedBy('sales')
        .where(isSale)
        .times(sales);
    case 'runs':
      return Pattern.begin<Row>('peak', 'skip-past-last-event')
        .where(isSale)
        .next('sales')
        .where(isSale)
        .oneOrMore()
        .allowCombinations()
        .followedBy('fall')
        .where((row) => centsOf(row) > 0);
    case 'pairs':
      return Pattern.begin<Row>('peak').where(isSale).followedByAny('sales').where(isSale).oneOrMore().consecutive();
    default:
      throw new InvalidJob(`The parameter pattern is '${kind}'; it must be sell-offs, runs or pairs.`);
  }
}

/** Of a price; 0 for a trade. */
function centsOf({ price }: Row): number {
  return typeof price === 'number' ? Math.round(price * 100) : 0;
}

const peakOf = (matched: Matched<Row>): number => matched('peak').map(centsOf)[0] ?? 0;

function sellOff(kind: SellOff['kind'], matched: Matched<Row>): SellOff {
  return {
    key: matched('peak').map((row) => keyField(row, 'symbol'))[0] ?? '',
    kind,
    fromCents: peakOf(matched),
    toCents: matched('fall').map(centsOf)[0] ?? 0,
    trades: [...matched('peak'), ...matched('sales')].flatMap(({ trade }) =>
      trade === undefined ? [] : [Number(trade)],
    ),
  };
}
