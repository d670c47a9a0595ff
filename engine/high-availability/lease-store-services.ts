/**
 * High availability over the lease store: a lease and registers by compare-and-set on versioned keys (decision 0004). What ZooKeeper
 * and Kubernetes have in common, and nothing more; the default, because it has the fewest moving parts.
 */
import { RequestClient } from '../clients/request-client.ts';
import type { LeaderEpoch } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import { LeaderElection } from '../jobmanager/leader-election.ts';
import type { Out } from '../protocol/actor.ts';
import type { CoordinationReply, EngineMessage } from '../protocol/messages.ts';
import type { HighAvailabilityServices, ServicesOptions } from './high-availability-services.ts';
import { StoreRegisters } from './store-registers.ts';

/** Two clients share the ids of a process. */
const IDS_OF_ELECTION = 500_000_000;

export class LeaseStoreServices implements HighAvailabilityServices {
  readonly registers: StoreRegisters;
  readonly #election: LeaderElection;
  /** Renewals go on while a leader's requests are abandoned. */
  readonly #lease: RequestClient<CoordinationReply>;
  readonly #values: RequestClient<CoordinationReply>;

  constructor(options: ServicesOptions) {
    const { coordination: node, configuration, firstRequestId, contender } = options;
    const common = { node, via: 'datagram', timeoutUs: configuration.runtime.requestTimeoutUs } as const;
    this.#lease = new RequestClient({ name: 'lease', firstRequestId, ...common });
    this.#values = new RequestClient({
      ...common,
      name: 'coordination',
      firstRequestId: firstRequestId + IDS_OF_ELECTION,
    });
    this.registers = new StoreRegisters(this.#values);
    this.#election = new LeaderElection({
      jobId: options.jobId,
      node: options.node,
      incarnation: options.incarnation,
      runtime: configuration.runtime,
      parts: options.parts,
      coordination: this.#lease,
      acquired: (epoch, nowUs, out) => contender.acquired(epoch, nowUs, out),
      lost: (epoch, nowUs, out) => contender.lost(epoch, nowUs, out),
    });
  }

  get epoch(): LeaderEpoch | undefined {
    return this.#election.epoch;
  }

  start(nowUs: Micros, out: Out): void {
    this.#election.start(nowUs, out);
  }

  checkLeadership(nowUs: Micros, out: Out): void {
    this.#election.checkLease(nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return (
      this.#election.handleTimer(timer, nowUs, out) ||
      this.#lease.handleTimer(timer, nowUs, out) ||
      this.#values.handleTimer(timer, nowUs, out)
    );
  }

  handleMessage(message: EngineMessage, nowUs: Micros, out: Out): boolean {
    if (message.kind !== 'coordination-reply') return false;
    this.#lease.handleReply(message, nowUs, out);
    this.#values.handleReply(message, nowUs, out);
    return true;
  }
}
