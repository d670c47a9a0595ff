/**
 * Who leads, by a leader annotation on the job's ConfigMap (row F14; client-go and fabric8: LeaderElector; Flink: KubernetesLeaderElector).
 *
 * Every retry period a contender tries to take or renew the record. Others' clocks are not trusted: a record counts as expired when
 * this process has seen it unchanged for the lease duration. A watch tells a leader at once that its record was replaced.
 *
 * Owns: the record and this contender's view of it. Does not own: the object (kubernetes-lock), what a leader does.
 * Invariants:
 *   I1 the epoch is `leaderTransitions`, raised by the same update that names a new holder. Each candidacy has an identity of its own
 *      (Flink: one lock identity per process, and a new session id per grant), so no reign continues an earlier one;
 *   I2 a leader counts its renew deadline, which is the lease duration, from when it asked, others from when they saw the change: it
 *      stops before anyone else may begin;
 *   I3 an unanswered update is neither success nor failure: the record is read again.
 */
import { type LeaderEpoch, leaderEpoch } from '../foundation/ids.ts';
import { type Micros, micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { ConfigMap } from '../protocol/kubernetes-messages.ts';
import {
  decodeLeaderRecord,
  encodeLeaderRecord,
  LEADER_ANNOTATION,
  type LeaderElectionRecord,
} from '../protocol/leader-records.ts';
import type { ServicesOptions } from './high-availability-services.ts';
import type { KubernetesLock } from './kubernetes-lock.ts';
import { probe } from '../protocol/probes.ts';

const RETRY = 'kubernetes-retry';

export class KubernetesElector {
  readonly #options: ServicesOptions;
  readonly #lock: KubernetesLock;
  /** Counts candidacies (I1). */
  #candidacy = 1;
  #leading: { readonly epoch: LeaderEpoch } | undefined;
  #confirmedUs = 0;
  #observed = '';
  #observedUs = 0;
  #isBusy = false;
  /** Request of the watch that runs; -1: none. */
  #watch = -1;

  constructor(options: ServicesOptions, lock: KubernetesLock) {
    this.#options = options;
    this.#lock = lock;
  }

  get epoch(): LeaderEpoch | undefined {
    return this.#leading?.epoch;
  }

  /** Whether an object's annotation names this candidacy (Flink: KubernetesLeaderElector.hasLeadership). */
  holds(object: ConfigMap): boolean {
    return recordOf(object)?.holderIdentity === this.#identity;
  }

  start(nowUs: Micros, out: Out): void {
    this.#tryAcquireOrRenew(nowUs, out);
    out.setTimer(RETRY, micros(this.#options.configuration.runtime.leaseRenewUs));
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    if (timer !== RETRY) return false;
    out.setTimer(RETRY, micros(this.#options.configuration.runtime.leaseRenewUs));
    if (!this.#isBusy) this.#tryAcquireOrRenew(nowUs, out);
    return true;
  }

  /** I2. */
  check(nowUs: Micros, out: Out): void {
    if (this.#leading === undefined || nowUs - this.#confirmedUs < this.#options.configuration.runtime.leaseUs) return;
    probe(out, 'kubernetes-lease-not-renewed');
    this.stepDown(nowUs, out);
  }

  stepDown(nowUs: Micros, out: Out): void {
    const leading = this.#leading;
    if (leading === undefined) return;
    this.#leading = undefined;
    this.#candidacy += 1;
    this.#watch = -1;
    out.report({ kind: 'leadership-lost', epoch: leading.epoch });
    this.#options.contender.lost(leading.epoch, nowUs, out);
  }

  /** Of the watch that began with `requestId`. */
  watched(requestId: number, object: ConfigMap | undefined, nowUs: Micros, out: Out): void {
    if (requestId !== this.#watch || this.#leading === undefined) return;
    if (object === undefined) return this.#lookAgain(nowUs, out);
    this.#lock.observed(object);
    if (!this.holds(object)) this.stepDown(nowUs, out);
  }

  /** With the connection the watch is gone. */
  connectionLost(nowUs: Micros, out: Out): void {
    if (this.#leading !== undefined) this.#lookAgain(nowUs, out);
  }

  get #identity(): string {
    const { node, incarnation } = this.#options;
    return `${node}/${incarnation}/${this.#candidacy}`;
  }

  #tryAcquireOrRenew(askedUs: Micros, out: Out): void {
    this.#isBusy = true;
    const identity = this.#identity;
    const change = (object: ConfigMap): ConfigMap | undefined => {
      const record = this.#next(recordOf(object), identity, askedUs);
      if (record === undefined) return undefined;
      const annotations = { ...object.annotations, [LEADER_ANNOTATION]: encodeLeaderRecord(record) };
      return { ...object, annotations };
    };
    const then: Parameters<KubernetesLock['update']>[2] = (outcome, nowUs, replyOut) => {
      this.#isBusy = false;
      if (identity !== this.#identity || outcome.kind === 'unknown') return;
      if (!this.holds(outcome.object)) return this.stepDown(nowUs, replyOut);
      if (outcome.kind !== 'stored') return;
      this.#confirmedUs = askedUs;
      if (this.#leading === undefined) this.#lead(outcome.object, nowUs, replyOut);
    };
    /* Who does not lead looks first: the record may have changed. A leader writes upon what it wrote (client-go's fast path). */
    if (this.#leading !== undefined) return this.#lock.update(change, out, then);
    this.#lock.read(out, (found, nowUs, replyOut) => {
      if (found.kind === 'unknown') return then(found, nowUs, replyOut);
      this.#see(found.object, nowUs);
      this.#lock.update(change, replyOut, then);
    });
  }

  #see(object: ConfigMap, nowUs: Micros): void {
    const raw = object.annotations[LEADER_ANNOTATION] ?? '';
    if (raw === this.#observed) return;
    this.#observed = raw;
    this.#observedUs = nowUs;
  }

  /** The record to write; undefined: somebody else's is valid. */
  #next(found: LeaderElectionRecord | undefined, identity: string, nowUs: Micros): LeaderElectionRecord | undefined {
    const { leaseUs } = this.#options.configuration.runtime;
    const common = { holderIdentity: identity, leaseDurationUs: leaseUs, renewTimeUs: nowUs };
    if (found === undefined) return { ...common, acquireTimeUs: nowUs, leaderTransitions: 1 };
    if (found.holderIdentity === identity) return { ...found, renewTimeUs: nowUs };
    const isUnchanged = encodeLeaderRecord(found) === this.#observed;
    if (this.#leading !== undefined || !isUnchanged || nowUs - this.#observedUs < leaseUs) return undefined;
    return { ...common, acquireTimeUs: nowUs, leaderTransitions: found.leaderTransitions + 1 };
  }

  #lead(object: ConfigMap, nowUs: Micros, out: Out): void {
    const epoch = leaderEpoch(recordOf(object)?.leaderTransitions ?? 0);
    this.#leading = { epoch };
    out.report({ kind: 'leadership-acquired', epoch });
    this.#watchFrom(object.resourceVersion, out);
    this.#options.contender.acquired(epoch, nowUs, out);
  }

  #watchFrom(resourceVersion: number, out: Out): void {
    const watch = this.#lock.watch(resourceVersion, out, (reply, nowUs, replyOut) => {
      /* 410: the version is too old, list again. Unanswered: the renewals tell, if later. */
      if (this.#watch === watch && reply?.status === 410) this.#lookAgain(nowUs, replyOut);
    });
    this.#watch = watch;
  }

  /** List, then watch from there (client-go: ListAndWatch). */
  #lookAgain(_nowUs: Micros, out: Out): void {
    probe(out, 'kubernetes-relist');
    this.#watch = -1;
    const leading = this.#leading;
    this.#lock.read(out, (found, nowUs, replyOut) => {
      if (this.#leading === undefined || this.#leading !== leading || found.kind === 'unknown') return;
      if (!this.holds(found.object)) return this.stepDown(nowUs, replyOut);
      this.#watchFrom(found.object.resourceVersion, replyOut);
    });
  }
}

function recordOf(object: ConfigMap): LeaderElectionRecord | undefined {
  const raw = object.annotations[LEADER_ANNOTATION];
  return raw === undefined ? undefined : decodeLeaderRecord(raw);
}
