/** Row C25: what a master hook tells the log, over a network that loses and doubles. */
import { describe, expect, it } from 'vitest';
import { MarkerHook } from '../../../../engine/connectors/marker-hook.ts';
import { decodeSourceOffsets } from '../../../../engine/connectors/operator-state-rows.ts';
import type { LogMarked } from '../../../../engine/protocol/messages.ts';
import { EPOCH, id, REQUEST_TIMEOUT_US, SERVICES, NO_REGISTERS, NO_STORAGE } from '../../../support/engine-values.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

class Bench {
  readonly hook: MarkerHook;
  readonly out: RecordingOut;
  readonly done: string[] = [];
  #sequence = 0;

  constructor() {
    this.hook = new MarkerHook(
      { uid: 'source', partitions: [4, 5] },
      {
        services: SERVICES,
        storage: NO_STORAGE,
        registers: NO_REGISTERS,
        epoch: EPOCH,
        requestTimeoutUs: REQUEST_TIMEOUT_US,
        firstRequestId: 1,
        nextSequence: () => {
          this.#sequence += 1;
          return this.#sequence;
        },
      },
    );
    this.out = new RecordingOut((timer, nowUs, out) => this.hook.handleTimer(timer, nowUs, out));
  }

  trigger(of: number): this {
    this.hook.triggerCheckpoint({ checkpointId: id(of) }, this.out, (state) => {
      const offsets = state === undefined ? 'failed' : decodeSourceOffsets(state).map(({ offset }) => offset);
      this.done.push(`${of}: ${String(offsets)}`);
    });
    return this;
  }

  answer(outcome: LogMarked['outcome'], offsets: readonly number[] = []): this {
    const { requestId } = this.out.last('log-mark');
    const reply: LogMarked = { kind: 'log-marked', requestId, group: 'source', outcome, offsets };
    expect(this.hook.handleMessage(reply, this.out.nowUs, this.out)).toBe(true);
    return this;
  }

  asked(): readonly unknown[] {
    return this.out
      .fresh()
      .flatMap(({ message }) =>
        message.kind === 'log-mark' ? [[message.sequence, message.checkpointId, message.takesBack]] : [],
      );
  }
}

describe('the master hook of a source that stops at markers', () => {
  it('keeps where the markers lie', () => {
    const bench = new Bench().trigger(3).answer('done', [8, 2]);
    expect(bench.done).toEqual(['3: 8,2']);
  });

  it('I1: repeats a command until it is answered, under the same number', () => {
    const bench = new Bench().trigger(3);
    bench.out.advance(REQUEST_TIMEOUT_US);
    expect(bench.asked()).toEqual([
      [1, 3, false],
      [1, 3, false],
    ]);
    bench.answer('unavailable');
    bench.out.advance(REQUEST_TIMEOUT_US);
    expect(bench.answer('done', [1, 1]).done).toEqual(['3: 1,1']);
  });

  it('I1: gives up a command for the next one', () => {
    const bench = new Bench().trigger(3).trigger(4);
    expect(bench.asked()).toEqual([
      [1, 3, false],
      [2, 4, false],
    ]);
    bench.out.advance(REQUEST_TIMEOUT_US);
    expect(bench.asked()).toEqual([[2, 4, false]]);
  });

  it('I2: takes markers back after a restore, with the next marker if nobody has confirmed it before', () => {
    const bench = new Bench();
    bench.hook.restoreCheckpoint(2, undefined, bench.out);
    bench.trigger(3).answer('done', [0, 0]).trigger(4);
    expect(bench.asked()).toEqual([
      [1, 0, true],
      [2, 3, true],
      [3, 4, false],
    ]);
  });

  it('fails the checkpoint when another one leads', () => {
    expect(new Bench().trigger(3).answer('fenced').done).toEqual(['3: failed']);
  });
});
