/**
 * What backpressure left of a data buffer, as a buffer (row B6: it is in-flight data like any other). Owns: nothing; pure. Invariant I1: an
 * untouched buffer is itself.
 */
import type { DataBuffer } from '../protocol/stream-elements.ts';

/** Its records from the one with this index on. */
export function restOf(buffer: DataBuffer, from: number): DataBuffer {
  if (from === 0) return buffer;
  const { values, timestampsUs, lineages } = buffer;
  return {
    kind: 'data',
    values: values.slice(from),
    timestampsUs: timestampsUs.slice(from),
    lineages: lineages.slice(from),
    bytes: Math.ceil((buffer.bytes * (values.length - from)) / values.length),
  };
}
