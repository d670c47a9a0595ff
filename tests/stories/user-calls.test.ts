/** A user function throws in each kind of call that the engine makes: it strikes once, the job recovers, and nothing is lost or doubled (F2, X2). */
import { expect, it } from 'vitest';
import type { Fault, FaultTrigger, UserCall } from '../../sim/faults/fault.ts';
import { nodeId } from '../../engine/foundation/ids.ts';
import { findings, liveIt, planOf } from '../support/lives.ts';

const AT_START: FaultTrigger = { atUs: 0 };
const AT_FIRST_RESTORE: FaultTrigger = { point: 'restore.chosen', occurrence: 1 };
const IN_CHECKPOINT: FaultTrigger = { point: 'triggered', checkpoint: 2, occurrence: 1 };
const AT_END: FaultTrigger = { point: 'end-of-data', occurrence: 2 };

/** What each needs: the call, a shipped job whose functions have it, and when it is armed. */
const CASES: readonly (readonly [UserCall, string, FaultTrigger])[] = [
  ['element', 'buffering-map', IN_CHECKPOINT],
  ['timer', 'event-time-timers', IN_CHECKPOINT],
  ['timer', 'processing-time-windows', IN_CHECKPOINT],
  ['open', 'bounded-input', AT_START],
  ['open', 'bounded-input', AT_FIRST_RESTORE],
  ['initialize', 'buffering-map', AT_START],
  ['initialize', 'buffering-map', AT_FIRST_RESTORE],
  ['snapshot', 'buffering-map', IN_CHECKPOINT],
  ['finish', 'bounded-input', AT_END],
];
const NODES = ['taskmanager-1', 'taskmanager-2', 'taskmanager-3'].map((name) => nodeId(name));

const failing = (id: string, node: (typeof NODES)[number], trigger: FaultTrigger, call: UserCall): Fault => ({
  id,
  kind: 'throw',
  node,
  trigger,
  call,
  recoverable: true,
});

it.each(CASES)('%s, in the job of %s: %j', (call, scenario, trigger) => {
  // The first restore needs a failure before it.
  const before =
    trigger === AT_FIRST_RESTORE ? [failing('f9', nodeId('taskmanager-1'), { atUs: 4_000_000 }, 'element')] : [];
  const faults = [...before, ...NODES.map((node, index) => failing(`f${index + 1}`, node, trigger, call))];
  const record = liveIt({ ...planOf(scenario, '1'), faults }, { keepHistory: true });
  expect(record.verdict, findings(record)).toBe('passed');
  const struck = record.faultRecords.filter(({ id, effective }) => id !== 'f9' && effective);
  expect(struck.length).toBeGreaterThan(0);
  const causes = record.history.flatMap(({ event }) =>
    event.kind === 'task-state' && event.failure === 'user-function' ? [event] : [],
  );
  // Each once: a task that was cancelled for another's failure does not come to its own.
  expect(causes.length).toBe(struck.length + before.length);
  expect(record.restarts).toBeGreaterThan(0);
  expect(record.checkpoints.completed).toBeGreaterThan(1);
});
