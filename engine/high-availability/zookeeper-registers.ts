/**
 * Named registers as znodes (rows C8, F16, F17; Flink: ZooKeeperStateHandleStore, ZooKeeperCheckpointIDCounter).
 *
 * Owns: the translation. A write is one transaction with a check that the leader's latch node is still there: when the session is over,
 * it is refused, however late it arrives (Flink locks nodes with ephemeral children instead; B6 in bugs.md). A node's version
 * counts from 0, a register's from 1.
 * I1: after a refused transaction the value is read, so that a conflict says what is there; a read that fails makes it unknown.
 */
import type { Out } from '../protocol/actor.ts';
import type { ZooKeeperWrite } from '../protocol/zookeeper-messages.ts';
import {
  ANY_VERSION,
  type NamedRegisters,
  type RegisterHandler,
  type RegisterReply,
  type RegisterWrite,
  UNKNOWN,
} from './named-registers.ts';
import type { ZooKeeperClient } from './zookeeper-client.ts';
import type { ZooKeeperLatch } from './zookeeper-latch.ts';
import { probe } from '../protocol/probes.ts';

export interface ZooKeeperRegistersOptions {
  readonly client: ZooKeeperClient;
  readonly latch: ZooKeeperLatch;
  readonly fencing: 'by-epoch' | 'none';
}

/** Position of the check in a transaction. */
const CHECK = 0;

export class ZooKeeperRegisters implements NamedRegisters {
  /** Curator's shared count is an int. */
  readonly highestCount = 2_147_483_647;
  readonly #options: ZooKeeperRegistersOptions;
  /** Rises when the open calls are forgotten. */
  #generation = 0;

  constructor(options: ZooKeeperRegistersOptions) {
    this.#options = options;
  }

  read(name: string, out: Out, then: RegisterHandler): void {
    this.#read(name, 'done', out, this.#unlessForgotten(then));
  }

  compareAndSet({ name, expectedVersion, value }: RegisterWrite, out: Out, then: RegisterHandler): void {
    const path = pathOf(name);
    const write: ZooKeeperWrite =
      expectedVersion === 0
        ? { kind: 'create', path, data: value, mode: 'persistent' }
        : { kind: 'set-data', path, data: value, version: expectedVersion === ANY_VERSION ? -1 : expectedVersion - 1 };
    this.#commit(write, { name, done: { outcome: 'done', version: expectedVersion + 1, value } }, out, then);
  }

  remove(name: string, expectedVersion: number, out: Out, then: RegisterHandler): void {
    const write: ZooKeeperWrite = { kind: 'delete', path: pathOf(name), version: expectedVersion - 1 };
    this.#commit(write, { name, done: { outcome: 'done', version: 0, value: '' } }, out, then);
  }

  abandon(_out: Out): void {
    this.#generation += 1;
  }

  #commit(
    write: ZooKeeperWrite,
    on: { readonly name: string; readonly done: RegisterReply },
    out: Out,
    handler: RegisterHandler,
  ): void {
    const then = this.#unlessForgotten(handler);
    const { client, latch, fencing } = this.#options;
    /* Nothing is asked by one that does not lead, and nothing answered to it. */
    if (latch.leaderPath === undefined) return;
    const check: ZooKeeperWrite = { kind: 'check', path: latch.leaderPath, version: 0 };
    const operations = fencing === 'none' ? [write] : [check, write];
    client.request({ kind: 'multi', operations }, out, (reply, nowUs, replyOut) => {
      if (reply === undefined) return then(UNKNOWN, nowUs, replyOut);
      if (reply.code === 'ok') return then(on.done, nowUs, replyOut);
      if (fencing !== 'none' && reply.failed === CHECK) {
        probe(replyOut, 'zookeeper-write-fenced');
        return latch.deposed(nowUs, replyOut);
      }
      this.#read(on.name, 'conflict', replyOut, then);
    });
  }

  #read(name: string, outcome: 'done' | 'conflict', out: Out, then: RegisterHandler): void {
    const operation = { kind: 'get-data', path: pathOf(name), watch: false } as const;
    this.#options.client.request(operation, out, (reply, nowUs, replyOut) => {
      if (reply === undefined) return then(UNKNOWN, nowUs, replyOut);
      const version = reply.stat === undefined ? 0 : reply.stat.version + 1;
      then({ outcome, version, value: reply.data ?? '' }, nowUs, replyOut);
    });
  }

  #unlessForgotten(then: RegisterHandler): RegisterHandler {
    const generation = this.#generation;
    return (reply, nowUs, out) => {
      if (generation === this.#generation) then(reply, nowUs, out);
    };
  }
}

const pathOf = (name: string): string => `/${name}`;
