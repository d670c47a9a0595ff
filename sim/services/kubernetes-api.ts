/**
 * The Kubernetes API server with its etcd: ConfigMaps, optimistic updates, watches (row F13; Kubernetes API concepts).
 *
 * Owns: objects, resource versions, watches. Does not own: what an annotation means (the elector is the client's).
 * Invariants:
 *   I1 every request takes effect at one instant between arrival and reply: reads are never stale (the API server reads through etcd);
 *   I2 resource versions rise over all objects; an update is refused with 409 unless it names the object's current one;
 *   I3 a watch tells every change after its resource version, in order, until it ends: by the client's connection, a restart, or
 *      `closed`. One that asks for a version from before the last restart is answered 410: list again;
 *   I4 500 and 503 mean that nothing happened.
 */
import { unreachable } from '../../engine/foundation/assert.ts';
import type { NodeId } from '../../engine/foundation/ids.ts';
import type { Micros } from '../../engine/foundation/time.ts';
import type { Input, Target } from '../../engine/protocol/actor.ts';
import type {
  ConfigMap,
  KubernetesOperation,
  KubernetesReply,
  KubernetesRequest,
  KubernetesStatus,
} from '../../engine/protocol/kubernetes-messages.ts';
import type { ChoiceSite } from '../kernel/choice.ts';
import { type Distribution, sampleUs } from '../kernel/distribution.ts';
import { PendingRequests } from './pending-requests.ts';
import { ReplyTargets } from './reply-targets.ts';
import type { ServiceActor, ServiceOut } from './service-actor.ts';
import type { ServiceConditions } from './service-conditions.ts';

export interface KubernetesApiOptions {
  readonly disk: KubernetesDisk;
  /** From arrival to effect and reply. */
  readonly latency: Distribution;
  readonly conditions: ServiceConditions;
  readonly latencySite: ChoiceSite;
  readonly conditionSite: ChoiceSite;
}

/** The objects; survives the service's node. */
export class KubernetesDisk {
  readonly #objects = new Map<string, ConfigMap>();
  #resourceVersion = 0;

  get resourceVersion(): number {
    return this.#resourceVersion;
  }

  object(name: string): ConfigMap | undefined {
    return this.#objects.get(name);
  }

  /** For judges: an entry of an object's data, by `<object>/<entry>`. */
  coordination(key: string): string | undefined {
    const slash = key.indexOf('/');
    return this.#objects.get(key.slice(0, slash))?.data[key.slice(slash + 1)];
  }

  /** I2: the object as it is now. */
  store(object: ConfigMap): ConfigMap {
    this.#resourceVersion += 1;
    const stored = { ...object, resourceVersion: this.#resourceVersion };
    this.#objects.set(object.name, stored);
    return stored;
  }

  remove(name: string): void {
    this.#resourceVersion += 1;
    this.#objects.delete(name);
  }
}

interface Watch {
  readonly owner: NodeId;
  readonly target: Target;
  readonly requestId: number;
  readonly name: string;
}

export class KubernetesApi implements ServiceActor {
  readonly #options: KubernetesApiOptions;
  readonly #pending: PendingRequests<KubernetesRequest>;
  readonly #targets = new ReplyTargets('connection');
  #watches: Watch[] = [];
  /** The window of changes that a watch may still ask for begins here (I3). */
  readonly #oldestVersion: number;

  constructor(options: KubernetesApiOptions) {
    this.#options = options;
    this.#pending = new PendingRequests(options.conditions, options.conditionSite);
    this.#oldestVersion = options.disk.resourceVersion;
  }

  handle(input: Input, _nowUs: Micros, out: ServiceOut): void {
    if (input.kind === 'timer') return this.#finish(input.timer, out);
    if (input.kind !== 'message') return;
    const { message, from, fromMailbox } = input;
    if (message.kind === 'connection-lost') {
      this.#watches = this.#watches.filter(({ owner }) => owner !== message.peer);
      return;
    }
    if (message.kind !== 'kubernetes-request')
      return out.report({ kind: 'message-discarded', message: message.kind, why: 'not for the Kubernetes API' });
    const target = this.#targets.of(from, fromMailbox);
    const latencyUs = sampleUs(this.#options.latency, this.#options.latencySite);
    if (!this.#pending.admit({ request: message, from, target, latencyUs }, out))
      out.send(target, replyOf(message, { status: 503 }));
  }

  #finish(timer: string, out: ServiceOut): void {
    const pending = this.#pending.take(timer);
    if (pending === undefined) return;
    const { request, from, target, effect } = pending;
    const answer: Answer =
      effect === 'fail' ? { status: 500 } : this.#perform(request, { from, target, hears: effect === 'none' }, out);
    if (effect !== 'unknown-outcome') out.send(target, replyOf(request, answer));
  }

  #perform(
    { operation, requestId }: KubernetesRequest,
    client: { readonly from: NodeId; readonly target: Target; readonly hears: boolean },
    out: ServiceOut,
  ): Answer {
    const { disk } = this.#options;
    switch (operation.verb) {
      case 'get': {
        const object = disk.object(operation.name);
        return object === undefined ? { status: 404 } : { status: 200, object };
      }
      case 'create':
        if (disk.object(operation.object.name) !== undefined) return { status: 409 };
        return { status: 201, object: this.#store(operation.object, client.from, out) };
      case 'update': {
        const current = disk.object(operation.object.name);
        if (current === undefined) return { status: 404 };
        if (current.resourceVersion !== operation.object.resourceVersion) return { status: 409 };
        return { status: 200, object: this.#store(operation.object, client.from, out) };
      }
      case 'delete':
        return this.#delete(operation, client.from, out);
      case 'watch': {
        if (operation.resourceVersion < this.#oldestVersion) return { status: 410 };
        if (!client.hears) return { status: 200 };
        const watch = { owner: client.from, target: client.target, requestId, name: operation.name };
        this.#watches.push(watch);
        const object = disk.object(operation.name);
        const isBehind = object !== undefined && object.resourceVersion > operation.resourceVersion;
        if (isBehind) this.#tell(watch, { type: 'modified', object }, out);
        return { status: 200 };
      }
      default:
        return unreachable(operation);
    }
  }

  #store(object: ConfigMap, by: NodeId, out: ServiceOut): ConfigMap {
    const before = this.#options.disk.object(object.name);
    const stored = this.#options.disk.store(object);
    this.#reportChanges(before, stored, by, out);
    this.#tellAll(object.name, { type: 'modified', object: stored }, out);
    return stored;
  }

  #delete(
    { name, resourceVersion }: KubernetesOperation & { readonly verb: 'delete' },
    by: NodeId,
    out: ServiceOut,
  ): Answer {
    const object = this.#options.disk.object(name);
    if (object === undefined) return { status: 404 };
    if (resourceVersion !== 0 && resourceVersion !== object.resourceVersion) return { status: 409 };
    this.#options.disk.remove(name);
    this.#reportChanges(object, { ...object, annotations: {}, data: {} }, by, out);
    this.#tellAll(name, { type: 'deleted', object }, out);
    return { status: 200, object };
  }

  /** One fact per entry that changed, annotations first, under `<object>/<entry>`. */
  #reportChanges(before: ConfigMap | undefined, after: ConfigMap, by: NodeId, out: ServiceOut): void {
    for (const part of ['annotations', 'data'] as const) {
      const old = before?.[part] ?? {};
      for (const entry of Object.keys({ ...old, ...after[part] }).sort((a, b) => (a < b ? -1 : 1))) {
        const value = after[part][entry];
        if (value === old[entry]) continue;
        const version = value === undefined ? 0 : after.resourceVersion;
        const key = `${after.name}/${entry}`;
        out.report({ kind: 'coordination-updated', key, version, value: value ?? '', by });
      }
    }
  }

  #tellAll(name: string, event: { type: 'modified' | 'deleted'; object: ConfigMap }, out: ServiceOut): void {
    for (const watch of [...this.#watches]) if (watch.name === name) this.#tell(watch, event, out);
  }

  #tell(watch: Watch, event: { type: 'modified' | 'deleted'; object: ConfigMap }, out: ServiceOut): void {
    const { conditions, conditionSite } = this.#options;
    const { requestId, target } = watch;
    const isLost = conditions.decide(conditionSite, ['watch-loss']).effect === 'watch-loss';
    if (isLost) this.#watches = this.#watches.filter((other) => other !== watch);
    out.send(
      target,
      isLost
        ? { kind: 'kubernetes-watch-event', requestId, type: 'closed' }
        : { kind: 'kubernetes-watch-event', requestId, ...event },
    );
  }
}

interface Answer {
  readonly status: KubernetesStatus;
  readonly object?: ConfigMap;
}

const replyOf = ({ requestId }: KubernetesRequest, answer: Answer): KubernetesReply => ({
  kind: 'kubernetes-reply',
  requestId,
  ...answer,
});
