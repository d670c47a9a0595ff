import { describe, expect, test } from 'vitest';
import { nodeId } from '../../../../engine/foundation/ids.ts';
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
