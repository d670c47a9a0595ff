/**
 * A client's end of a ZooKeeper session (Apache ZooKeeper: ClientCnxn; Curator: ConnectionStateManager).
 *
 * Owns: connections of this process to the service, the session, requests under way, watchers. Does not own: what is asked (latch,
 * registers). States as Curator names them: CONNECTED, SUSPENDED (connection lost, the session may live), LOST (the session is over).
 * Invariants:
 *   I1 each request is answered to its caller once: by the reply, or by `undefined` when the connection is lost: it may have happened. The
 *      state says so before anybody is answered: who asks again at once must not be sent over the connection that is gone;
 *   I2 a connection on which nothing was heard for two thirds of the session time-out is given up (ClientCnxn's readTimeout); that is
 *      asked at every input, so a process that was paused is SUSPENDED before it does anything;
 *   I3 `confirmedUs` is when the newest answered request was sent: until `confirmedUs + session time-out` the server keeps the session,
 *      unless it is made to end it;
 *   I4 a watcher is called once, or never when the connection is lost first: who watches must look again after a reconnect. (The
 *      real client sets its watches again; the one user here begins anew, as Curator's LeaderLatch does.)
 */
import { DelayedCalls } from '../clients/delayed-calls.ts';
import { MAIN_MAILBOX, type NodeId } from '../foundation/ids.ts';
import { type Micros, micros } from '../foundation/time.ts';
import type { EngineParts } from '../parts.ts';
import type { Out, Target } from '../protocol/actor.ts';
import type { EngineMessage } from '../protocol/messages.ts';
import type { ZooKeeperOperation, ZooKeeperReply } from '../protocol/zookeeper-messages.ts';

export type ConnectionState = 'connected' | 'suspended' | 'lost';

export interface ZooKeeperClientOptions {
  readonly node: NodeId;
  readonly sessionTimeoutUs: number;
  /** A connected client says something at least this often. */
  readonly pingUs: number;
  /** After a lost connection the next one is tried after this time. */
  readonly reconnectUs: number;
  /** Connections of this process are numbered from here. */
  readonly firstConnection: number;
  /** Told of each change; first `connected`. */
  readonly changed: (state: ConnectionState, nowUs: Micros, out: Out) => void;
  readonly parts: Pick<EngineParts, 'askedAtConnectionLoss'>;
}

export type ZooKeeperHandler = (reply: ZooKeeperReply | undefined, nowUs: Micros, out: Out) => void;
export type ZooKeeperWatcher = (nowUs: Micros, out: Out) => void;

interface Asked {
  readonly xid: number;
  readonly sentUs: number;
  readonly handler: ZooKeeperHandler;
}

const PING = 'zookeeper-ping';

export class ZooKeeperClient {
  readonly #options: ZooKeeperClientOptions;
  readonly #target: Target;
  readonly #later = new DelayedCalls();
  readonly #watchers = new Map<string, ZooKeeperWatcher>();
  #asked: Asked[] = [];
  #state: ConnectionState | 'connecting' = 'connecting';
  #connection: number;
  #sessionId = 0;
  #xid = 0;
  #nowUs = 0;
  #heardUs = 0;
  #confirmedUs = 0;

  constructor(options: ZooKeeperClientOptions) {
    this.#options = options;
    this.#connection = options.firstConnection;
    this.#target = { node: options.node, mailbox: MAIN_MAILBOX, via: 'connection' };
  }

  get isConnected(): boolean {
    return this.#state === 'connected';
  }

  /** I3. */
  get confirmedUs(): number {
    return this.#confirmedUs;
  }

  start(nowUs: Micros, out: Out): void {
    this.#nowUs = nowUs;
    this.#connect(nowUs, out);
    out.setTimer(PING, micros(this.#options.pingUs));
  }

  /** I2. Called before each input. */
  check(nowUs: Micros, out: Out): void {
    this.#nowUs = nowUs;
    if (nowUs - this.#heardUs >= this.#readTimeoutUs()) this.#connectionLost(nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    if (this.#later.handleTimer(timer, nowUs, out)) return true;
    if (timer !== PING) return false;
    out.setTimer(PING, micros(this.#options.pingUs));
    if (this.isConnected) this.request({ kind: 'ping' }, out, () => undefined);
    return true;
  }

  handleMessage(message: EngineMessage, nowUs: Micros, out: Out): boolean {
    switch (message.kind) {
      case 'zookeeper-reply':
        this.#reply(message, nowUs, out);
        return true;
      case 'zookeeper-watch-event':
        if (message.connection === this.#connection) this.#fire(message.path, nowUs, out);
        return true;
      case 'zookeeper-closed':
        if (message.connection === this.#connection) this.#connectionLost(nowUs, out);
        return true;
      case 'connection-lost':
        if (message.peer !== this.#options.node) return false;
        this.#connectionLost(nowUs, out);
        return true;
      default:
        return false;
    }
  }

  /** Not connected: the answer is `undefined`, soon, as it is when the connection is lost on the way. */
  request(operation: ZooKeeperOperation, out: Out, handler: ZooKeeperHandler): void {
    if (!this.isConnected) {
      this.#xid += 1;
      this.#later.after(0, `refused/${this.#xid}`, out, (lateUs, lateOut) => handler(undefined, lateUs, lateOut));
      return;
    }
    this.#send(operation, out, handler);
  }

  /** Reads a node and is told of its next change. One watcher per path. */
  watchData(path: string, out: Out, on: { readonly read: ZooKeeperHandler; readonly changed: ZooKeeperWatcher }): void {
    this.#watchers.set(path, on.changed);
    this.request({ kind: 'get-data', path, watch: true }, out, (reply, replyUs, replyOut) => {
      if (reply?.code !== 'ok') this.#watchers.delete(path);
      on.read(reply, replyUs, replyOut);
    });
  }

  #send(operation: ZooKeeperOperation, out: Out, handler: ZooKeeperHandler): void {
    this.#xid += 1;
    this.#asked.push({ xid: this.#xid, sentUs: this.#nowUs, handler });
    out.send(this.#target, { kind: 'zookeeper-request', connection: this.#connection, xid: this.#xid, operation });
  }

  #reply(reply: ZooKeeperReply, nowUs: Micros, out: Out): void {
    if (reply.connection !== this.#connection) return;
    const at = this.#asked.findIndex(({ xid }) => xid === reply.xid);
    const [asked] = at < 0 ? [] : this.#asked.splice(at, 1);
    if (asked === undefined) return;
    this.#heardUs = nowUs;
    if (reply.code === 'session-expired') return this.#expired(asked, nowUs, out);
    this.#confirmedUs = Math.max(this.#confirmedUs, asked.sentUs);
    asked.handler(reply, nowUs, out);
  }

  #fire(path: string, nowUs: Micros, out: Out): void {
    this.#heardUs = nowUs;
    const watcher = this.#watchers.get(path);
    this.#watchers.delete(path);
    watcher?.(nowUs, out);
  }

  #connect(nowUs: Micros, out: Out): void {
    this.#connection += 1;
    this.#heardUs = nowUs;
    const { sessionTimeoutUs: timeoutUs } = this.#options;
    const operation = { kind: 'connect', sessionId: this.#sessionId, timeoutUs } as const;
    this.#send(operation, out, (reply, replyUs, replyOut) => {
      if (reply?.session === undefined) return;
      this.#sessionId = reply.session.sessionId;
      this.#state = 'connected';
      this.#options.changed('connected', replyUs, replyOut);
    });
  }

  /** The session may live on: another connection will tell. */
  #connectionLost(nowUs: Micros, out: Out): void {
    if (this.isConnected) this.#leave('suspended', undefined, nowUs, out);
    else this.#drop(nowUs, out);
    this.#later.after(this.#options.reconnectUs, 'reconnect', out, (lateUs, lateOut) => this.#connect(lateUs, lateOut));
  }

  #expired(asked: Asked, nowUs: Micros, out: Out): void {
    this.#sessionId = 0;
    this.#leave('lost', asked, nowUs, out);
    this.#later.after(this.#options.reconnectUs, 'reconnect', out, (lateUs, lateOut) => this.#connect(lateUs, lateOut));
  }

  /** I1. `asked`: waits, too. */
  #leave(state: ConnectionState, asked: Asked | undefined, nowUs: Micros, out: Out): void {
    if (this.#options.parts.askedAtConnectionLoss === 'refused') this.#state = state;
    asked?.handler(undefined, nowUs, out);
    this.#drop(nowUs, out);
    this.#state = state;
    this.#options.changed(state, nowUs, out);
  }

  /** I1, I4. Late replies and events carry the number of a connection that is over. */
  #drop(nowUs: Micros, out: Out): void {
    const asked = this.#asked;
    this.#asked = [];
    this.#connection += 1;
    this.#heardUs = nowUs;
    this.#watchers.clear();
    for (const { handler } of asked) handler(undefined, nowUs, out);
  }

  #readTimeoutUs(): number {
    return Math.floor((this.#options.sessionTimeoutUs * 2) / 3);
  }
}
