/** Histories in which something ends wrongly (rows C21, C23, F18, X40), told to the judge alone. */
import { describe, expect, it } from 'vitest';
import { checkpointId, executionAttemptId, leaderEpoch, nodeId } from '../../../../engine/foundation/ids.ts';
import { encodePointer, pointerKey } from '../../../../engine/protocol/checkpoint-pointer.ts';
import { resultKey } from '../../../../engine/protocol/job-result.ts';
import type { EngineEvent } from '../../../../engine/protocol/engine-events.ts';
import { Finishing } from '../../../../sim/judges/finishing.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import { countGraph } from './small-life.ts';

const GRAPH = countGraph([0, 1]);
/** Attempts 1 and 2 are sources, 3 and 4 count. */
const of = (attempt: number): { attempt: ReturnType<typeof executionAttemptId>; vertex: number; subtask: number } => ({
  attempt: executionAttemptId(attempt),
  vertex: attempt > 2 ? 1 : 0,
  subtask: (attempt - 1) % 2,
});

class Ending {
  readonly #judge: Finishing;
  #index = 0;

  constructor(isCheckpointing = true) {
    this.#judge = new Finishing({ graph: GRAPH, isCheckpointing });
    this.deploy(1);
  }

  tell(event: HistoryEvent['event']): this {
    this.#judge.observe({ index: this.#index, atUs: this.#index, node: nodeId('jobmanager-1'), event });
    this.#index += 1;
    return this;
  }

  deploy(epoch: number): this {
    for (const attempt of [1, 2, 3, 4])
      this.tell({
        kind: 'task-deployed',
        parallelism: 1,
        epoch: leaderEpoch(epoch),
        jobAttempt: 1,
        node: nodeId('taskmanager-1'),
        ...of(attempt),
      });
    return this;
  }

  each(attempts: readonly number[], event: (attempt: number) => EngineEvent): this {
    for (const attempt of attempts) this.tell(event(attempt));
    return this;
  }

  endData(...attempts: readonly number[]): this {
    return this.each(attempts, (attempt) => ({ kind: 'end-of-data-reached', mode: 'drain', ...of(attempt) }));
  }

  snapshot(id: number, ...attempts: readonly number[]): this {
    return this.each(attempts, (attempt) => ({
      kind: 'snapshot-taken',
      checkpointId: checkpointId(id),
      ...of(attempt),
    }));
  }

  finish(...attempts: readonly number[]): this {
    return this.each(attempts, (attempt) => ({ kind: 'task-state', state: 'finished', ...of(attempt) }));
  }

  write(key: string, value: string): this {
    return this.tell({ kind: 'coordination-updated', key, version: 1, value, by: nodeId('jobmanager-1') });
  }

  name(id: number): this {
    const completed = [{ id: checkpointId(id), metadata: '' }];
    return this.write(pointerKey(GRAPH.jobId), encodePointer({ epoch: leaderEpoch(1), completed }));
  }

  stopWith(id: number): this {
    const ended = { status: 'finished', by: 'client', location: `savepoints/savepoint-job-${id}` } as const;
    const job = { run: 1, by: '', floor: 0, fullFirst: false, ended };
    return this.write(pointerKey(GRAPH.jobId), encodePointer({ epoch: leaderEpoch(1), completed: [], job }));
  }

  remember(): this {
    return this.write(resultKey(GRAPH.jobId), '{}');
  }

  lead(epoch: number): this {
    return this.tell({ kind: 'leadership-acquired', epoch: leaderEpoch(epoch) });
  }

  open(transaction: string, producerEpoch: number): this {
    return this.tell({ kind: 'transaction-opened', transaction, producer: 'out-0', producerEpoch });
  }

  anomalies(): string[] {
    return this.#judge.finish().map(({ anomaly }) => anomaly);
  }
}

const ALL = [1, 2, 3, 4] as const;
const ended = (): Ending =>
  new Ending()
    .endData(...ALL)
    .snapshot(3, ...ALL)
    .name(3);

describe('finishing', () => {
  it('a right end: silent', () => {
    expect(
      ended()
        .finish(...ALL)
        .remember()
        .lead(2)
        .anomalies(),
    ).toEqual(['']);
  });

  it('C23: a subtask ends before a checkpoint behind its end is durable', () => {
    expect(new Ending().endData(1).snapshot(3, 1).name(2).finish(1).anomalies()).toEqual([
      'finished-without-final-checkpoint',
    ]);
    expect(new Ending().snapshot(3, 1).endData(1).name(3).finish(1).anomalies()).toEqual([
      'finished-without-final-checkpoint',
    ]);
  });

  it('C23: a later checkpoint will do, and without checkpointing none is needed', () => {
    expect(new Ending().endData(1).snapshot(3, 1).name(5).finish(1).anomalies()).toEqual(['']);
    expect(new Ending(false).endData(1).finish(1).anomalies()).toEqual(['']);
  });

  it('C28: who stops with a savepoint is not held to it', () => {
    const stopped = new Ending().snapshot(3, 1).tell({ kind: 'end-of-data-reached', mode: 'no-drain', ...of(1) });
    expect(stopped.stopWith(3).finish(1).anomalies()).toEqual(['']);
  });

  it('X40 SameCheckpoint: a subtask stops behind another checkpoint than the savepoint the job stops with', () => {
    const stopped = new Ending().snapshot(3, 1).snapshot(4, 1);
    stopped.tell({ kind: 'end-of-data-reached', mode: 'no-drain', ...of(1) });
    expect(stopped.stopWith(3).finish(1).anomalies()).toEqual(['stopped-with-other-checkpoint']);
  });

  it('X40: a consumer ends before a producer', () => {
    expect(ended().finish(1, 3).anomalies()).toEqual(['finished-before-producer']);
  });

  it('X40: the end of data is reached twice', () => {
    expect(new Ending().endData(1, 1).anomalies()).toEqual(['end-of-data-twice']);
  });

  it('X40: a sink begins a transaction behind its end; the one that was open then may still be opened late', () => {
    expect(ended().open('out-0-3-3', 3).anomalies()).toEqual(['']);
    expect(ended().open('out-0-3-4', 3).anomalies()).toEqual(['began-after-finish']);
  });

  it('F18: a leader that could know runs the finished job again; one that came before is not judged', () => {
    expect(
      ended()
        .finish(...ALL)
        .lead(2)
        .remember()
        .deploy(2)
        .anomalies(),
    ).toEqual(['']);
    expect(
      ended()
        .finish(...ALL)
        .remember()
        .lead(2)
        .deploy(2)
        .anomalies(),
    ).toEqual(['deployed-after-finish']);
  });
});
