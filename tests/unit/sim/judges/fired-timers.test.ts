import { expect, test } from 'vitest';
import type { EngineEvent, FiredTimers } from '../../../../engine/protocol/engine-events.ts';
import { FiredTimersLog } from '../../../../sim/judges/fired-timers.ts';

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
  log.restored(2);
  expect(log.completed(3)).toHaveLength(1);
  expect(log.before(3)('windows', TIMER)).toBe(true);
  taken(log, 4, 200);
  log.completed(4);
  expect(log.before(4)('windows', TIMER)).toBe(false);
});

test('an id that is used again is that of the newer checkpoint', () => {
  const log = new FiredTimersLog();
  taken(log, 3, 900);
  log.restored(2);
  taken(log, 3, 100);
  expect(log.before(3)('windows', TIMER)).toBe(false);
});
