/**
 * ZooKeeper: sessions that expire, ephemeral nodes, watches, transactions, in front of a tree of znodes (rows F13, F14; Apache
 * ZooKeeper programmer's guide). One server stands for the ensemble; its crash is a leader change of the ensemble.
 *
 * Owns: sessions, connections, watches, the order of requests. Does not own: the nodes (zookeeper-tree.ts).
 * Invariants:
 *   I1 requests of one connection take effect and are answered in the order they were sent; each at one instant (linearizable);
 *   I2 only the server expires a session: at the first tick after it heard nothing of it for its time-out. The client learns it when
 *      it connects again. An expiry removes the session's ephemeral nodes in one transaction;
 *   I3 a watch fires once, before any later reply on its connection, and is gone with the connection;
 *   I4 a session outlives its connection, and the server itself: after a restart every session has its full time-out again.
 */
import { unreachable } from '../../engine/foundation/assert.ts';
import type { NodeId } from '../../engine/foundation/ids.ts';
import { type Micros, micros } from '../../engine/foundation/time.ts';
import type { Input, Target } from '../../engine/protocol/actor.ts';
import type {
  ZooKeeperOperation,
  ZooKeeperReply,
  ZooKeeperRequest,
  ZooKeeperWatchEventType,
  ZooKeeperWrite,
} from '../../engine/protocol/zookeeper-messages.ts';
import type { ChoiceSite } from '../kernel/choice.ts';
import { type Distribution, sampleUs } from '../kernel/distribution.ts';
import { ReplyTargets } from './reply-targets.ts';
import type { ServiceActor, ServiceOut } from './service-actor.ts';
import { REFUSED_OR_FAILED_AT_ONCE, REQUEST_EFFECTS, type ServiceConditions } from './service-conditions.ts';
import { parentOf, type Written, type ZnodeChange, ZooKeeperTree } from './zookeeper-tree.ts';

export interface ZooKeeperOptions {
  readonly disk: ZooKeeperDisk;
  /** Name under which it reports what it does by itself. */
  readonly node: NodeId;
  /** From arrival to effect and reply. */
  readonly latency: Distribution;
  readonly conditions: ServiceConditions;
  readonly latencySite: ChoiceSite;
  readonly conditionSite: ChoiceSite;
}

interface Session {
  readonly id: number;
  readonly timeoutUs: number;
  readonly owner: NodeId;
  /** Last time its client was heard; only in memory, so a restart sets it anew (I4). */
  heardUs: number;
}

/** Survives the service's node. */
export class ZooKeeperDisk {
  readonly tree = new ZooKeeperTree();
  readonly sessions = new Map<number, Session>();

  coordination(key: string): string | undefined {
    return this.tree.coordination(key);
  }
}

interface Connection {
  readonly number: number;
  readonly owner: NodeId;
  readonly target: Target;
  /** 0 until the session is known. */
  sessionId: number;
  /** When its last request takes effect (I1). */
  readyUs: number;
  /** Whether someone will hear what is sent. */
  isOpen: boolean;
  readonly dataWatches: Set<string>;
  readonly childWatches: Set<string>;
}

interface Pending {
  readonly connection: Connection;
  readonly request: ZooKeeperRequest;
  readonly effect: 'none' | 'unknown-outcome';
}

const TICK = 'tick';
/** ZooKeeper's tickTime is 2 s at time-outs of 4 s to 40 s; the time-outs here are shorter. */
const TICK_US = 500_000;

export class ZooKeeper implements ServiceActor {
  readonly #options: ZooKeeperOptions;
  readonly #targets = new ReplyTargets('connection');
  readonly #connections = new Map<NodeId, Connection>();
  readonly #pending = new Map<string, Pending>();
  #sequence = 0;
  #isTicking = false;

  constructor(options: ZooKeeperOptions) {
    this.#options = options;
  }

  handle(input: Input, nowUs: Micros, out: ServiceOut): void {
    if (input.kind === 'started') {
      for (const session of this.#options.disk.sessions.values()) session.heardUs = nowUs;
      return this.#tickOn(out);
    }
    if (input.kind === 'timer') {
      if (input.timer === TICK) return this.#tick(nowUs, out);
      return this.#finish(input.timer, nowUs, out);
    }
    const { message, from, fromMailbox } = input;
    if (message.kind === 'connection-lost') {
      const connection = this.#connections.get(message.peer);
      if (connection !== undefined) this.#forget(connection);
      return;
    }
    if (message.kind === 'zookeeper-request')
      return this.#arrive(message, { from, target: this.#targets.of(from, fromMailbox) }, nowUs, out);
    out.report({ kind: 'message-discarded', message: message.kind, why: 'not for ZooKeeper' });
  }

  /* ---- requests ---- */

  #arrive(
    request: ZooKeeperRequest,
    sender: { readonly from: NodeId; readonly target: Target },
    nowUs: Micros,
    out: ServiceOut,
  ): void {
    const connection = this.#connectionOf(request, sender, out);
    if (connection === undefined) return;
    const session = this.#options.disk.sessions.get(connection.sessionId);
    if (session !== undefined) session.heardUs = nowUs;
    if (session !== undefined && this.#isRevoked()) {
      this.#expire(session, 'revoked', out);
      return this.#close(connection, out);
    }
    const { conditions, conditionSite, latency, latencySite } = this.#options;
    const { effect, factor } = conditions.decide(conditionSite, REQUEST_EFFECTS, REFUSED_OR_FAILED_AT_ONCE);
    /* An ensemble that cannot serve, or a server that fails, ends the connection: the client hears no reason. */
    if (effect === 'unavailable' || effect === 'fail') return this.#close(connection, out);
    const timer = `r${this.#sequence}`;
    this.#sequence += 1;
    connection.readyUs = Math.max(connection.readyUs, nowUs + Math.floor(sampleUs(latency, latencySite) * factor));
    this.#pending.set(timer, { connection, request, effect: effect === 'unknown-outcome' ? effect : 'none' });
    out.setTimer(timer, micros(connection.readyUs - nowUs));
  }

  /** A client's newest connection; undefined when the request came over one that has ended. */
  #connectionOf(
    { connection: number, operation }: ZooKeeperRequest,
    { from, target }: { readonly from: NodeId; readonly target: Target },
    out: ServiceOut,
  ): Connection | undefined {
    const known = this.#connections.get(from);
    if (known !== undefined && known.number === number) return known;
    if (known !== undefined && known.number > number) return undefined;
    if (operation.kind !== 'connect') {
      out.send(target, { kind: 'zookeeper-closed', connection: number });
      return undefined;
    }
    if (known !== undefined) this.#forget(known);
    const connection: Connection = {
      number,
      owner: from,
      target,
      sessionId: 0,
      readyUs: 0,
      isOpen: true,
      dataWatches: new Set(),
      childWatches: new Set(),
    };
    this.#connections.set(from, connection);
    return connection;
  }

  #isRevoked(): boolean {
    const { conditions, conditionSite } = this.#options;
    return conditions.decide(conditionSite, ['session-expiry']).effect === 'session-expiry';
  }

  /** What was under way still takes effect, but nobody hears of it. */
  #forget(connection: Connection): void {
    connection.isOpen = false;
    if (this.#connections.get(connection.owner) === connection) this.#connections.delete(connection.owner);
  }

  #close(connection: Connection, out: ServiceOut): void {
    if (!connection.isOpen) return;
    this.#forget(connection);
    out.send(connection.target, { kind: 'zookeeper-closed', connection: connection.number });
  }

  #finish(timer: string, nowUs: Micros, out: ServiceOut): void {
    const pending = this.#pending.get(timer);
    this.#pending.delete(timer);
    if (pending === undefined) return;
    const { connection, request, effect } = pending;
    const answer = this.#perform(connection, request.operation, nowUs, out);
    if (effect === 'unknown-outcome') return this.#close(connection, out);
    if (!connection.isOpen) return;
    const { connection: number, xid } = request;
    const zxid = this.#options.disk.tree.zxid;
    out.send(connection.target, { kind: 'zookeeper-reply', connection: number, xid, zxid, ...answer });
    if (answer.code === 'session-expired') this.#close(connection, out);
  }

  #perform(connection: Connection, operation: ZooKeeperOperation, nowUs: Micros, out: ServiceOut): Answer {
    const { tree, sessions } = this.#options.disk;
    if (operation.kind === 'connect') return this.#connect(connection, operation, nowUs, out);
    const session = sessions.get(connection.sessionId);
    if (session === undefined) return { code: 'session-expired' };
    switch (operation.kind) {
      case 'ping':
        return { code: 'ok' };
      case 'close':
        this.#expire(session, 'closed', out);
        return { code: 'ok' };
      case 'get-data':
      case 'exists': {
        const node = tree.node(operation.path);
        const mayWatch = node !== undefined || operation.kind === 'exists';
        if (operation.watch && mayWatch) connection.dataWatches.add(operation.path);
        if (node === undefined) return { code: 'no-node' };
        return operation.kind === 'exists'
          ? { code: 'ok', stat: node.stat }
          : { code: 'ok', stat: node.stat, data: node.data };
      }
      case 'get-children': {
        const node = tree.node(operation.path);
        if (node === undefined) return { code: 'no-node' };
        if (operation.watch) connection.childWatches.add(operation.path);
        return { code: 'ok', stat: node.stat, children: tree.children(operation.path) };
      }
      case 'multi':
        return this.#write(connection, operation.operations, out);
      case 'create':
      case 'delete':
      case 'set-data':
      case 'check': {
        const answer = this.#write(connection, [operation], out);
        return answer.code === 'ok' ? answer : { code: answer.code };
      }
      default:
        return unreachable(operation);
    }
  }

  #write(connection: Connection, operations: readonly ZooKeeperWrite[], out: ServiceOut): Answer {
    const written: Written = this.#options.disk.tree.write(operations, connection.sessionId);
    if (written.code !== 'ok') return { code: written.code, failed: written.failed };
    this.#changed(written.changes, connection.owner, out);
    const { paths, stat } = written;
    return stat === undefined ? { code: 'ok', paths } : { code: 'ok', paths, stat };
  }

  /* ---- sessions ---- */

  #connect(
    connection: Connection,
    { sessionId, timeoutUs }: ZooKeeperOperation & { readonly kind: 'connect' },
    nowUs: Micros,
    out: ServiceOut,
  ): Answer {
    const { tree, sessions } = this.#options.disk;
    const known = sessions.get(sessionId);
    if (sessionId !== 0 && known === undefined) return { code: 'session-expired' };
    const session = known ?? { id: tree.nextZxid(), timeoutUs, owner: connection.owner, heardUs: nowUs };
    session.heardUs = nowUs;
    sessions.set(session.id, session);
    connection.sessionId = session.id;
    this.#tickOn(out);
    return { code: 'ok', session: { sessionId: session.id, timeoutUs: session.timeoutUs } };
  }

  #tickOn(out: ServiceOut): void {
    if (this.#isTicking || this.#options.disk.sessions.size === 0) return;
    this.#isTicking = true;
    out.setTimer(TICK, micros(TICK_US));
  }

  #tick(nowUs: Micros, out: ServiceOut): void {
    this.#isTicking = false;
    for (const session of [...this.#options.disk.sessions.values()]) {
      if (nowUs - session.heardUs >= session.timeoutUs) this.#expire(session, 'timeout', out);
    }
    this.#tickOn(out);
  }

  #expire(session: Session, why: 'timeout' | 'revoked' | 'closed', out: ServiceOut): void {
    const { disk, node } = this.#options;
    disk.sessions.delete(session.id);
    disk.tree.nextZxid();
    out.report({ kind: 'session-ended', session: session.id, owner: session.owner, why });
    this.#changed(disk.tree.removeOwnedBy(session.id), node, out);
    if (why === 'closed') return;
    for (const connection of [...this.#connections.values()])
      if (connection.sessionId === session.id) this.#close(connection, out);
  }

  /* ---- changes ---- */

  #changed(changes: readonly ZnodeChange[], by: NodeId, out: ServiceOut): void {
    for (const { kind, path, data, version } of changes) {
      const isGone = kind === 'deleted';
      out.report({
        kind: 'coordination-updated',
        key: path.slice(1),
        version: isGone ? 0 : version + 1,
        value: data,
        by,
      });
      this.#fire('dataWatches', path, eventOf(kind), out);
      if (kind !== 'data-changed') this.#fire('childWatches', parentOf(path), 'node-children-changed', out);
      if (isGone) this.#fire('childWatches', path, 'node-deleted', out);
    }
  }

  /** I3. */
  #fire(which: 'dataWatches' | 'childWatches', path: string, type: ZooKeeperWatchEventType, out: ServiceOut): void {
    for (const connection of this.#connections.values()) {
      if (!connection[which].delete(path)) continue;
      out.send(connection.target, { kind: 'zookeeper-watch-event', connection: connection.number, path, type });
    }
  }
}

type Answer = Omit<ZooKeeperReply, 'kind' | 'connection' | 'xid' | 'zxid'>;

function eventOf(kind: ZnodeChange['kind']): ZooKeeperWatchEventType {
  if (kind === 'created') return 'node-created';
  return kind === 'deleted' ? 'node-deleted' : 'node-data-changed';
}
