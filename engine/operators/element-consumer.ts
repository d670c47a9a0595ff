/** Takes one record: the next operator of the chain, or the channels behind it. Called per record, so three plain arguments. */
export interface ElementConsumer {
  process(value: unknown, timestampUs: number, lineage: number): void;
}

/** Takes a record of a side output, by the id of its tag. */
export interface SideOutputConsumer {
  processSide(tag: string, value: unknown, timestampUs: number, lineage: number): void;
}
