/**
 * Who leads, by a queue of ephemeral sequential nodes (row F14; Curator: LeaderLatch, as Flink's ZooKeeperLeaderElectionDriver uses it).
 *
 * The contender whose node has the lowest number leads; every other one watches the node before its own, so that the end of one wakes
 * one. The number plus one is the epoch: it rises with every node ever made there, and each reign has a node of its own.
 *
 * Owns: this contender's node. Does not own: the session (zookeeper-client), what a leader does.
 * Invariants:
 *   I1 a connection that is SUSPENDED ends the leadership, unless that is tolerated; then its end is when the session may have expired,
 *      counted from when its newest sign of life was sent, or LOST, whichever comes first;
 *   I2 after a lost connection all is begun anew: watches are gone, and a node may have been made unseen. Own nodes are found by their
 *      name (Curator: protected mode; CURATOR-3), for one that is left in front would bar everybody for as long as the session lives;
 *   I3 whoever steps down while the connection holds queues anew at once: its session may have survived, its node with it, and then no
 *      change of the connection ever comes.
 */
import { type LeaderEpoch, leaderEpoch } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import { latchPath, latchSequence } from '../protocol/leader-records.ts';
import type { HighAvailabilityServices, ServicesOptions } from './high-availability-services.ts';
import type { ConnectionState, ZooKeeperClient } from './zookeeper-client.ts';
import { probe, sometimes } from '../protocol/probes.ts';

interface Leading {
  readonly epoch: LeaderEpoch;
  readonly path: string;
}

export class ZooKeeperLatch implements Pick<HighAvailabilityServices, 'epoch'> {
  readonly #options: ServicesOptions;
  readonly #client: ZooKeeperClient;
  readonly #directory: string;
  /** Names of this process's nodes begin with it. */
  readonly #own: string;
  /** Rises with each new beginning: answers to what was asked before are void. */
  #round = 0;
  #path: string | undefined;
  /** For the node before its own to go. */
  #isWaiting = false;
  #leading: Leading | undefined;

  constructor(options: ServicesOptions, client: ZooKeeperClient) {
    this.#options = options;
    this.#client = client;
    this.#directory = latchPath(options.jobId);
    this.#own = `_c_${options.node}-${options.incarnation}-`;
  }

  get epoch(): LeaderEpoch | undefined {
    return this.#leading?.epoch;
  }

  /** Node that is there exactly as long as this process leads; writes are conditional on it. */
  get leaderPath(): string | undefined {
    return this.#leading?.path;
  }

  connectionChanged(state: ConnectionState, nowUs: Micros, out: Out): void {
    const { parts, configuration } = this.#options;
    if (state === 'connected') {
      if (parts.afterReconnect === 'trust-watch' && this.#isWaiting) return;
      return this.#begin(out);
    }
    if (state === 'lost') {
      this.#path = undefined;
      this.#isWaiting = false;
      return this.stepDown(nowUs, out);
    }
    const isTolerated = configuration.highAvailability.tolerateSuspendedConnections;
    if (isTolerated || parts.suspendedLeadership !== 'lost') return;
    sometimes(this.#leading !== undefined, out, 'latch-suspended');
    this.stepDown(nowUs, out);
  }

  /** I1: the session may be over though nobody said so. */
  check(nowUs: Micros, out: Out): void {
    if (this.#leading === undefined || this.#options.parts.suspendedLeadership === 'kept') return;
    if (nowUs - this.#client.confirmedUs < this.#options.configuration.runtime.leaseUs) return;
    probe(out, 'latch-session-may-be-over');
    this.deposed(nowUs, out);
  }

  /** The leadership is over; the node, if it is there still, goes with the next beginning. */
  stepDown(nowUs: Micros, out: Out): void {
    const leading = this.#leading;
    if (leading === undefined) return;
    this.#leading = undefined;
    out.report({ kind: 'leadership-lost', epoch: leading.epoch });
    this.#options.contender.lost(leading.epoch, nowUs, out);
  }

  /** I3: the leader's own node turned out to be gone, or may be. Nobody tells a connection that holds of that. */
  deposed(nowUs: Micros, out: Out): void {
    this.stepDown(nowUs, out);
    if (this.#client.isConnected) this.#begin(out);
  }

  /** I2: looks what is there, removes own nodes of earlier rounds, queues anew. A leader that was suspended keeps its node. */
  #begin(out: Out): void {
    this.#isWaiting = false;
    this.#round += 1;
    const round = this.#round;
    const keep = this.#leading?.path;
    if (keep === undefined) this.#path = undefined;
    this.#client.request(
      { kind: 'get-children', path: this.#directory, watch: false },
      out,
      (reply, atUs, replyOut) => {
        if (round !== this.#round || reply === undefined) return;
        if (reply.code === 'no-node') return this.#makeDirectory(round, replyOut);
        const own = (reply.children ?? [])
          .map((name) => `${this.#directory}/${name}`)
          .filter((path) => this.#isOwn(path));
        if (keep !== undefined && !own.includes(keep)) this.stepDown(atUs, replyOut);
        for (const path of own) {
          if (path === this.#leading?.path) continue;
          probe(replyOut, 'latch-left-over-node-removed');
          this.#client.request({ kind: 'delete', path, version: -1 }, replyOut, () => undefined);
        }
        if (this.#leading === undefined) this.#enqueue(round, replyOut);
      },
    );
  }

  /** Curator: creatingParentsIfNeeded. */
  #makeDirectory(round: number, out: Out): void {
    for (const path of [`/${this.#options.jobId}`, this.#directory]) {
      this.#client.request({ kind: 'create', path, data: '', mode: 'persistent' }, out, (reply, _atUs, replyOut) => {
        if (path === this.#directory && reply !== undefined && round === this.#round) this.#begin(replyOut);
      });
    }
  }

  #enqueue(round: number, out: Out): void {
    const { node, incarnation } = this.#options;
    const path = `${this.#directory}/${this.#own}${round}-latch-`;
    const create = { kind: 'create', path, data: `${node}/${incarnation}`, mode: 'ephemeral-sequential' } as const;
    this.#client.request(create, out, (reply, _atUs, replyOut) => {
      const made = reply?.paths?.[0];
      if (round !== this.#round || reply?.code !== 'ok' || made === undefined) return;
      this.#path = made;
      this.#lookAround(round, replyOut);
    });
  }

  /** First in the queue: leader. Else the node before is watched. */
  #lookAround(round: number, out: Out): void {
    this.#client.request(
      { kind: 'get-children', path: this.#directory, watch: false },
      out,
      (reply, atUs, replyOut) => {
        if (round !== this.#round || reply === undefined) return;
        const queue = (reply.children ?? []).map((name) => `${this.#directory}/${name}`).sort(bySequence);
        const at = queue.indexOf(this.#path ?? '');
        const before = queue[at - 1];
        if (at < 0) return this.#begin(replyOut);
        if (before === undefined) return this.#lead(atUs, replyOut);
        this.#isWaiting = true;
        this.#client.watchData(before, replyOut, {
          read: (found, _foundUs, foundOut) => {
            if (round === this.#round && found?.code === 'no-node') this.#lookAround(round, foundOut);
          },
          changed: (_changedUs, changedOut) => {
            if (round === this.#round) this.#lookAround(round, changedOut);
          },
        });
      },
    );
  }

  #lead(nowUs: Micros, out: Out): void {
    if (this.#leading !== undefined || this.#path === undefined) return;
    const epoch = leaderEpoch(sequenceOf(this.#path) + 1);
    this.#leading = { epoch, path: this.#path };
    out.report({ kind: 'leadership-acquired', epoch });
    this.#options.contender.acquired(epoch, nowUs, out);
  }

  #isOwn(path: string): boolean {
    return path.slice(this.#directory.length + 1).startsWith(this.#own);
  }
}

const sequenceOf = (path: string): number => latchSequence(path) ?? 0;
const bySequence = (a: string, b: string): number => sequenceOf(a) - sequenceOf(b);
