/**
 * Looks for sell-offs: the price of a share falls by so many percent within so many days of an earlier price, and large sales follow.
 *
 * Prices and trades are two topics and one stream per symbol. A price is the beginning of a match whenever a later one is low enough; the first
 * one that is ends the fall, and of the trades behind it the first large sales count. Falls without such sales in time come out of a side output.
 *
 * Prices are compared in whole cents: no answer hangs on a rounding.
 */
import { CEP, Pattern } from '../../engine/api/cep.ts';
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import { OutputTag } from '../../engine/job/functions.ts';
import type { Matched } from '../../engine/job/patterns.ts';
import { Types } from '../../engine/state/type-information.ts';
import type { TypeSerializer } from '../../engine/state/type-serializer.ts';
import { eventTimeParameters, MS_PER_MINUTE, readWithEventTime } from './event-time.ts';
import { type JobDefinition, keyField, numberParameter, type Row } from './job-definition.ts';
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
    const pattern = Pattern.begin<Row>('peak')
      .where((row) => centsOf(row) > 0)
      .followedBy('fall')
      .where((row, matched) => centsOf(row) > 0 && centsOf(row) * 100 <= peakOf(matched) * (100 - fallPercent))
      .followedBy('sales')
      .where(({ side, size }) => side === 'sell' && typeof size === 'number' && size >= saleSize)
      .times(numberParameter(parameters, 'sales'))
      .within(numberParameter(parameters, 'days') * MS_PER_DAY);
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
    trades: matched('sales').map(({ trade }) => Number(trade)),
  };
}
