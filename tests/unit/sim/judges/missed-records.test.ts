/** What subtasks miss that restart without their producers (row F1, decision 0123): seen on the network, edge by edge. */
import { describe, expect, it } from 'vitest';
import { checkpointId, nodeId, taskMailbox } from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import type { EngineMessage } from '../../../../engine/protocol/messages.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import type { LostRecords } from '../../../../sim/judges/lost-records.ts';
import { MissedRecords } from '../../../../sim/judges/missed-records.ts';
import { attempt } from '../../../support/engine-values.ts';

const EDGE = 4;

/** Vertex 0 writes to vertex 1, each with one subtask: attempts 1 and 2 at first. */
class Life {
  readonly changes: LostRecords[] = [];
  readonly missed = new MissedRecords((lost) => this.changes.push(lost));
  #producer = 1;

  constructor() {
    this.deployed(0, 1).deployed(1, 2).asks(2);
  }

  deployed(vertex: number, of: number, epoch = 1): this {
    if (vertex === 0 && epoch === 1) this.#producer = of;
    return this.#happens({ kind: 'task-deployed', epoch, vertex, subtask: 0, attempt: attempt(of) });
  }

  restores(id: number, vertices?: readonly number[], epoch = 1): this {
    const subtasks = vertices?.map((vertex) => ({ vertex, subtask: 0 }));
    return this.#happens({
      kind: 'restore-chosen',
      epoch,
      checkpointId: checkpointId(id),
      ...(subtasks && { subtasks }),
    });
  }

  triggered(id: number): this {
    return this.#happens({ kind: 'checkpoint-triggered', checkpointId: checkpointId(id) });
  }

  completed(id: number): this {
    return this.#happens({ kind: 'checkpoint-completed', checkpointId: checkpointId(id) });
  }

  asks(consumer: number): this {
    const request = { kind: 'partition-request', producer: attempt(this.#producer), consumer: attempt(consumer) };
    return this.#send(this.#producer, { ...request, edge: EDGE, subpartition: 0, channel: 0, credit: 2 });
  }

  data(consumer: number, ...lineages: readonly number[]): this {
    return this.#buffer(consumer, { kind: 'data', values: lineages, timestampsUs: lineages, lineages, bytes: 1 });
  }

  barrier(consumer: number, id: number): this {
    return this.#buffer(consumer, { kind: 'barrier', checkpointId: checkpointId(id) });
  }

  /** Of the only edge; empty: of none. */
  lostBefore(id: number): readonly number[] {
    this.missed.bringUpToDate();
    return [...(this.missed.before(id)?.get(EDGE) ?? [])].flatMap(([lineage, count]) => new Array(count).fill(lineage));
  }

  #buffer(consumer: number, buffer: object): this {
    return this.#send(consumer, {
      kind: 'buffer',
      producer: attempt(this.#producer),
      channel: 0,
      sequence: 0,
      backlog: 0,
      buffer,
    });
  }

  #send(to: number, message: object): this {
    this.missed.sent(taskMailbox(attempt(to)), message as EngineMessage);
    return this;
  }

  #happens(event: object): this {
    this.missed.observe({ index: 0, atUs: micros(0), node: nodeId('n'), event } as unknown as HistoryEvent);
    return this;
  }
}

/** Checkpoint 1 is complete; 12 and 13 were sent behind its barrier. */
const afterOne = (): Life => new Life().data(2, 10, 11).triggered(1).barrier(2, 1).data(2, 12).completed(1).data(2, 13);

describe('missed records', () => {
  it('are what was sent behind the barrier of the restored checkpoint, and to the old attempt until the new one asks', () => {
    const life = afterOne()
      .triggered(2)
      .barrier(2, 2)
      .data(2, 14)
      .restores(1, [1])
      .deployed(1, 3)
      .data(2, 15)
      .asks(3)
      .data(3, 16);
    expect(life.lostBefore(1)).toEqual([]);
    expect(life.lostBefore(3)).toEqual([12, 13, 14, 15]);
  });

  it('stay missed behind the checkpoints that follow, and nothing that came counts', () => {
    const life = afterOne().restores(1, [1]).deployed(1, 3).asks(3).data(3, 14).triggered(2).barrier(3, 2).completed(2);
    life.data(3, 15).restores(2, [1]).deployed(1, 4).asks(4).data(4, 16);
    expect(life.lostBefore(2)).toEqual([12, 13]);
    expect(life.lostBefore(3)).toEqual([12, 13, 15]);
  });

  it('I2: are written again by a producer that restarts, too; what was missed before the restored checkpoint stays missed', () => {
    const life = afterOne().restores(1, [1]).deployed(1, 3).asks(3).data(3, 14).triggered(2).barrier(3, 2).completed(2);
    life.data(3, 15).restores(2, [1]).deployed(1, 4).asks(4);
    expect(life.lostBefore(3)).toEqual([12, 13, 15]);
    life.restores(2, [0, 1]).deployed(0, 5).deployed(1, 6).asks(6).data(6, 15);
    expect(life.lostBefore(3)).toEqual([12, 13]);
    life.restores(2).deployed(0, 7).deployed(1, 8);
    expect(life.lostBefore(3)).toEqual([12, 13]);
  });

  it('I1: are nothing that an earlier attempt of the producer still sends, and no orders of a former leader count', () => {
    const life = afterOne().restores(1, undefined, 2).deployed(0, 20, 2).deployed(1, 21, 2);
    life.data(2, 14).restores(1, [1]).deployed(1, 3).data(2, 15);
    expect(life.lostBefore(9)).toEqual([]);
  });

  it('are told as soon as there are others, and not again', () => {
    const life = afterOne();
    expect(life.changes).toHaveLength(0);
    life.restores(1, [1]).deployed(1, 3).asks(3).data(3, 14);
    life.missed.bringUpToDate();
    expect(life.changes).toHaveLength(1);
    life.data(2, 15);
    life.missed.bringUpToDate();
    expect(life.changes.map((lost) => lost.get(EDGE)?.size)).toEqual([2, 3]);
  });
});
