import { expect, test } from 'vitest';
import type { EngineEvent, FiredTimers } from '../../../../engine/protocol/engine-events.ts';
import { FiredTimersLog } from '../../../../sim/judges/fired-timers.ts';
import { EPISODES_KEPT } from '../../../../sim/judges/forget-oldest.ts';

const KEY_GROUPS = { start: 0, end: 0 };
const TIMER = { timestampUs: 500, keyGroup: 0, key: 'JFK', namespace: '' };

function taken(log: FiredTimersLog, checkpointId: number, watermarkUs: number): void {
  const time: FiredTimers[] = [{ operator: 'windows', keyGroups: KEY_GROUPS, watermarkUs }];
  log.taken({ kind: 'snapshot-taken', checkpointId, time } as unknown as Extract<
    EngineEvent,
    { kind: 'snapshot-taken' }
  >);
}

test('what has fired before a completed checkpoint has fired before the next one', () => {
  const log = new FiredTimersLog();
  taken(log, 1, 900);
  log.completed(1);
  taken(log, 2, 100);
  expect(log.before(2)('windows', TIMER)).toBe(true);
});

test('what a failed checkpoint had fired says nothing of the next one', () => {
  const log = new FiredTimersLog();
  taken(log, 1, 900);
  taken(log, 2, 100);
  expect(log.before(2)('windows', TIMER)).toBe(false);
});

/** `removed-state` 8003 under pct: all subtasks had acknowledged the savepoint, and its `_metadata` was on its way, when a TaskManager went. */
test('a savepoint that completes behind a restart from before it keeps what was said of it, and those behind the restart do not inherit it', () => {
  const log = new FiredTimersLog();
  taken(log, 2, 100);
  log.completed(2);
  taken(log, 3, 900);
  log.restored({ checkpointId: 2, vertex: 0 });
  expect(log.completed(3)).toHaveLength(1);
  expect(log.before(3)('windows', TIMER)).toBe(true);
  taken(log, 4, 200);
  log.completed(4);
  expect(log.before(4)('windows', TIMER)).toBe(false);
});

test('an id that is used again is that of the newer checkpoint', () => {
  const log = new FiredTimersLog();
  taken(log, 3, 900);
  log.restored({ checkpointId: 2, vertex: 0 });
  taken(log, 3, 100);
  expect(log.before(3)('windows', TIMER)).toBe(false);
});

/** More checkpoints than are told apart, event time always behind the timer. */
function passBy(log: FiredTimersLog, from: number): number {
  const to = from + 2 * EPISODES_KEPT;
  for (let id = from; id <= to; id += 1) {
    taken(log, id, 100);
    log.completed(id);
  }
  return to;
}

test('what has fired is remembered when its checkpoint is not', () => {
  const log = new FiredTimersLog();
  taken(log, 1, 900);
  log.completed(1);
  expect(log.before(passBy(log, 2))('windows', TIMER)).toBe(true);
});

test('what the job was restored from last is told apart from what came behind it, however long ago that was', () => {
  const log = new FiredTimersLog();
  taken(log, 1, 100);
  log.completed(1);
  log.restored({ checkpointId: 1, vertex: 0 });
  taken(log, 2, 900);
  log.completed(2);
  const newest = passBy(log, 3);
  expect(log.before(1)('windows', TIMER)).toBe(false);
  expect(log.before(newest)('windows', TIMER)).toBe(true);
});

test('what had fired before a version of the job began is no part of what has fired since, however long ago that was', () => {
  const log = new FiredTimersLog();
  taken(log, 1, 900);
  log.completed(1);
  log.before(2, 1);
  const newest = passBy(log, 2);
  expect(log.before(newest, 1)('windows', TIMER)).toBe(false);
  expect(log.before(newest)('windows', TIMER)).toBe(true);
});

test('a savepoint that a client was handed out: the job goes on from it as if what came behind had not been', () => {
  const log = new FiredTimersLog();
  taken(log, 1, 600);
  log.handedOut('savepoint-1', 1);
  taken(log, 2, 900);
  log.completed(2);
  passBy(log, 3);
  const later = { ...TIMER, timestampUs: 800 };
  log.restored({ checkpointId: 1, vertex: 0 });
  const next = 10 * EPISODES_KEPT;
  taken(log, next, 100);
  expect(log.before(next)('windows', TIMER)).toBe(true);
  expect(log.before(next)('windows', later)).toBe(false);
});
