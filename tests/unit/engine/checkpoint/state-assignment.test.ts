import { describe, expect, it } from 'vitest';
import { StateAssignment } from '../../../../engine/checkpoint/state-assignment.ts';
import { checkpointId } from '../../../../engine/foundation/ids.ts';
import type { JobGraph, JobVertex } from '../../../../engine/job/job-graph.ts';
import { standardParts } from '../../../../engine/parts.ts';
import type { RedistributionMode, StateHandle, SubtaskState } from '../../../../engine/protocol/state-handle.ts';
import { inlineHandle, keyedHandle } from '../../../support/engine-values.ts';

const listed = (operator: string, mode: RedistributionMode, offsets: readonly number[]): StateHandle => ({
  ...inlineHandle(operator, new Uint8Array([1])),
  lists: [{ name: 'list', mode, offsets }],
});

/** One vertex of 8 key groups: `count` keeps keyed state, `sink` operator state. */
function graph(parallelism: number): JobGraph {
  const sink = {
    uid: 'sink',
    name: 'Sink',
    kind: 'sink',
    sink: { guarantee: 'exactly-once', batchRecords: 1 },
  } as const;
  const count = { uid: 'count', name: 'Count', kind: 'map', map: (value: unknown) => value } as const;
  const vertex: JobVertex = { index: 0, name: 'v', parallelism, maxParallelism: 8, operators: [count, sink] };
  return { jobId: 'job', name: 'Job', vertices: [vertex], edges: [] };
}

const assigned = (states: readonly SubtaskState[], before: number, now: number): readonly string[][] => {
  const operators = ['count', 'sink'].map((uid) => ({ uid, parallelism: before, maxParallelism: 8 }));
  const assignment = new StateAssignment({
    graph: graph(now),
    restored: { checkpointId: checkpointId(7), states, operators },
    parts: standardParts,
  });
  return Array.from({ length: now }, (_, subtask) =>
    assignment.of(0, subtask).handles.map(({ operator, keyGroups, lists }) => {
      const elements = lists?.map(({ offsets }) => offsets.join(' ')).join();
      return `${operator} ${keyGroups === undefined ? (elements ?? 'whole') : `${keyGroups.start}-${keyGroups.end}`}`;
    }),
  );
};

const TWO: readonly SubtaskState[] = [
  { vertex: 0, subtask: 0, handles: [keyedHandle('count', 0, 3), listed('sink', 'union', [1, 2])] },
  { vertex: 0, subtask: 1, handles: [keyedHandle('count', 4, 7), listed('sink', 'union', [3])] },
];

describe('state assignment', () => {
  it('S8: at unchanged parallelism each subtask gets the keyed state it wrote; S6: union state goes to all', () => {
    expect(assigned(TWO, 2, 2)).toEqual([
      ['count 0-3', 'sink 1 2', 'sink 3'],
      ['count 4-7', 'sink 1 2', 'sink 3'],
    ]);
  });

  it('S8: each new subtask gets the handles that overlap its key groups', () => {
    const keyed = TWO.map((state) => ({ ...state, handles: state.handles.slice(0, 1) }));
    expect(assigned(keyed, 2, 1)).toEqual([['count 0-3', 'count 4-7']]);
    expect(assigned(keyed, 2, 3)).toEqual([['count 0-3'], ['count 0-3', 'count 4-7'], ['count 4-7']]);
    expect(assigned(keyed, 2, 4)).toEqual([['count 0-3'], ['count 0-3'], ['count 4-7'], ['count 4-7']]);
  });

  it('S5: list state of more subtasks than there are now is dealt out, not dropped', () => {
    const split = [
      { vertex: 0, subtask: 0, handles: [listed('sink', 'split-distribute', [1, 2])] },
      { vertex: 0, subtask: 1, handles: [listed('sink', 'split-distribute', [3])] },
    ];
    expect(assigned(split, 2, 1)).toEqual([['sink 1 2', 'sink 3']]);
    expect(assigned(split, 2, 3)).toEqual([['sink 1'], ['sink 2'], ['sink 3']]);
    expect(assigned(split, 2, 2)).toEqual([['sink 1 2'], ['sink 3']]);
  });

  it('S9: state without a mode of redistribution stays with its subtask and is refused at another parallelism', () => {
    const fixed = [{ vertex: 0, subtask: 1, handles: [inlineHandle('sink', new Uint8Array([2]))] }];
    expect(assigned(fixed, 2, 2)).toEqual([[], ['sink whole']]);
    expect(() => assigned(fixed, 2, 3)).toThrow(/restored at its parallelism/);
  });

  it('C31: state is found by the uid of its operator, whatever vertex it was in', () => {
    expect(
      assigned(
        TWO.map((state) => ({ ...state, vertex: 7 })),
        2,
        1,
      ),
    ).toEqual([['count 0-3', 'count 4-7', 'sink 1 2', 'sink 3']]);
  });

  it('X26: channel state that was given up goes to nobody, in or out, at whatever parallelism; all else does', () => {
    const channel = (operator: string, state: 'input-channel' | 'output-channel'): StateHandle => ({
      ...inlineHandle(operator, new Uint8Array([3])),
      state,
      channels: [{ edge: 0, peer: 0, offset: 8, bytes: 1 }],
    });
    const inFlight = TWO.map((state) => ({
      ...state,
      handles: [...state.handles, channel('count', 'input-channel'), channel('sink', 'output-channel')],
    }));
    const kindsOf = (restored: number, now: number): readonly string[] => {
      const operators = ['count', 'sink'].map((uid) => ({ uid, parallelism: 2, maxParallelism: 8 }));
      const loop = { index: 0, from: 0, to: 0, input: 0, partitioning: 'rebalance' } as const;
      const assignment = new StateAssignment({
        graph: { ...graph(now), edges: [loop] },
        restored: { checkpointId: checkpointId(restored), states: inFlight, operators },
        parts: standardParts,
        withoutChannelStateOf: 7,
      });
      const subtasks = Array.from({ length: now }, (_, subtask) => subtask);
      const all = subtasks.flatMap((subtask) => [
        ...assignment.of(0, subtask).handles,
        ...assignment.takenOver(0, subtask),
      ]);
      return [...new Set(all.map(({ state }) => state))].sort();
    };
    for (const parallelism of [1, 2, 3]) {
      expect(kindsOf(7, parallelism)).toEqual(['keyed', 'operator']);
      for (const other of [6, 8])
        expect(kindsOf(other, parallelism)).toEqual(['input-channel', 'keyed', 'operator', 'output-channel']);
    }
  });
});
