/** The form of keyed state that every backend reads. */
import { describe, expect, it } from 'vitest';
import { CorruptData } from '../../../../engine/foundation/byte-reader.ts';
import { maskedCrc32c } from '../../../../engine/foundation/crc32c.ts';
import { keyGroupRangeOf } from '../../../../engine/job/key-groups.ts';
import { fromCanonical, isCanonical, toCanonical } from '../../../../engine/state/canonical-savepoint.ts';
import { HashMapStateBackend } from '../../../../engine/state/hashmap-state-backend.ts';
import { mapState, valueState } from '../../../../engine/state/state-descriptor.ts';
import { Types } from '../../../../engine/state/type-information.ts';

const MAX = 16;
/** Behind the magic. */
const VERSION_AT = 4;
const CHECKSUM_BYTES = 4;
const count = valueState('count', Types.int);
const seen = mapState('seen', Types.string, Types.int);
const KEYS = ['ada', 'bob', 'cy', 4, -5, 6.5, true, 'dé'];

const backend = (): HashMapStateBackend =>
  new HashMapStateBackend({ keySerializer: Types.key, keyGroups: keyGroupRangeOf(0, 1, MAX), maxParallelism: MAX });

function fileOf(keys: typeof KEYS): Uint8Array {
  const made = backend();
  for (const key of keys) {
    made.setCurrentKey(key);
    made.getState(count).update(KEYS.indexOf(key));
    made.getState(seen).put(String(key), 1);
  }
  return made.snapshot().write();
}

describe('canonical savepoint', () => {
  it('C26: it holds the state: a backend restored from it has every entry', () => {
    const restored = backend();
    restored.restore(fromCanonical(toCanonical(fileOf(KEYS))));
    for (const [at, key] of KEYS.entries()) {
      restored.setCurrentKey(key);
      expect(restored.getState(count).value()).toBe(at);
      expect(restored.getState(seen).get(String(key))).toBe(1);
    }
    expect(restored.keyCount).toBe(2 * KEYS.length);
  });

  it('C26: its bytes do not depend on the order in which a backend keeps its entries', () => {
    const reversed = fileOf([...KEYS].reverse());
    expect(reversed).not.toEqual(fileOf(KEYS));
    expect(toCanonical(reversed)).toEqual(toCanonical(fileOf(KEYS)));
  });

  it('C26: it is told from the files of a backend', () => {
    expect(isCanonical(toCanonical(fileOf(KEYS)))).toBe(true);
    expect(isCanonical(fileOf(KEYS))).toBe(false);
  });

  it('C26: no state gives a file that restores to no state', () => {
    const restored = backend();
    restored.restore(fromCanonical(toCanonical(backend().snapshot().write())));
    expect(restored.keyCount).toBe(0);
  });

  it('T9: one of another format version is refused, whole as it may be', () => {
    const later = toCanonical(fileOf(KEYS));
    const view = new DataView(later.buffer, later.byteOffset, later.byteLength);
    const end = later.length - CHECKSUM_BYTES;
    const littleEndian = view.getUint32(VERSION_AT, true) === 1;
    view.setUint32(VERSION_AT, 2, littleEndian);
    view.setUint32(end, maskedCrc32c(later, 0, end), littleEndian);
    expect(() => fromCanonical(later)).toThrow('format version 1');
  });

  it('T9: any flipped byte is found', () => {
    const bytes = toCanonical(fileOf(KEYS));
    for (let at = 0; at < bytes.length; at += 7) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      expect(() => fromCanonical(damaged)).toThrow(CorruptData);
    }
  });
});
