import { describe, expect, it } from 'vitest';
import {
  decodeSinkTransactions,
  decodeSourceOffsets,
  encodeSinkTransactions,
  encodeSourceOffsets,
} from '../../../../engine/connectors/operator-state-rows.ts';

const OFFSETS = [
  { partition: 3, offset: 2_000_000_000 },
  { partition: 0, offset: 0 },
];
const TRANSACTIONS = [
  { producer: 0, transaction: 'out-0-7-1', checkpointId: 1 },
  { producer: 0, transaction: 'out-0-7-2', checkpointId: 2 },
];

describe('operator state of connectors', () => {
  it('K4: positions come back as written, in order', () => {
    expect(decodeSourceOffsets(encodeSourceOffsets(OFFSETS))).toEqual(OFFSETS);
    expect(decodeSourceOffsets(encodeSourceOffsets([]))).toEqual([]);
  });

  it('K9: transactions come back as written, in order', () => {
    expect(decodeSinkTransactions(encodeSinkTransactions(TRANSACTIONS))).toEqual(TRANSACTIONS);
  });

  it('T9: a flipped byte anywhere is refused', () => {
    const bytes = encodeSinkTransactions(TRANSACTIONS);
    for (let at = 0; at < bytes.length; at += 1) {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] ?? 0) ^ 0x10;
      expect(() => decodeSinkTransactions(flipped), `byte ${at}`).toThrow();
    }
  });
});
