/**
 * Where a partition is read from that no checkpoint knows (Flink: OffsetsInitializer). `committed`: what the group of consumers had committed,
 * and the start where it had committed nothing. A time: the first entry with a record of that time or a later one, or the end.
 */
export type StartPosition = 'earliest' | 'latest' | 'committed' | { readonly timestampUs: number };
