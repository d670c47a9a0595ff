/** Consistent cut and exactly-once state: each anomaly on a minimal wrong checkpoint, silence on the right one. */
import { describe, expect, it } from 'vitest';
import { checkpointId, executionAttemptId, leaderEpoch, nodeId } from '../../../../engine/foundation/ids.ts';
import { decodeMetadata, encodeMetadata } from '../../../../engine/protocol/metadata-file.ts';
import type { Verdict } from '../../../../sim/judges/verdict.ts';
import { COUNT_AUDIT, KEYS, metadataPath, rightLife, SmallLife, statePath, TASKS } from './small-life.ts';

const of = (judge: string, verdicts: readonly Verdict[]): Verdict[] =>
  verdicts.filter((verdict) => verdict.judge === judge);
const cut = (life: SmallLife): Verdict[] => of('consistent-cut', life.end('liveness-bound'));
const state = (life: SmallLife, cause: 'liveness-bound' | 'liveness-reached' = 'liveness-bound'): Verdict[] =>
  of('exactly-once-state', life.end(cause));

function flipByte(life: SmallLife, path: string): void {
  const bytes = life.world.files.get(path)?.slice() ?? new Uint8Array(0);
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  life.world.files.set(path, bytes);
}

describe('consistent cut', () => {
  it('state of exactly the records before the offsets: passed', () => {
    const life = new SmallLife(KEYS);
    life.checkpoint({ id: 1, offsets: [1, 0] });
    life.checkpoint({ id: 2, offsets: [1, 3] });
    life.checkpoint({ id: 3, offsets: [3, 3] });
    expect(cut(life)).toMatchObject([{ outcome: 'passed' }]);
  });

  it('a record before the offsets not in state: cut-misses-record names record and key', () => {
    const life = new SmallLife(KEYS);
    const at = life.checkpoint({ id: 1, offsets: [3, 1], counted: ['a', 'b', 'b'] });
    const [verdict] = cut(life);
    expect(verdict).toMatchObject({ outcome: 'violated', anomaly: 'cut-misses-record', at: [at] });
    expect(verdict?.message).toContain('operator count, state count, key "a": expected 2, found 1');
    expect(verdict?.message).toContain('without record 0 (topic words, partition 0, offset 0)');
  });

  it('a key that is missing altogether: cut-misses-record', () => {
    const life = new SmallLife(KEYS);
    life.checkpoint({ id: 1, offsets: [1, 1], counted: ['a'] });
    expect(cut(life)).toMatchObject([{ anomaly: 'cut-misses-record' }]);
  });

  it('a record behind the offsets in state: cut-holds-too-much', () => {
    const life = new SmallLife(KEYS);
    life.checkpoint({ id: 1, offsets: [2, 0], counted: ['a', 'b', 'a'] });
    const [verdict] = cut(life);
    expect(verdict?.anomaly).toBe('cut-holds-too-much');
    expect(verdict?.message).toContain('with the later record 4 (topic words, partition 0, offset 2)');
  });

  it('the first records behind the offsets of several partitions in state: cut-holds-too-much, as barriers that are not aligned have it', () => {
    const life = new SmallLife([
      ['c', 'c', 'd', 'c'],
      ['c', 'd', 'c'],
    ]);
    life.checkpoint({ id: 1, offsets: [1, 0], counted: ['c', 'c', 'c', 'c', 'c'] });
    const [verdict] = cut(life);
    expect(verdict?.anomaly).toBe('cut-holds-too-much');
    expect(verdict?.message).toMatch(/expected 1, found 5 - as if computed with the later record .* and 3 more/);
    // More than there are no records explain.
    const more = new SmallLife([['c', 'c'], ['c']]);
    more.checkpoint({ id: 1, offsets: [1, 0], counted: ['c', 'c', 'c', 'c', 'c'] });
    expect(cut(more)).toMatchObject([{ anomaly: 'state-wrong' }]);
  });

  it.each([
    ['behind', 0, /expected nothing, found 20 - as if computed with the later record .* and 19 more/],
    ['before', 6, /expected 48, found 68 - as if computed counting twice record .* and 19 more/],
  ])('twenty records %s the offsets of eight partitions: one choice of them explains a count', (_, offset, message) => {
    const partition = Array.from({ length: 6 }, () => 'c');
    const life = new SmallLife(Array.from({ length: 8 }, () => partition));
    const offsets = Array.from({ length: 8 }, () => offset);
    life.checkpoint({ id: 1, offsets, counted: Array.from({ length: 8 * offset + 20 }, () => 'c') });
    const [verdict] = cut(life);
    expect(verdict?.anomaly).toBe('cut-holds-too-much');
    expect(verdict?.message).toMatch(message);
  });

  it('a record counted twice: cut-holds-too-much', () => {
    const life = new SmallLife([['c'], ['d']]);
    life.checkpoint({ id: 1, offsets: [1, 1], counted: ['c', 'c', 'd'] });
    const [verdict] = cut(life);
    expect(verdict?.anomaly).toBe('cut-holds-too-much');
    expect(verdict?.message).toContain('counting twice record 0');
  });

  it('state that no records explain: state-wrong', () => {
    const life = new SmallLife(KEYS);
    life.checkpoint({ id: 1, offsets: [1, 1], counted: ['a', 'b', 'zebra'] });
    expect(cut(life)).toMatchObject([{ anomaly: 'state-wrong' }]);
  });

  it('only the first wrong cut speaks', () => {
    const life = new SmallLife(KEYS);
    life.checkpoint({ id: 1, offsets: [1, 1], counted: ['a'] });
    life.checkpoint({ id: 2, offsets: [2, 1], counted: ['a'] });
    expect(cut(life)).toHaveLength(1);
    expect(cut(life)[0]?.message).not.toContain('more)');
  });

  it('order matters to the job: state is not compared', () => {
    const life = new SmallLife(KEYS, { ...COUNT_AUDIT, stateIsOrderInsensitive: false });
    life.checkpoint({ id: 1, offsets: [1, 1], counted: [] });
    expect(cut(life)).toMatchObject([{ outcome: 'passed' }]);
  });

  it('a partition that stands before an earlier cut: cut-went-back', () => {
    const life = new SmallLife(KEYS);
    life.checkpoint({ id: 1, offsets: [3, 1] });
    const at = life.checkpoint({ id: 2, offsets: [2, 2] });
    expect(cut(life)).toMatchObject([{ anomaly: 'cut-went-back', at: [at] }]);
  });

  it.each([
    ['a missing state file', (life: SmallLife) => life.world.files.delete(statePath(1, 1))],
    ['a flipped byte in a state file', (life: SmallLife) => flipByte(life, statePath(1, 0))],
    ['a flipped byte in _metadata', (life: SmallLife) => flipByte(life, metadataPath(1))],
    ['offsets behind the end of the input', (life: SmallLife) => life.store({ id: 1, offsets: [9, 9], counted: [] })],
  ])('%s: checkpoint-unreadable', (_, damage) => {
    const life = new SmallLife(KEYS);
    life.trigger(1);
    life.store({ id: 1, offsets: [2, 2] });
    damage(life);
    life.point(1);
    const at = life.complete(1);
    expect(cut(life)).toMatchObject([{ anomaly: 'checkpoint-unreadable', at: [at] }]);
  });
});

describe('exactly-once state', () => {
  it('the newest checkpoint is as the reference and covers all input: passed', () => {
    expect(state(rightLife(), 'liveness-reached')).toMatchObject([{ outcome: 'passed' }]);
  });

  it.each([
    ['state-lost', ['a', 'b']],
    ['state-duplicated', ['a', 'b', 'b', 'b']],
    ['state-wrong', ['a', 'b', 'b', 'zebra']],
  ])('%s', (anomaly, counted) => {
    const life = new SmallLife(KEYS);
    life.checkpoint({ id: 1, offsets: [2, 1], counted });
    expect(state(life)).toMatchObject([{ outcome: 'violated', anomaly }]);
  });

  it('a retained checkpoint damaged later: checkpoint-not-restorable', () => {
    const life = rightLife();
    flipByte(life, statePath(2, 0));
    expect(state(life)).toMatchObject([{ anomaly: 'checkpoint-not-restorable' }]);
  });

  it('no checkpoint: inconclusive', () => {
    expect(state(new SmallLife(KEYS))).toMatchObject([{ outcome: 'inconclusive' }]);
  });

  const deploy = (life: SmallLife, attempt: number, epoch: number): number =>
    life.tell({
      kind: 'task-deployed',
      epoch: leaderEpoch(epoch),
      jobAttempt: 2,
      node: nodeId('taskmanager-1'),
      attempt: executionAttemptId(attempt),
      vertex: 0,
      subtask: 0,
      parallelism: 1,
    });
  const restored = (life: SmallLife, attempt: number, id: number): number =>
    life.tell({
      kind: 'task-restored',
      attempt: executionAttemptId(attempt),
      vertex: 0,
      subtask: 0,
      checkpointId: checkpointId(id),
    });

  it('a task restored from what the pointer named at its deployment: passed', () => {
    const life = rightLife();
    deploy(life, 11, 1);
    restored(life, 11, 2);
    restored(life, 12, 0);
    expect(state(life)).toMatchObject([{ outcome: 'passed' }]);
  });

  it('a task restored from a checkpoint that was never in the pointer: restored-incomplete', () => {
    const life = rightLife();
    deploy(life, 11, 1);
    const at = restored(life, 11, 3);
    expect(state(life)).toMatchObject([{ anomaly: 'restored-incomplete', at: [at] }]);
  });

  it('a task deployed with a subsumed checkpoint: restored-unnamed, unless its leader was replaced', () => {
    const life = rightLife();
    deploy(life, 11, 1);
    restored(life, 11, 1);
    expect(state(life)).toMatchObject([{ anomaly: 'restored-unnamed' }]);
    const zombie = rightLife();
    zombie.lead(2);
    deploy(zombie, 11, 1);
    restored(zombie, 11, 1);
    expect(state(zombie)).toMatchObject([{ outcome: 'passed' }]);
  });
});

describe('a checkpoint that is not whole', () => {
  it('key groups are in none of its handles: state-not-whole', () => {
    const life = new SmallLife(KEYS);
    life.lead(1);
    life.trigger(1);
    for (const attempt of TASKS) life.acknowledge(1, attempt);
    life.store({ id: 1, offsets: [1, 1] });
    const metadata = decodeMetadata(life.world.files.get(metadataPath(1)) ?? new Uint8Array(0));
    const states = metadata.states.filter(({ vertex, subtask }) => vertex !== 1 || subtask !== 1);
    life.put(metadataPath(1), encodeMetadata({ ...metadata, states }));
    life.point(1);
    const at = life.complete(1);
    const found = life.end('liveness-bound').find(({ anomaly }) => anomaly === 'state-not-whole');
    expect(found).toMatchObject({ judge: 'consistent-cut', at: [at] });
  });
});
