import { describe, expect, it } from 'vitest';
import type {
  OperatorCoordinator,
  OperatorSubtask,
  SnapshotDone,
} from '../../../../engine/coordination/operator-coordinator.ts';
import { OperatorCoordinatorHolder } from '../../../../engine/coordination/operator-coordinator-holder.ts';
import { InvariantViolation } from '../../../../engine/foundation/assert.ts';
import type { CheckpointId } from '../../../../engine/foundation/ids.ts';
import type { EventFromOperator } from '../../../../engine/protocol/operator-events.ts';
import { attempt, id } from '../../../support/engine-values.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

const TIMEOUT_US = 1_000;
const STATE = new Uint8Array([42]);

/** Notes what it is told; snapshots complete when the test says so. */
class Told implements OperatorCoordinator {
  readonly calls: string[] = [];
  readonly gateways = new Map<number, OperatorSubtask>();
  done: SnapshotDone | undefined;

  start(): void {
    this.calls.push('start');
  }
  checkpointCoordinator({ checkpointId }: { checkpointId: CheckpointId }, _out: unknown, done: SnapshotDone): void {
    this.calls.push(`checkpoint ${checkpointId}`);
    this.done = done;
  }
  notifyCheckpointComplete(of: CheckpointId): void {
    this.calls.push(`complete ${of}`);
  }
  notifyCheckpointAborted(of: CheckpointId): void {
    this.calls.push(`aborted ${of}`);
  }
  resetToCheckpoint(of: CheckpointId, bytes: Uint8Array | undefined): void {
    this.calls.push(`reset ${of} ${bytes?.join() ?? 'empty'}`);
  }
  executionAttemptReady(gateway: OperatorSubtask): void {
    this.calls.push(`ready ${gateway.subtask}/${gateway.attempt}`);
    this.gateways.set(gateway.subtask, gateway);
  }
  handleEventFromOperator(from: { subtask: number; attempt: number }, event: EventFromOperator): void {
    this.calls.push(`${event.kind} ${from.subtask}/${from.attempt}`);
  }
  subtaskFailed(of: { subtask: number; attempt: number }): void {
    this.calls.push(`failed ${of.subtask}/${of.attempt}`);
  }
  subtaskReset(subtask: number, restored: CheckpointId): void {
    this.calls.push(`subtask-reset ${subtask} ${restored}`);
  }
}

class Bench {
  readonly told = new Told();
  readonly sent: string[] = [];
  readonly acknowledged: string[] = [];
  readonly failed: number[] = [];
  readonly snapshots: string[] = [];
  readonly out: RecordingOut;
  readonly holder: OperatorCoordinatorHolder;

  constructor() {
    this.holder = new OperatorCoordinatorHolder({
      operator: 'source',
      coordinator: this.told,
      parts: {
        coordinatorSnapshot: 'when-events-acknowledged',
        gatewayAtCheckpoint: 'closes',
        eventsOfEndedAttempt: 'lost',
      },
      timeoutUs: TIMEOUT_US,
      host: {
        deliver: (to, { sequence, event }) =>
          this.sent.push(`${to.attempt}#${sequence} ${'splitId' in event ? event.splitId : event.kind}`),
        acknowledge: (to, sequence) => this.acknowledged.push(`${to.attempt}#${sequence}`),
        failTask: (of) => this.failed.push(of),
      },
    });
    this.out = new RecordingOut((timer, nowUs, out) => this.holder.handleTimer(timer, nowUs, out));
    this.holder.resetToCheckpoint(id(0), undefined, this.out);
  }

  ready(subtask: number, of: number): this {
    this.holder.attemptReady({ subtask, attempt: attempt(of) }, this.out.nowUs, this.out);
    return this;
  }
  send(subtask: number, name: string): this {
    this.told.gateways.get(subtask)?.sendEvent({ kind: 'release-split', splitId: name }, this.out);
    return this;
  }
  handled(subtask: number, of: number, sequence: number): this {
    this.holder.acknowledged({ subtask, attempt: attempt(of) }, sequence, this.out.nowUs, this.out);
    return this;
  }
  receive(subtask: number, of: number, sequence: number, event: EventFromOperator): this {
    this.holder.receive({ subtask, attempt: attempt(of) }, { sequence, event }, this.out);
    return this;
  }
  checkpoint(n: number): this {
    this.holder.checkpoint({ checkpointId: id(n), nowUs: this.out.nowUs }, this.out, (bytes) =>
      this.snapshots.push(`${n} ${bytes?.join() ?? 'failed'}`),
    );
    return this;
  }
  /** The coordinator's snapshot is there. */
  taken(outcome: 'done' | 'failed' = 'done'): this {
    this.told.done?.(outcome === 'done' ? STATE : undefined, this.out.nowUs, this.out);
    return this;
  }
}

const barrierSent = (n: number): EventFromOperator => ({ kind: 'acknowledge-checkpoint-event', checkpointId: id(n) });

describe('operator coordinator holder: checkpoints', () => {
  it('C24: with nothing in flight the snapshot is complete when it is taken', () => {
    const bench = new Bench().ready(0, 1).checkpoint(1);
    expect(bench.snapshots).toEqual([]);
    expect(bench.taken().snapshots).toEqual(['1 42']);
  });

  it('C24, H1: it waits until every event of before is acknowledged, on all subtasks', () => {
    const bench = new Bench().ready(0, 1).ready(1, 2).send(0, 'a').send(1, 'b').checkpoint(1).taken();
    expect(bench.handled(0, 1, 0).snapshots).toEqual([]);
    expect(bench.handled(1, 2, 0).snapshots).toEqual(['1 42']);
    expect(bench.out.probes()).toContain('checkpoint-waits-for-operator-events');
  });

  it('C24: what is sent until the snapshot is taken still goes out, and is waited for', () => {
    const bench = new Bench().ready(0, 1).checkpoint(1).send(0, 'a').taken().send(0, 'b');
    expect(bench.sent).toEqual(['1#0 a']);
    expect(bench.snapshots).toEqual([]);
    expect(bench.handled(0, 1, 0).snapshots).toEqual(['1 42']);
  });

  it('C24: what is sent after it goes out when that subtask has sent its barrier, others wait on', () => {
    const bench = new Bench().ready(0, 1).ready(1, 2).checkpoint(1).taken().send(0, 'a').send(1, 'b');
    expect(bench.sent).toEqual([]);
    bench.receive(0, 1, 0, barrierSent(1));
    expect(bench.sent).toEqual(['1#0 a']);
    expect(bench.told.calls).not.toContain('acknowledge-checkpoint-event 0/1');
    bench.holder.notifyComplete(id(1), bench.out);
    expect(bench.sent).toEqual(['1#0 a', '2#0 b']);
  });

  it('C24: events kept back for one checkpoint lie before the cut of the next, which waits for them', () => {
    const bench = new Bench().ready(0, 1).checkpoint(1).taken().send(0, 'a').checkpoint(2).taken();
    expect(bench.snapshots).toEqual(['1 42']);
    bench.receive(0, 1, 0, barrierSent(1)).handled(0, 1, 0);
    expect(bench.snapshots).toEqual(['1 42', '2 42']);
  });

  it('C24: an abort lets go what was kept back', () => {
    const bench = new Bench().ready(0, 1).checkpoint(1).taken().send(0, 'a');
    bench.holder.notifyAborted(id(1), bench.out);
    expect(bench.sent).toEqual(['1#0 a']);
    expect(bench.told.calls.at(-1)).toBe('aborted 1');
  });

  it('C24: an unacknowledged event fails its subtask and with it the snapshot', () => {
    const bench = new Bench().ready(0, 1).send(0, 'a').checkpoint(1).taken();
    bench.out.advance(TIMEOUT_US);
    expect(bench.failed).toEqual([1]);
    expect(bench.snapshots).toEqual(['1 failed']);
  });

  it('C24: when the subtask fails meanwhile, so does the snapshot, once', () => {
    const bench = new Bench().ready(0, 1).send(0, 'a').send(0, 'b').checkpoint(1).taken();
    bench.holder.subtaskFailed({ subtask: 0, attempt: attempt(1) }, bench.out.nowUs, bench.out);
    bench.out.advance(2 * TIMEOUT_US);
    expect(bench.snapshots).toEqual(['1 failed']);
    expect(bench.failed).toEqual([]);
    expect(bench.told.calls.at(-1)).toBe('failed 0/1');
  });

  it('C1: a coordinator that cannot take its snapshot fails the checkpoint, and its gateways stay open', () => {
    const bench = new Bench().ready(0, 1).checkpoint(1).taken('failed');
    expect(bench.snapshots).toEqual(['1 failed']);
    bench.holder.abortCurrentTriggering(bench.out);
    expect(bench.send(0, 'a').sent).toEqual(['1#0 a']);
  });
});

describe('operator coordinator holder: attempts', () => {
  it('C24: an event that arrives twice is handled once and acknowledged again', () => {
    const bench = new Bench().ready(0, 1).receive(0, 1, 0, { kind: 'request-split' });
    bench.receive(0, 1, 0, { kind: 'request-split' });
    expect(bench.told.calls.filter((call) => call.startsWith('request-split'))).toHaveLength(1);
    expect(bench.acknowledged).toEqual(['1#0', '1#0']);
  });

  it('C24: what an older attempt says is neither handled nor acknowledged', () => {
    const bench = new Bench().ready(0, 1).ready(0, 2).receive(0, 1, 0, { kind: 'request-split' });
    expect(bench.acknowledged).toEqual([]);
    expect(bench.told.calls.slice(-2)).toEqual(['failed 0/1', 'ready 0/2']);
  });

  it('F4: an attempt is ready once, however often that is reported', () => {
    const bench = new Bench().ready(0, 1).ready(0, 1);
    expect(bench.told.calls.filter((call) => call === 'ready 0/1')).toHaveLength(1);
  });

  it('F4: a subtask is reset between the end of one attempt and the readiness of the next', () => {
    const bench = new Bench().ready(0, 1);
    expect(() => bench.holder.subtaskReset(0, id(3), bench.out)).toThrow(InvariantViolation);
    bench.holder.subtaskFailed({ subtask: 0, attempt: attempt(1) }, bench.out.nowUs, bench.out);
    bench.holder.subtaskReset(0, id(3), bench.out);
    bench.ready(0, 2);
    expect(bench.told.calls.slice(-3)).toEqual(['failed 0/1', 'subtask-reset 0 3', 'ready 0/2']);
  });

  it('C18: a reset of the job voids gateways and events, and starts the coordinator once', () => {
    const bench = new Bench().ready(0, 1).send(0, 'a').checkpoint(1).taken();
    bench.holder.resetToCheckpoint(id(7), STATE, bench.out);
    bench.out.advance(2 * TIMEOUT_US);
    expect(bench.snapshots).toEqual([]);
    expect(bench.failed).toEqual([]);
    expect(bench.holder.unconfirmed).toBe(0);
    expect(bench.told.calls).toEqual(['reset 0 empty', 'start', 'ready 0/1', 'checkpoint 1', 'reset 7 42']);
    expect(bench.send(0, 'b').sent).toEqual(['1#0 a']);
  });
});
