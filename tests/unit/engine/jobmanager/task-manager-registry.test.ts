import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import {
  type RegisteredTaskManager,
  slotsInTurn,
  TaskManagerRegistry,
} from '../../../../engine/jobmanager/task-manager-registry.ts';

const taskManager = (name: string, changes: Partial<RegisteredTaskManager> = {}): RegisteredTaskManager => ({
  node: nodeId(name),
  incarnation: 1,
  slots: 2,
  heardUs: 0,
  executions: new Map(),
  ...changes,
});

describe('slots', () => {
  const places = (...all: RegisteredTaskManager[]) =>
    slotsInTurn(all).map(({ taskManager: { node }, slot }) => `${node}/${slot}`);

  it('are dealt out over the TaskManagers in turn', () => {
    expect(places(taskManager('a'), taskManager('b'))).toEqual(['a/0', 'b/0', 'a/1', 'b/1']);
  });

  it('of a TaskManager with fewer end earlier', () => {
    expect(places(taskManager('a', { slots: 1 }), taskManager('b', { slots: 3 }))).toEqual([
      'a/0',
      'b/0',
      'b/1',
      'b/2',
    ]);
  });
});

describe('TaskManager registry', () => {
  it('sorts by name, whoever answered first', () => {
    const registry = new TaskManagerRegistry();
    for (const name of ['b', 'c', 'a']) registry.heard(taskManager(name));
    expect(registry.sorted().map(({ node }) => node)).toEqual(['a', 'b', 'c']);
  });

  it('tells a new process from a known one, and ignores what an older process still says', () => {
    const registry = new TaskManagerRegistry();
    expect(registry.heard(taskManager('a'))).toBe('new');
    expect(registry.heard(taskManager('a', { heardUs: 5 }))).toBe('known');
    expect(registry.heard(taskManager('a', { incarnation: 2 }))).toBe('restarted');
    registry.heard(taskManager('a', { incarnation: 1, heardUs: 9 }));
    expect(registry.of(nodeId('a'))).toMatchObject({ incarnation: 2, heardUs: 0 });
  });

  it('removes those that were silent, once', () => {
    const registry = new TaskManagerRegistry();
    registry.heard(taskManager('a', { heardUs: 10 }));
    registry.heard(taskManager('b', { heardUs: 20 }));
    expect(registry.removeSilent(20)).toEqual(['a']);
    expect(registry.removeSilent(20)).toEqual([]);
    expect(registry.of(nodeId('a'))).toBeUndefined();
  });

  it('forgets a process when a newer one of its node speaks, not the other way round', () => {
    const registry = new TaskManagerRegistry();
    registry.heard(taskManager('a', { incarnation: 2 }));
    registry.forgetBefore(nodeId('a'), 2);
    registry.forgetBefore(nodeId('b'), 9);
    expect(registry.size).toBe(1);
    registry.forgetBefore(nodeId('a'), 3);
    expect(registry.size).toBe(0);
  });
});
