import { describe, expect, test } from 'vitest';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import { type DiskDamage, rottenBytes } from '../../../../sim/node/disk-damage.ts';
import { HARDWARE_PROFILES, profileNamed } from '../../../../sim/node/hardware-profile.ts';
import { LocalDisk } from '../../../../sim/node/local-disk.ts';
import { VirtualNode } from '../../../../sim/node/virtual-node.ts';

describe('virtual node', () => {
  test('a machine: each start is a new incarnation', () => {
    const node = new VirtualNode(nodeId('a'), 0);
    expect([node.state, node.incarnation]).toEqual(['down', 0]);
    node.start();
    node.pause();
    expect(() => node.crash(1)).toThrow('a machine that crashes was up');
    node.resume();
    node.crash(10);
    node.start();
    expect([node.state, node.incarnation]).toEqual(['up', 2]);
    expect(() => node.start()).toThrow('a machine that starts was down');
  });

  test('a message of an incarnation: sent if it departed by the time of death', () => {
    const node = new VirtualNode(nodeId('a'), 0);
    node.start();
    expect(node.hasSent(1, 1_000)).toBe(true);
    node.crash(10);
    node.start();
    expect([node.hasSent(1, 10), node.hasSent(1, 11), node.hasSent(2, 999)]).toEqual([true, false, true]);
    node.crash(20);
    expect([node.hasSent(1, 10), node.hasSent(2, 20), node.hasSent(2, 21)]).toEqual([true, true, false]);
  });
});

test('a local disk: the last write counts, paths come in order', () => {
  const disk = new LocalDisk();
  disk.write('/b', new Uint8Array([1]));
  disk.write('/a/2', new Uint8Array([2]));
  disk.write('/a/1', new Uint8Array([3]));
  disk.write('/b', new Uint8Array([4]));
  expect(disk.read('/b')).toEqual(new Uint8Array([4]));
  expect(disk.paths('/a/')).toEqual(['/a/1', '/a/2']);
  expect([disk.delete('/b'), disk.delete('/b'), disk.read('/b')]).toEqual([true, false, undefined]);
});

describe('a local disk that goes bad', () => {
  const ALWAYS = { chance: { numerator: 1, denominator: 1 }, place: 7 };
  const bytes = Uint8Array.from({ length: 64 }, (_, index) => index);
  const damaged = (damage: DiskDamage) => {
    const disk = new LocalDisk();
    const read: string[] = [];
    disk.onEffective((fault) => read.push(fault));
    disk.write('before', bytes);
    disk.damage('f1', damage);
    return { disk, read };
  };

  test('what is there rots, and what is written until it ends; its bytes are left alone', () => {
    const { disk, read } = damaged(ALWAYS);
    disk.write('meanwhile', bytes);
    disk.endDamage('f1');
    disk.write('after', bytes);
    expect(read).toEqual([]);
    expect(disk.read('after')).toEqual(bytes);
    expect(read).toEqual([]);
    for (const path of ['before', 'meanwhile']) expect(disk.read(path)).not.toEqual(bytes);
    expect(read).toEqual(['f1', 'f1']);
    expect(bytes).toEqual(Uint8Array.from({ length: 64 }, (_, index) => index));
  });

  test('it stays until the file is written anew, and is the same for each read', () => {
    const { disk } = damaged(ALWAYS);
    disk.endDamage('f1');
    expect(disk.read('before')).toEqual(disk.read('before'));
    disk.write('before', bytes);
    expect(disk.read('before')).toEqual(bytes);
  });

  test('of two faults the first one that struck a file has it', () => {
    const { disk, read } = damaged(ALWAYS);
    disk.damage('f2', { ...ALWAYS, place: 8 });
    disk.read('before');
    expect(read).toEqual(['f1']);
  });

  test('chance is of each file: some are spared, of the others a bit is wrong or the end is missing', () => {
    const names = Array.from({ length: 400 }, (_, index) => `local-state/${index}`);
    const half = { chance: { numerator: 1, denominator: 2 }, place: 3 };
    const rotten = names.flatMap((name) => rottenBytes(name, bytes, half) ?? []);
    expect(rotten.length).toBeGreaterThan(150);
    expect(rotten.length).toBeLessThan(250);
    const cut = rotten.filter(({ length }) => length < bytes.length);
    expect(cut.length).toBeGreaterThan(20);
    for (const one of rotten.filter(({ length }) => length === bytes.length)) {
      const wrong = [...one].map((byte, index) => byte ^ (bytes[index] ?? 0)).filter((bits) => bits !== 0);
      expect(wrong.length).toBe(1);
      expect([1, 2, 4, 8, 16, 32, 64, 128]).toContain(wrong[0]);
    }
  });

  test('an empty file has nothing to rot', () => {
    expect(rottenBytes('a', new Uint8Array(0), ALWAYS)).toBeUndefined();
  });
});

describe('hardware profiles', () => {
  test('a profile: found by name, complete and positive', () => {
    for (const profile of HARDWARE_PROFILES) {
      expect(profileNamed(profile.name)).toBe(profile);
      for (const cost of Object.values(profile.nanoseconds)) expect(cost).toBeGreaterThan(0);
      expect(profile.linkLatency.quantilesUs[0]).toBeGreaterThan(0);
    }
  });

  test('an unknown profile: it is refused', () => {
    expect(() => profileNamed('abacus')).toThrow('a plan names a known hardware profile');
  });
});
