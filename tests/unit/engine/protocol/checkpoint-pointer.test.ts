import { describe, expect, it } from 'vitest';
import {
  counterKey,
  decodeLease,
  decodePointer,
  encodeLease,
  encodePointer,
  leaderKey,
  pointerKey,
} from '../../../../engine/protocol/checkpoint-pointer.ts';
import { EPOCH, id } from '../../../support/engine-values.ts';

describe('values in the coordination store', () => {
  it('F16: the pointer comes back as written', () => {
    const pointer = {
      epoch: EPOCH,
      completed: [
        { id: id(3), metadata: 'chk-3/_metadata' },
        { id: id(5), metadata: 'chk-5/_metadata' },
      ],
    };
    expect(decodePointer(encodePointer(pointer))).toEqual(pointer);
  });

  it('F14: the lease comes back as written', () => {
    const lease = { epoch: EPOCH, holder: 'jobmanager-1', incarnation: 2, renewal: 9 };
    expect(decodeLease(encodeLease(lease))).toEqual(lease);
  });

  it('lie under keys of their job, apart from each other', () => {
    const keys = ['a', 'b'].flatMap((job) => [leaderKey(job), pointerKey(job), counterKey(job)]);
    expect(new Set(keys).size).toBe(6);
  });
});
