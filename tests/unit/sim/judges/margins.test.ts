/** Margins: the least distance of each judge on small histories, and what mutants do to it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkpointId, executionAttemptId, leaderEpoch, nodeId } from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import { pointerKey } from '../../../../engine/protocol/checkpoint-pointer.ts';
import { marginsDocument } from '../../../../reports/index.ts';
import type { EventOf, HistoryEvent } from '../../../../sim/history/history-event.ts';
import { MARGINS, Margins } from '../../../../sim/judges/margins.ts';
import { Notifications } from '../../../../sim/judges/notifications.ts';
import { RemainingTries } from '../../../../sim/judges/remaining-tries.ts';
import type { KafkaPlan } from '../../../../sim/plan.ts';
import { TransactionTimeouts } from '../../../../sim/judges/transaction-timeouts.ts';
import { liveIt, planOf } from '../../../support/lives.ts';
import { JOB_ID, REST, rightLife, statePath } from './small-life.ts';

const entry = (index: number, atUs: number, event: HistoryEvent['event']): HistoryEvent => ({
  index,
  atUs,
  node: nodeId('n'),
  event,
});

describe('margins', () => {
  it('I1: the least counts, with the event at which it was seen; what was never near is absent', () => {
    const margins = new Margins();
    margins.near('retention/deletion-after-release', 50, 1);
    margins.near('retention/deletion-after-release', 20, 2);
    margins.near('retention/deletion-after-release', 30, 3);
    expect(margins.all()).toEqual({ 'retention/deletion-after-release': { value: 20, at: 2 } });
  });

  it('docs/margins.md is current', () => {
    expect(readFileSync('docs/margins.md', 'utf8'), 'write marginsDocument() to docs/margins.md').toBe(
      marginsDocument(),
    );
  });

  it('a transaction: from its commit to its time-out, and to the attempt that takes its place', () => {
    const margins = new Margins();
    const timeouts = new TransactionTimeouts({ transactionTimeoutUs: 1_000 }, margins);
    const of = { transaction: 't', producer: 'p', producerEpoch: 1 };
    timeouts.opened({ kind: 'transaction-opened', ...of }, entry(0, 100, { kind: 'transaction-opened', ...of }));
    const committed = { kind: 'transaction-committed', ...of, committedBy: 1, values: [], lineages: [] } as const;
    timeouts.committed(committed, entry(1, 700, committed));
    const next = { kind: 'transaction-opened', transaction: 'u', producer: 'p', producerEpoch: 2 } as const;
    timeouts.opened(next, entry(2, 730, next));
    expect(margins.all()).toEqual({
      'exactly-once-output/commit-before-timeout': { value: 400, at: 1 },
      'fencing/commit-before-successor': { value: 30, at: 2 },
    });
  });

  it('a transaction of Kafka: from the commit that is prepared, and to the attempt that probes the ids behind it', () => {
    const margins = new Margins();
    const timeoutUs = { transactionTimeoutUs: 1_000, maxTransactionTimeoutUs: 1_000, sessionTimeoutUs: 1 };
    const sink: KafkaPlan = { kind: 'kafka', partitions: 1, naming: 'incrementing', ...timeoutUs };
    const timeouts = new TransactionTimeouts({ sink, transactionTimeoutUs: 7 }, margins);
    const told = (at: number, id: string, state: EventOf<'kafka-transaction'>['state']): void => {
      const of = { transactionalId: id, producerId: 1, producerEpoch: 0, partitions: [] };
      const fact = { kind: 'kafka-transaction', ...of, state } as const;
      timeouts.kafka(fact, entry(at, at, fact));
    };
    told(100, 'sink-0-1', 'ongoing');
    told(700, 'sink-0-1', 'prepare-commit');
    told(710, 'sink-1-2', 'empty');
    told(730, 'sink-0-2', 'empty');
    expect(margins.all()).toEqual({
      'exactly-once-output/commit-before-timeout': { value: 400, at: 700 },
      'fencing/commit-before-successor': { value: 30, at: 730 },
    });
  });

  it('retention: from the pointer letting go of a checkpoint to the deletion of its file', () => {
    const life = rightLife();
    life.checkpoint({ id: 3, offsets: [4, 4] });
    life.commit('out-0-3-2', REST);
    life.world.files.set(statePath(2, 1), new Uint8Array(1));
    life.remove(statePath(2, 1));
    const { value = -1, at = -1 } = life.bench.margins()['retention/deletion-after-release'] ?? {};
    const deleted = life.history[at];
    expect(deleted?.event.kind).toBe('object-deleted');
    const released = life.history.find(({ atUs }) => atUs === (deleted?.atUs ?? 0) - value);
    expect(released?.event).toMatchObject({ kind: 'coordination-updated', key: pointerKey(JOB_ID) });
  });

  it('notices: the shortest time between two to one attempt', () => {
    const margins = new Margins();
    const judge = new Notifications(margins);
    const told = (index: number, atUs: number, attempt: number, id: number): void => {
      const task = { attempt: executionAttemptId(attempt), vertex: 0, subtask: 0, checkpointId: checkpointId(id) };
      judge.observe(entry(index, atUs, { kind: 'notify-complete-received', ...task }));
    };
    told(0, 100, 1, 1);
    told(1, 101, 2, 1);
    told(2, 150, 1, 2);
    expect(margins.all()).toEqual({ 'notifications/between-notices': { value: 50, at: 2 } });
  });

  it('tries: failures and failed checkpoints that are left; a rescale is no failure, a new leader begins anew', () => {
    const { engine } = planOf('quickstart', '1');
    const margins = new Margins();
    const restart = { strategy: 'fixed-delay', attempts: 3, delayUs: 1 } as const;
    const checkpoint = { ...engine.checkpoint, tolerableFailures: 2 };
    const tries = new RemainingTries({ ...engine, restart, checkpoint }, margins);
    const restarted = (index: number, epoch: number, cause: 'user-function' | 'rescale'): void =>
      tries.observe(
        entry(index, index, { kind: 'restart-scheduled', epoch: leaderEpoch(epoch), cause, delayUs: micros(0) }),
      );
    restarted(0, 1, 'user-function');
    restarted(1, 1, 'rescale');
    restarted(2, 2, 'user-function');
    restarted(3, 2, 'user-function');
    const aborted = {
      kind: 'checkpoint-aborted',
      epoch: leaderEpoch(1),
      checkpointId: checkpointId(1),
      triggeredAtUs: micros(0),
      reason: 'checkpoint-expired',
      acknowledged: 0,
      required: 1,
    } as const;
    tries.observe(entry(4, 4, aborted));
    tries.observe(entry(5, 5, { ...aborted, reason: 'checkpoint-subsumed' }));
    expect(margins.all()).toEqual({
      'progress/restart-attempts-left': { value: 1, at: 3 },
      'progress/failed-checkpoints-left': { value: 1, at: 4 },
    });
  });
});

describe('margins of whole lives', () => {
  it('a life that passes has no margin beyond its line, but of checkpoints that were being decided', () => {
    const { verdict, margins } = liveIt(planOf('standard', '1'));
    expect(verdict).toBe('passed');
    expect(Object.keys(margins).length).toBeGreaterThan(10);
    for (const [name, { value }] of Object.entries(margins)) {
      expect(MARGINS.map((spec) => spec.name)).toContain(name);
      if (name !== 'checkpoint-lifecycle/expiry-after-completion') expect(value, name).toBeGreaterThanOrEqual(0);
    }
  });

  it('a leader that goes on after its end is beyond the line', () => {
    const lives = ['1', '2', '3'].map((seed) =>
      liveIt({ ...planOf('leader-flapping', seed), variant: 'suspended-keeps-leading' }),
    );
    const least = lives.map(({ margins }) => margins['fencing/last-act-before-end']?.value ?? 0);
    expect(Math.min(...least)).toBeLessThan(0);
    for (const [index, { signature }] of lives.entries())
      if ((least[index] ?? 0) < 0) expect(signature).toBe('fencing/two-leaders-act');
  });

  it('without judges there are none', () => {
    expect(liveIt(planOf('quickstart', '1'), { judges: false }).margins).toEqual({});
  });
});
