/** Takes one record: the next operator of the chain, or the channels behind it. Called per record, so three plain arguments. */
export interface ElementConsumer {
  process(value: unknown, timestampUs: number, lineage: number): void;
}
