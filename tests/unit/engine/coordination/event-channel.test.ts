import { describe, expect, it } from 'vitest';
import { EventReceiver, EventSender } from '../../../../engine/coordination/event-channel.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

const TIMEOUT_US = 1_000;

function bench() {
  const delivered: string[] = [];
  const settled: string[] = [];
  const sender = new EventSender<string>({
    name: 'source/7',
    timeoutUs: TIMEOUT_US,
    deliver: (sequence, event) => delivered.push(`${sequence} ${event}`),
  });
  const out = new RecordingOut((timer, nowUs, on) => sender.handleTimer(timer, nowUs, on));
  const send = (event: string) => sender.send(event, out, (outcome) => settled.push(`${event} ${outcome}`));
  return { sender, out, delivered, settled, send };
}

describe('event sender', () => {
  it('C24: numbers events from 0 and settles each by its acknowledgement, once', () => {
    const { sender, out, delivered, settled, send } = bench();
    send('a');
    send('b');
    sender.acknowledged(1, out.nowUs, out);
    sender.acknowledged(1, out.nowUs, out);
    sender.acknowledged(0, out.nowUs, out);
    sender.acknowledged(9, out.nowUs, out);
    out.advance(2 * TIMEOUT_US);
    expect(delivered).toEqual(['0 a', '1 b']);
    expect(settled).toEqual(['b acknowledged', 'a acknowledged']);
  });

  it('C24: an event without acknowledgement is lost after the time-out, and never sent again', () => {
    const { sender, out, delivered, settled, send } = bench();
    send('a');
    out.advance(TIMEOUT_US);
    sender.acknowledged(0, out.nowUs, out);
    expect(settled).toEqual(['a lost']);
    expect(delivered).toEqual(['0 a']);
  });

  it('C24: closed, it settles nothing and leaves no timer', () => {
    const { sender, out, settled, send } = bench();
    send('a');
    sender.close(out);
    sender.acknowledged(0, out.nowUs, out);
    expect(out.armedTimers).toEqual([]);
    expect(settled).toEqual([]);
  });

  it('a timer of somebody else is not its own', () => {
    const { sender, out } = bench();
    expect(sender.handleTimer('event/source/71#0', out.nowUs, out)).toBe(false);
  });
});

describe('event receiver', () => {
  const eventsOf = (receiver: EventReceiver<string>, sequence: number, event: string) =>
    receiver.receive(sequence, event).due.map((due) => due.event);

  it('C24: hands out events in order: what came too early waits for what is missing', () => {
    const receiver = new EventReceiver<string>();
    expect(eventsOf(receiver, 1, 'b')).toEqual([]);
    expect(eventsOf(receiver, 2, 'c')).toEqual([]);
    expect(eventsOf(receiver, 0, 'a')).toEqual(['a', 'b', 'c']);
    expect(eventsOf(receiver, 3, 'd')).toEqual(['d']);
  });

  it('C24: hands out an event once, however often it arrives; only its acknowledgement is repeated', () => {
    const receiver = new EventReceiver<string>();
    expect(eventsOf(receiver, 1, 'b')).toEqual([]);
    expect(eventsOf(receiver, 1, 'b')).toEqual([]);
    expect(eventsOf(receiver, 0, 'a')).toEqual(['a', 'b']);
    expect(receiver.receive(0, 'a')).toEqual({ due: [], again: true });
    expect(receiver.receive(1, 'b')).toEqual({ due: [], again: true });
  });
});
