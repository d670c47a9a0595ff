/**
 * What the Nexmark queries read and store: one stream of events taken apart by kind, and the types their states keep of it.
 *
 * Events of a partition lie in the order of their time, so the newest time read of it is its watermark, and nothing is ever late.
 */
import type { DataStream } from '../../../engine/api/data-stream.ts';
import { WatermarkStrategy } from '../../../engine/api/watermark-strategy.ts';
import type { StreamExecutionEnvironment } from '../../../engine/api/stream-execution-environment.ts';
import { Types } from '../../../engine/state/type-information.ts';
import type { JobAudit } from '../../../sim/judges/job-audit.ts';
import { type Auction, type Bid, NEXMARK_MEAN_BYTES, type Person } from '../../datasets/nexmark-dataset.ts';
import type { JobInput, Row } from '../job-definition.ts';
import { readTopic, unionOf } from '../log-topics.ts';

/** To be called once each, and only where the query reads them: a stream that nobody reads is refused. */
export interface NexmarkStreams {
  persons(): DataStream<Person>;
  auctions(): DataStream<Auction>;
  bids(): DataStream<Bid>;
}

/** One of the standard queries. */
export interface NexmarkQuery {
  /** What it answers, as one sentence. */
  readonly description: string;
  readonly audit: JobAudit;
  build(streams: NexmarkStreams): DataStream<unknown>;
}

/** Neither state nor output depends on the schedule. */
export const ONE_ANSWER: JobAudit = { stateIsOrderInsensitive: true, outputValues: 'multiset' };

export const BID = Types.row<Bid>({
  kind: Types.enumeration('bid'),
  event: Types.int,
  time: Types.int,
  auction: Types.int,
  bidder: Types.int,
  price: Types.int,
  channel: Types.string,
  url: Types.string,
});

export const AUCTION = Types.row<Auction>({
  kind: Types.enumeration('auction'),
  event: Types.int,
  time: Types.int,
  id: Types.int,
  itemName: Types.string,
  initialBid: Types.int,
  reserve: Types.int,
  expires: Types.int,
  seller: Types.int,
  category: Types.int,
});

export const PERSON = Types.row<Person>({
  kind: Types.enumeration('person'),
  event: Types.int,
  time: Types.int,
  id: Types.int,
  name: Types.string,
  email: Types.string,
  creditCard: Types.string,
  city: Types.string,
  state: Types.string,
});

/** Position in the stream: settles the order of events of one millisecond. */
export const positionOf = ({ event }: { readonly event: number }): number => event;

export function nexmarkStreams(env: StreamExecutionEnvironment, input: JobInput): NexmarkStreams {
  const watermarks = WatermarkStrategy.forMonotonousTimestamps<Row>();
  const sized = { ...input, recordBytes: input.recordBytes ?? NEXMARK_MEAN_BYTES };
  const events = unionOf(input.topics.map((topic) => readTopic(env, sized, topic, watermarks)));
  return {
    persons: () => ofKind<Person>(events, 'person'),
    auctions: () => ofKind<Auction>(events, 'auction'),
    bids: () => ofKind<Bid>(events, 'bid'),
  };
}

/** Sound, as a row says of what kind it is.  */
function ofKind<E extends { readonly kind: string }>(events: DataStream<Row>, kind: E['kind']): DataStream<E> {
  return events
    .filter((row) => row['kind'] === kind)
    .name(`${kind}s`)
    .map((row) => row as unknown as E);
}
