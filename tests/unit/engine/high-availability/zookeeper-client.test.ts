import { describe, expect, it } from 'vitest';
import type { NodeId } from '../../../../engine/foundation/ids.ts';
import { type ConnectionState, ZooKeeperClient } from '../../../../engine/high-availability/zookeeper-client.ts';
import { standardParts } from '../../../../engine/parts.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

const SERVICE = 'coordination-store' as NodeId;
const RECONNECT_US = 500_000;

class Bench {
  readonly states: ConnectionState[] = [];
  readonly client: ZooKeeperClient;
  readonly out: RecordingOut;

  constructor() {
    this.client = new ZooKeeperClient({
      node: SERVICE,
      sessionTimeoutUs: 6_000_000,
      pingUs: 2_000_000,
      reconnectUs: RECONNECT_US,
      firstConnection: 0,
      changed: (state) => this.states.push(state),
      parts: standardParts,
    });
    this.out = new RecordingOut((timer, nowUs, out) => this.client.handleTimer(timer, nowUs, out));
    this.client.start(this.out.nowUs, this.out);
    this.connects();
  }

  /** The newest request is answered as a `connect` is. */
  connects(): this {
    const { connection, xid } = this.out.last('zookeeper-request');
    const session = { sessionId: 7, timeoutUs: 6_000_000 };
    this.client.handleMessage(
      { kind: 'zookeeper-reply', connection, xid, zxid: 1, code: 'ok', session },
      this.out.nowUs,
      this.out,
    );
    return this;
  }

  loses(): this {
    this.client.handleMessage({ kind: 'connection-lost', peer: SERVICE }, this.out.nowUs, this.out);
    return this;
  }

  get requests(): number {
    return this.out.sent.filter(({ message }) => message.kind === 'zookeeper-request').length;
  }
}

describe('ZooKeeper client', () => {
  it('I1: who asks again on hearing that the connection is lost is refused, soon, and not sent over the one that is gone', () => {
    const bench = new Bench();
    const answers: string[] = [];
    const ask = { kind: 'get-data', path: '/counter', watch: false } as const;
    bench.client.request(ask, bench.out, (first, _nowUs, out) => {
      answers.push(first === undefined ? 'lost' : first.code);
      bench.client.request(ask, out, (again) => answers.push(again === undefined ? 'refused' : again.code));
    });
    const sent = bench.requests;
    bench.loses();
    expect(bench.requests).toBe(sent);
    expect(answers).toEqual(['lost']);
    bench.out.advance(1);
    expect(answers).toEqual(['lost', 'refused']);
    bench.out.advance(RECONNECT_US);
    bench.connects();
    expect(bench.states).toEqual(['connected', 'suspended', 'connected']);
  });
});
