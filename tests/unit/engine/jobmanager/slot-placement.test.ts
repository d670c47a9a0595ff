/** Which slot a subtask index gets (rows F5, F9), and when a node is blocked. */
import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import { Blocklist } from '../../../../engine/jobmanager/blocklist.ts';
import { placeSlots, type PreviousPlace } from '../../../../engine/jobmanager/slot-placement.ts';
import type { RegisteredTaskManager } from '../../../../engine/jobmanager/task-manager-registry.ts';

const taskManager = (name: string, incarnation = 1): RegisteredTaskManager => ({
  node: nodeId(name),
  incarnation,
  slots: 2,
  heardUs: 0,
  executions: new Map(),
});
const ran = (subtask: number, node: string, slot: number, changes: Partial<PreviousPlace> = {}): PreviousPlace => ({
  subtask,
  node: nodeId(node),
  incarnation: 1,
  slot,
  isLive: false,
  ...changes,
});

function placed(
  taskManagers: RegisteredTaskManager[],
  indices: number[],
  previous: PreviousPlace[],
  nodesRemember = false,
): unknown {
  const places = placeSlots({ taskManagers, indices, previous, nodesRemember });
  return places === undefined
    ? undefined
    : indices.map((index) => `${places[index]?.taskManager.node}/${places[index]?.slot}`);
}

describe('slot placement', () => {
  it('the first deployment is dealt out over the TaskManagers in turn', () => {
    expect(placed([taskManager('a'), taskManager('b')], [0, 1, 2], [])).toEqual(['a/0', 'b/0', 'a/1']);
  });

  it('F5: an index goes back to the slot it had', () => {
    const previous = [ran(0, 'b', 1), ran(1, 'a', 0)];
    expect(placed([taskManager('a'), taskManager('b')], [0, 1], previous)).toEqual(['b/1', 'a/0']);
  });

  it('F5: a slot of a process that is gone is no longer there; the others keep theirs', () => {
    const previous = [ran(0, 'a', 0), ran(1, 'b', 0)];
    expect(placed([taskManager('a', 2), taskManager('b')], [0, 1], previous)).toEqual(['a/0', 'b/0']);
    expect(placed([taskManager('b')], [0, 1], previous)).toEqual(['b/1', 'b/0']);
  });

  it('F5, S22: a node that remembers is gone back to, whichever process offers its slots', () => {
    const previous = [ran(0, 'b', 1), ran(1, 'a', 0)];
    expect(placed([taskManager('a', 2), taskManager('b', 2)], [0, 1], previous, true)).toEqual(['b/1', 'a/0']);
    expect(placed([taskManager('a', 2), taskManager('b', 2)], [0, 1], previous)).toEqual(['a/0', 'b/0']);
  });

  it('F5: the slot of an index that runs on is never given away', () => {
    const previous = [ran(0, 'a', 0), ran(1, 'b', 0, { isLive: true }), ran(2, 'b', 1, { isLive: true })];
    expect(placed([taskManager('b')], [0], previous)).toBeUndefined();
  });

  it('F5: the old slot of an index that waits for its own restart is taken last', () => {
    const previous = [ran(0, 'a', 0), ran(1, 'b', 0)];
    expect(placed([taskManager('b')], [0], previous)).toEqual(['b/1']);
    expect(placed([taskManager('b')], [0], [...previous, ran(2, 'b', 1, { isLive: true })])).toEqual(['b/0']);
  });

  it('F5: a region joins the slot in which its index runs for another region', () => {
    const previous = [ran(0, 'a', 1), ran(0, 'a', 1, { isLive: true }), ran(1, 'b', 0, { isLive: true })];
    expect(placed([taskManager('a'), taskManager('b')], [0], previous)).toEqual(['a/1']);
  });

  it('too few slots: none at all', () => {
    expect(placed([taskManager('a')], [0, 1, 2], [])).toBeUndefined();
  });
});

describe('blocklist', () => {
  const NODE = nodeId('a');

  it('F9: switched off as in Flink, nothing is ever blocked', () => {
    const blocklist = new Blocklist({ failures: 0, withinUs: 100, forUs: 100 });
    for (let nowUs = 0; nowUs < 50; nowUs += 1) expect(blocklist.failed(NODE, nowUs)).toBe(false);
    expect(blocklist.isBlocked(NODE, 50)).toBe(false);
  });

  it('F9: a node that failed often enough in the window is blocked until the end timestamp', () => {
    const blocklist = new Blocklist({ failures: 2, withinUs: 100, forUs: 50 });
    expect(blocklist.failed(NODE, 0)).toBe(false);
    expect(blocklist.failed(NODE, 101)).toBe(false);
    expect(blocklist.failed(NODE, 201)).toBe(true);
    expect([250, 251].map((nowUs) => blocklist.isBlocked(NODE, nowUs))).toEqual([true, false]);
    expect(blocklist.isBlocked(nodeId('b'), 210)).toBe(false);
  });
});
