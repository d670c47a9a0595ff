/**
 * Who leads, decided by compare-and-set on one lease in the coordination store (rows F14, F15, F17; Flink:
 * DefaultLeaderElectionService over a Kubernetes-like lease).
 *
 * Owns: this JobManager's view of the lease. Does not own: what a leader does.
 * Invariants:
 *   I1 each new leader has a higher epoch than every earlier one: the epoch is raised by the same compare-and-set that takes the lease;
 *   I2 a leader that could not renew for the lease time stops acting before anyone else may take over: it counts from when it
 *      asked, others from when they saw the last renewal;
 *   I3 an unanswered write is neither success nor failure: the lease is read again.
 */
import type { RequestClient } from '../clients/request-client.ts';
import { type LeaderEpoch, leaderEpoch, type NodeId } from '../foundation/ids.ts';
import { type Micros, micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineParts } from '../parts.ts';
import { decodeLease, encodeLease, type LeaderLease, leaderKey } from '../protocol/checkpoint-pointer.ts';
import type { RuntimeConfiguration } from '../protocol/configuration.ts';
import type { CoordinationReply } from '../protocol/messages.ts';
import { probe, sometimes } from '../protocol/probes.ts';

export interface LeaderElectionOptions {
  readonly jobId: string;
  readonly node: NodeId;
  readonly incarnation: number;
  readonly runtime: RuntimeConfiguration;
  readonly parts: Pick<EngineParts, 'leaseCountedFrom'>;
  readonly coordination: RequestClient<CoordinationReply>;
  readonly acquired: (epoch: LeaderEpoch, nowUs: Micros, out: Out) => void;
  readonly lost: (epoch: LeaderEpoch, nowUs: Micros, out: Out) => void;
}

const TIMER = 'lease';

export class LeaderElection {
  readonly #options: LeaderElectionOptions;
  #leading: LeaderLease | undefined;
  #confirmedUs = 0;
  #version = 0;
  #seenVersion = -1;
  #seenSinceUs = 0;
  #asking = false;
  /** When the renewal that is not confirmed was first sent. */
  #renewalSentUs: Micros | undefined;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
  }

  get epoch(): LeaderEpoch | undefined {
    return this.#leading?.epoch;
  }

  start(_nowUs: Micros, out: Out): void {
    this.#look(out);
    out.setTimer(TIMER, micros(this.#options.runtime.leaseRenewUs));
  }

  /** True when the timer was the election's. */
  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    if (timer !== TIMER) return false;
    out.setTimer(TIMER, micros(this.#options.runtime.leaseRenewUs));
    if (this.#asking) return true;
    if (this.#leading === undefined) this.#look(out);
    else this.#renew(this.#leading, nowUs, out);
    return true;
  }

  /** Invariant I2: called before every input is handled, so that a process that was paused does not act on an old lease. */
  checkLease(nowUs: Micros, out: Out): void {
    const leading = this.#leading;
    if (leading === undefined || nowUs - this.#confirmedUs < this.#options.runtime.leaseUs) return;
    probe(out, 'lease-given-up');
    this.#stepDown(leading, nowUs, out);
  }

  #stepDown(leading: LeaderLease, nowUs: Micros, out: Out): void {
    this.#leading = undefined;
    this.#renewalSentUs = undefined;
    this.#seenVersion = -1;
    out.report({ kind: 'leadership-lost', epoch: leading.epoch });
    this.#options.lost(leading.epoch, nowUs, out);
  }

  #look(out: Out): void {
    this.#asking = true;
    const key = leaderKey(this.#options.jobId);
    this.#options.coordination.request(
      (requestId) => ({ kind: 'coordination-get', requestId, key }),
      out,
      (reply, nowUs, replyOut) => {
        this.#asking = false;
        if (reply?.outcome === 'done') this.#observed(reply, nowUs, replyOut);
      },
    );
  }

  #observed(reply: CoordinationReply, nowUs: Micros, out: Out): void {
    const lease = reply.version === 0 ? undefined : decodeLease(reply.value);
    const { node, incarnation, runtime } = this.#options;
    if (this.#leading !== undefined) return this.#compare(this.#leading, { lease, version: reply.version }, nowUs, out);
    if (reply.version !== this.#seenVersion) {
      this.#seenVersion = reply.version;
      this.#seenSinceUs = nowUs;
    }
    const isOwnPast = lease?.holder === node && lease.incarnation <= incarnation;
    const isExpired = nowUs - this.#seenSinceUs >= runtime.leaseUs;
    if (lease !== undefined && !isOwnPast && !isExpired) return;
    if (lease !== undefined) probe(out, isOwnPast ? 'lease-taken-from-own-past' : 'lease-taken-from-silent-leader');
    this.#take(lease, reply.version, nowUs, out);
  }

  /** A leader that asked because a renewal went unanswered. */
  #compare(
    leading: LeaderLease,
    { lease, version }: { readonly lease: LeaderLease | undefined; readonly version: number },
    nowUs: Micros,
    out: Out,
  ): void {
    if (
      lease?.epoch !== leading.epoch ||
      lease.holder !== leading.holder ||
      lease.incarnation !== leading.incarnation
    ) {
      return this.#stepDown(leading, nowUs, out);
    }
    // What was found was written at some time after it was first sent, and others count from then; reading it makes it no younger.
    sometimes(lease.renewal > leading.renewal, out, 'lease-renewal-found-done');
    if (lease.renewal > leading.renewal && this.#renewalSentUs !== undefined) this.#confirmedUs = this.#renewalSentUs;
    if (lease.renewal > leading.renewal) this.#renewalSentUs = undefined;
    this.#leading = lease;
    this.#version = version;
  }

  #take(previous: LeaderLease | undefined, version: number, askedUs: Micros, out: Out): void {
    const { node, incarnation } = this.#options;
    const lease: LeaderLease = {
      epoch: leaderEpoch((previous?.epoch ?? 0) + 1),
      holder: node,
      incarnation,
      renewal: 0,
    };
    this.#write(lease, version, out, (outcome, reply, nowUs, replyOut) => {
      if (outcome !== 'written' || reply === undefined) return;
      this.#leading = lease;
      this.#version = reply.version;
      this.#confirmedUs = askedUs;
      replyOut.report({ kind: 'leadership-acquired', epoch: lease.epoch });
      this.#options.acquired(lease.epoch, nowUs, replyOut);
    });
  }

  #renew(leading: LeaderLease, askedUs: Micros, out: Out): void {
    this.#renewalSentUs ??= askedUs;
    const lease = { ...leading, renewal: leading.renewal + 1 };
    this.#write(lease, this.#version, out, (outcome, reply, nowUs, replyOut) => {
      if (this.#leading !== leading) return;
      if (outcome === 'unknown' || reply === undefined) return this.#look(replyOut);
      if (outcome === 'conflict')
        return this.#compare(
          leading,
          { lease: reply.version === 0 ? undefined : decodeLease(reply.value), version: reply.version },
          nowUs,
          replyOut,
        );
      this.#leading = lease;
      this.#renewalSentUs = undefined;
      this.#version = reply.version;
      this.#confirmedUs = this.#options.parts.leaseCountedFrom === 'request' ? askedUs : nowUs;
    });
  }

  #write(
    lease: LeaderLease,
    expectedVersion: number,
    out: Out,
    then: (
      outcome: 'written' | 'conflict' | 'unknown',
      reply: CoordinationReply | undefined,
      nowUs: Micros,
      out: Out,
    ) => void,
  ): void {
    this.#asking = true;
    const key = leaderKey(this.#options.jobId);
    const value = encodeLease(lease);
    this.#options.coordination.request(
      (requestId) => ({ kind: 'coordination-compare-and-set', requestId, key, expectedVersion, value }),
      out,
      (reply, nowUs, replyOut) => {
        this.#asking = false;
        const outcome =
          reply === undefined || reply.outcome === 'failed'
            ? 'unknown'
            : reply.outcome === 'done'
              ? 'written'
              : 'conflict';
        sometimes(outcome === 'unknown', replyOut, 'lease-write-unknown');
        sometimes(outcome === 'conflict', replyOut, 'lease-write-lost-race');
        then(outcome, reply, nowUs, replyOut);
      },
    );
  }
}
