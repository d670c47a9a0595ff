/** Subtask i of every vertex shares a slot: more indices on a TaskManager than it has slots is one slot taken twice. */
import { describe, expect, it } from 'vitest';
import { executionAttemptId, leaderEpoch, nodeId } from '../../../../engine/foundation/ids.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import { Bounds } from '../../../../sim/judges/bounds.ts';
import { planOf } from '../../../support/lives.ts';

const { engine } = planOf('quickstart', '1');
const SLOTS = engine.runtime.slotsPerTaskManager;

class Told {
  readonly #judge = new Bounds({ graph: { edges: [], vertices: [] } as never, engine });
  #attempts = 0;

  tell(event: object, node = 'taskmanager-1'): this {
    this.#judge.observe({ index: 7, atUs: 0, node: nodeId(node), event } as HistoryEvent);
    return this;
  }

  deploy(subtask: number, { vertex = 0, node = 'taskmanager-1' } = {}): this {
    this.#attempts += 1;
    const of = { attempt: executionAttemptId(this.#attempts), vertex, subtask, node: nodeId(node), parallelism: 9 };
    return this.tell({ kind: 'task-deployed', epoch: leaderEpoch(1), jobAttempt: 1, ...of }, 'jobmanager-1');
  }

  /** As many as fit. */
  full(): this {
    for (let subtask = 0; subtask < SLOTS; subtask += 1) this.deploy(subtask).deploy(subtask, { vertex: 1 });
    return this;
  }

  get findings(): readonly string[] {
    return this.#judge.finish().map(({ anomaly }) => anomaly);
  }
}

const TWICE = ['slot-taken-twice'];

describe('slots', () => {
  it('subtasks of one index share a slot, whatever their vertex; one index more than slots is a finding', () => {
    expect(new Told().full().findings).toEqual(['']);
    expect(new Told().full().deploy(SLOTS).findings).toEqual(TWICE);
    expect(new Told().full().deploy(SLOTS, { vertex: 5 }).findings).toEqual(TWICE);
    expect(new Told().full().deploy(SLOTS, { node: 'taskmanager-2' }).findings).toEqual(['']);
  });

  it.each(['finished', 'canceled', 'failed'])('an attempt that is %s leaves its slot', (state) => {
    const told = new Told().full();
    told.tell({ kind: 'task-state', attempt: executionAttemptId(1), vertex: 0, subtask: 0, state });
    expect(told.deploy(SLOTS).findings).toEqual(TWICE);
    const both = new Told().full();
    for (const attempt of [1, 2])
      both.tell({ kind: 'task-state', attempt: executionAttemptId(attempt), vertex: attempt - 1, subtask: 0, state });
    expect(both.deploy(SLOTS).findings).toEqual(['']);
  });

  it('what restarts, a job that does not run, and a process that is lost leave theirs', () => {
    const named = [0, 1].map((vertex) => ({ vertex, subtask: 0 }));
    const restart = {
      kind: 'restart-scheduled',
      epoch: leaderEpoch(1),
      cause: 'task-exception',
      delayUs: 0,
      subtasks: named,
    };
    const { subtasks: _, ...ofAll } = restart;
    expect(new Told().full().tell(restart).deploy(SLOTS).findings).toEqual(['']);
    expect(new Told().full().tell(ofAll).deploy(SLOTS).findings).toEqual(['']);
    expect(new Told().full().tell({ kind: 'job-status', status: 'restarting' }).deploy(SLOTS).findings).toEqual(['']);
    expect(new Told().full().tell({ kind: 'job-status', status: 'running' }).deploy(SLOTS).findings).toEqual(TWICE);
    expect(new Told().full().tell({ kind: 'node-crashed' }).deploy(SLOTS).findings).toEqual(['']);
  });
});
