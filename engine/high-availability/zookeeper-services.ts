/** High availability over ZooKeeper: one session, a latch, registers (row F13; Flink: ZooKeeperLeaderElectionHaServices). */
import { retryDelayUs } from '../clients/delayed-calls.ts';
import type { LeaderEpoch } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineMessage } from '../protocol/messages.ts';
import type { HighAvailabilityServices, ServicesOptions } from './high-availability-services.ts';
import { ZooKeeperClient } from './zookeeper-client.ts';
import { ZooKeeperLatch } from './zookeeper-latch.ts';
import { ZooKeeperRegisters } from './zookeeper-registers.ts';

const CONNECTIONS_PER_INCARNATION = 1_000_000;

export class ZooKeeperServices implements HighAvailabilityServices {
  readonly registers: ZooKeeperRegisters;
  readonly #client: ZooKeeperClient;
  readonly #latch: ZooKeeperLatch;

  constructor(options: ServicesOptions) {
    const { runtime } = options.configuration;
    this.#client = new ZooKeeperClient({
      node: options.coordination,
      sessionTimeoutUs: runtime.leaseUs,
      pingUs: Math.min(runtime.leaseRenewUs, Math.floor(runtime.leaseUs / 3)),
      reconnectUs: retryDelayUs(runtime.requestTimeoutUs),
      firstConnection: options.incarnation * CONNECTIONS_PER_INCARNATION,
      changed: (state, nowUs, out) => this.#latch.connectionChanged(state, nowUs, out),
      parts: options.parts,
    });
    this.#latch = new ZooKeeperLatch(options, this.#client);
    this.registers = new ZooKeeperRegisters({
      client: this.#client,
      latch: this.#latch,
      fencing: options.parts.leaderFencing,
    });
  }

  get epoch(): LeaderEpoch | undefined {
    return this.#latch.epoch;
  }

  start(nowUs: Micros, out: Out): void {
    this.#client.start(nowUs, out);
  }

  checkLeadership(nowUs: Micros, out: Out): void {
    this.#client.check(nowUs, out);
    this.#latch.check(nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#client.handleTimer(timer, nowUs, out);
  }

  handleMessage(message: EngineMessage, nowUs: Micros, out: Out): boolean {
    return this.#client.handleMessage(message, nowUs, out);
  }
}
