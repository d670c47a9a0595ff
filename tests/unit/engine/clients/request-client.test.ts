import { describe, expect, it } from 'vitest';
import { RequestClient } from '../../../../engine/clients/request-client.ts';
import type { StorageReply } from '../../../../engine/protocol/messages.ts';
import { STORAGE } from '../../../support/engine-values.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

const TIMEOUT_US = 100;
const reply = (requestId: number): StorageReply => ({ kind: 'storage-reply', requestId, outcome: 'done' });

function bench() {
  const answers: (StorageReply | undefined)[] = [];
  const client = new RequestClient<StorageReply>({
    node: STORAGE,
    via: 'datagram',
    name: 'get',
    timeoutUs: TIMEOUT_US,
    firstRequestId: 5,
  });
  const out = new RecordingOut((timer, nowUs, self) => client.handleTimer(timer, nowUs, self));
  const ask = (): void =>
    client.request(
      (requestId) => ({ kind: 'storage-get', requestId, path: 'p' }),
      out,
      (answer) => {
        answers.push(answer);
      },
    );
  return { client, out, answers, ask };
}

describe('request client', () => {
  it('a request goes out once, with an id of its own and a timer', () => {
    const { client, out, ask } = bench();
    ask();
    ask();
    expect(out.all('storage-get').map(({ requestId }) => requestId)).toEqual([5, 6]);
    expect(out.armedTimers).toEqual(['get#5', 'get#6']);
    expect(client.openRequests).toBe(2);
  });

  it('I1: a reply is handed over once and disarms its timer', () => {
    const { client, out, answers, ask } = bench();
    ask();
    client.handleReply(reply(5), out.nowUs, out);
    client.handleReply(reply(5), out.nowUs, out);
    out.advance(TIMEOUT_US);
    expect(answers).toEqual([reply(5)]);
    expect(out.armedTimers).toEqual([]);
  });

  it('I1: without a reply in time the outcome is unknown', () => {
    const { out, answers, ask } = bench();
    ask();
    out.advance(TIMEOUT_US - 1);
    expect(answers).toEqual([]);
    out.advance(1);
    expect(answers).toEqual([undefined]);
  });

  it('I2: a reply after the time-out is ignored', () => {
    const { client, out, answers, ask } = bench();
    ask();
    out.advance(TIMEOUT_US);
    client.handleReply(reply(5), out.nowUs, out);
    expect(answers).toEqual([undefined]);
  });

  it('I2: a reply to another life of the client is ignored', () => {
    const { client, out, answers, ask } = bench();
    ask();
    client.handleReply(reply(4), out.nowUs, out);
    expect(answers).toEqual([]);
    expect(client.openRequests).toBe(1);
  });

  it('replies in another order reach the right callers', () => {
    const { client, out, answers, ask } = bench();
    ask();
    ask();
    client.handleReply(reply(6), out.nowUs, out);
    client.handleReply(reply(5), out.nowUs, out);
    expect(answers).toEqual([reply(6), reply(5)]);
  });

  it('abandoned requests are forgotten: neither reply nor time-out is told', () => {
    const { client, out, answers, ask } = bench();
    ask();
    client.abandon(out);
    client.handleReply(reply(5), out.nowUs, out);
    out.advance(TIMEOUT_US);
    expect(answers).toEqual([]);
    expect(out.armedTimers).toEqual([]);
  });

  it('a timer of another client is left alone', () => {
    const { client, out } = bench();
    expect(client.handleTimer('get-data#5', out.nowUs, out)).toBe(false);
    expect(client.handleTimer('get#99', out.nowUs, out)).toBe(true);
  });
});
