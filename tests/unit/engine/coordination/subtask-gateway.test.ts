import { describe, expect, it } from 'vitest';
import { EventSender } from '../../../../engine/coordination/event-channel.ts';
import { SubtaskGateway } from '../../../../engine/coordination/subtask-gateway.ts';
import { InvariantViolation } from '../../../../engine/foundation/assert.ts';
import type { EventToOperator } from '../../../../engine/protocol/operator-events.ts';
import { attempt, id } from '../../../support/engine-values.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

class Bench {
  readonly left: string[] = [];
  readonly out = new RecordingOut();
  readonly gateway: SubtaskGateway;

  constructor() {
    const sender = new EventSender<EventToOperator>({
      name: 'x',
      timeoutUs: 100,
      deliver: (_sequence, event) => this.left.push('splitId' in event ? event.splitId : event.kind),
    });
    this.gateway = new SubtaskGateway({ subtask: 0, attempt: attempt(1), sender, sent: () => () => {} });
  }

  send(...names: string[]): this {
    for (const splitId of names) this.gateway.sendEvent({ kind: 'release-split', splitId }, this.out);
    return this;
  }

  /** The coordinator's cut for a checkpoint. */
  cut(n: number): this {
    this.gateway.markForCheckpoint(id(n));
    expect(this.gateway.tryClose(id(n))).toBe(true);
    return this;
  }

  open(n: number): this {
    this.gateway.open(id(n), this.out);
    return this;
  }
}

describe('subtask gateway', () => {
  it('C24: what is sent between mark and close leaves at once: it belongs before the checkpoint', () => {
    const bench = new Bench();
    bench.gateway.markForCheckpoint(id(1));
    bench.send('a');
    expect(bench.left).toEqual(['a']);
  });

  it('C24: closed, it keeps events back, and lets them go in order when its subtask has sent its barrier', () => {
    const bench = new Bench().send('a').cut(1).send('b', 'c');
    expect(bench.left).toEqual(['a']);
    bench.open(1).send('d');
    expect(bench.left).toEqual(['a', 'b', 'c', 'd']);
  });

  it('C24: opened a second time, by complete after acknowledge, nothing happens', () => {
    const bench = new Bench().cut(1).send('a').open(1).open(1);
    expect(bench.left).toEqual(['a']);
  });

  it('C24: with two checkpoints, an event waits for every one that was cut before it', () => {
    const bench = new Bench().cut(1).send('after-1').cut(2).send('after-2');
    bench.open(1);
    expect(bench.left).toEqual(['after-1']);
    bench.open(2);
    expect(bench.left).toEqual(['after-1', 'after-2']);
  });

  it('C24: when the newer one ends first, its events wait on for the older one, in order', () => {
    const bench = new Bench().cut(1).send('after-1').cut(2).send('after-2');
    bench.open(2).send('later');
    expect(bench.left).toEqual([]);
    bench.open(1);
    expect(bench.left).toEqual(['after-1', 'after-2', 'later']);
  });

  it('C24: a regressing checkpoint id is refused', () => {
    const bench = new Bench().cut(2).open(2);
    expect(() => bench.gateway.markForCheckpoint(id(2))).toThrow(InvariantViolation);
    expect(() => bench.gateway.markForCheckpoint(id(1))).toThrow(InvariantViolation);
  });

  it('C24: a checkpoint that has ended before its cut does not close', () => {
    const bench = new Bench();
    bench.gateway.markForCheckpoint(id(1));
    bench.open(1);
    expect(bench.gateway.tryClose(id(1))).toBe(false);
    expect(bench.send('a').left).toEqual(['a']);
  });

  it('C1: a failed triggering opens the checkpoint it was about, and no older one', () => {
    const bench = new Bench().cut(1).send('after-1').cut(2).send('after-2');
    bench.gateway.openLastMarked(bench.out);
    expect(bench.left).toEqual([]);
    bench.open(1);
    expect(bench.left).toEqual(['after-1', 'after-2']);
  });

  it('C24: bound to its attempt: closed for good, nothing leaves any more', () => {
    const bench = new Bench().cut(1).send('a');
    bench.gateway.close(bench.out);
    bench.open(1).send('b');
    expect(bench.left).toEqual([]);
  });
});
