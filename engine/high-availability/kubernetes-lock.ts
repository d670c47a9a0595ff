/**
 * The job's ConfigMap as this JobManager last saw it, and conditional changes to it (Flink: Fabric8FlinkKubeClient.checkAndUpdateConfigMap).
 *
 * Owns: requests to the API server, the newest known state of the object. Does not own: who leads, what the entries mean.
 * Invariants: I1 a change is computed from a state and stored only if that is still the current one (resourceVersion); I2 a refused one
 * is computed anew a limited number of times, from what an own write or the watch has told meanwhile or else from a fresh read: where a
 * read and an update take as long as the period of renewals, one's own would come in between each time; I3 `unknown` is never reported as
 * anything else.
 */
import { RequestClient } from '../clients/request-client.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { ConfigMap, KubernetesOperation, KubernetesReply } from '../protocol/kubernetes-messages.ts';
import type { ServicesOptions } from './high-availability-services.ts';
import { probe } from '../protocol/probes.ts';

/** Flink: kubernetes.transactional-operation.max-retries. */
const TRIES_MAX = 15;

/** `refused`: `change` said so, with what it was shown. */
export type LockOutcome =
  | { readonly kind: 'stored' | 'refused'; readonly object: ConfigMap }
  | { readonly kind: 'unknown' };
type Then = (outcome: LockOutcome, nowUs: Micros, out: Out) => void;
/** The object it should become; undefined: it must not change. An object that does not exist has resourceVersion 0. */
export type Change = (current: ConfigMap) => ConfigMap | undefined;
type ReplyHandler = (reply: KubernetesReply | undefined, nowUs: Micros, out: Out) => void;

export class KubernetesLock {
  readonly #client: RequestClient<KubernetesReply>;
  readonly #name: string;
  #known: ConfigMap | undefined;

  constructor({ jobId, coordination, configuration, firstRequestId }: ServicesOptions) {
    this.#name = jobId;
    this.#client = new RequestClient({
      node: coordination,
      via: 'connection',
      name: 'kubernetes',
      timeoutUs: configuration.runtime.requestTimeoutUs,
      firstRequestId,
    });
  }

  /** A change that computes nothing new: what is there now. */
  read(out: Out, then: Then): void {
    this.#get(out, (object, nowUs, replyOut) => then(object, nowUs, replyOut));
  }

  /** From what is known, or from a read when nothing is. */
  update(change: Change, out: Out, then: Then): void {
    if (this.#known === undefined) return this.#updateFresh(change, TRIES_MAX, out, then);
    this.#store({ base: this.#known, change, triesLeft: TRIES_MAX, freshUs: undefined }, out, then);
  }

  watch(resourceVersion: number, out: Out, handler: ReplyHandler): number {
    const requestId = this.#client.nextRequestId;
    this.#request({ verb: 'watch', name: this.#name, resourceVersion }, out, handler);
    return requestId;
  }

  /** A watch told of a newer state. */
  observed(object: ConfigMap): void {
    if (object.resourceVersion > (this.#known?.resourceVersion ?? 0)) this.#known = object;
  }

  /** The object is gone. */
  forget(): void {
    this.#known = undefined;
  }

  handleReply(reply: KubernetesReply, nowUs: Micros, out: Out): void {
    this.#client.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#client.handleTimer(timer, nowUs, out);
  }

  #request(operation: KubernetesOperation, out: Out, handler: ReplyHandler): void {
    this.#client.request((requestId) => ({ kind: 'kubernetes-request', requestId, operation }), out, handler);
  }

  #get(out: Out, then: Then): void {
    this.#request({ verb: 'get', name: this.#name }, out, (reply, nowUs, replyOut) => {
      const object = reply?.status === 404 ? absent(this.#name) : reply?.object;
      if (object === undefined) return then({ kind: 'unknown' }, nowUs, replyOut);
      this.#known = object;
      then({ kind: 'stored', object }, nowUs, replyOut);
    });
  }

  #updateFresh(change: Change, triesLeft: number, out: Out, then: Then): void {
    this.#get(out, (found, nowUs, replyOut) => {
      if (found.kind === 'unknown') return then(found, nowUs, replyOut);
      this.#store({ base: found.object, change, triesLeft, freshUs: nowUs }, replyOut, then);
    });
  }

  #store(
    attempt: {
      readonly base: ConfigMap;
      readonly change: Change;
      readonly triesLeft: number;
      /** When the base was read for this attempt: what is refused by it is refused. Undefined: it is what was known. */
      readonly freshUs: Micros | undefined;
    },
    out: Out,
    then: Then,
  ): void {
    const { base, change, triesLeft, freshUs } = attempt;
    const object = change(base);
    if (object === undefined) {
      /* What is known may be old: only a fresh read refuses. */
      if (freshUs === undefined) return this.#updateFresh(change, triesLeft, out, then);
      return then({ kind: 'refused', object: base }, freshUs, out);
    }
    const verb = base.resourceVersion === 0 ? 'create' : 'update';
    this.#request(
      { verb, object: { ...object, resourceVersion: base.resourceVersion } },
      out,
      (reply, nowUs, replyOut) => {
        if (reply?.object !== undefined) {
          this.observed(reply.object);
          return then({ kind: 'stored', object: reply.object }, nowUs, replyOut);
        }
        const isStale = reply?.status === 409 || reply?.status === 404;
        if (!isStale || triesLeft <= 1) return then({ kind: 'unknown' }, nowUs, replyOut);
        probe(replyOut, 'kubernetes-update-conflict');
        const known = this.#known;
        if (known === undefined || known.resourceVersion <= base.resourceVersion)
          return this.#updateFresh(change, triesLeft - 1, replyOut, then);
        this.#store({ base: known, change, triesLeft: triesLeft - 1, freshUs: undefined }, replyOut, then);
      },
    );
  }
}

const absent = (name: string): ConfigMap => ({ name, resourceVersion: 0, annotations: {}, data: {} });
