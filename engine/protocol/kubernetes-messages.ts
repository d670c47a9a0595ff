/**
 * What a client and the Kubernetes API server say to each other about ConfigMaps (Kubernetes API concepts: optimistic concurrency by
 * resourceVersion, watches).
 *
 * Owns: the vocabulary. Does not own: the election over it (engine/high-availability/kubernetes-*), the objects (sim/services).
 */

export interface ConfigMap {
  readonly name: string;
  /** Of the write that made this state; 0 in what a client is about to create. */
  readonly resourceVersion: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, string>>;
}

export type KubernetesOperation =
  | { readonly verb: 'get'; readonly name: string }
  | { readonly verb: 'create'; readonly object: ConfigMap }
  /** Refused with 409 unless the object still has this resourceVersion. */
  | { readonly verb: 'update'; readonly object: ConfigMap }
  /** `resourceVersion` is a precondition; 0: none. */
  | { readonly verb: 'delete'; readonly name: string; readonly resourceVersion: number }
  /** Every change after `resourceVersion` is sent, until the watch ends. */
  | { readonly verb: 'watch'; readonly name: string; readonly resourceVersion: number };

export interface KubernetesRequest {
  readonly kind: 'kubernetes-request';
  readonly requestId: number;
  readonly operation: KubernetesOperation;
}

/** HTTP status: 410 is "resource version too old", 500 and 503 say that nothing happened. */
export type KubernetesStatus = 200 | 201 | 404 | 409 | 410 | 500 | 503;

export interface KubernetesReply {
  readonly kind: 'kubernetes-reply';
  readonly requestId: number;
  readonly status: KubernetesStatus;
  /** After 200 and 201: the object as it is now (of a delete: as it was last). */
  readonly object?: ConfigMap;
}

export interface KubernetesWatchEvent {
  readonly kind: 'kubernetes-watch-event';
  /** Request that began the watch. */
  readonly requestId: number;
  /** `closed`: the watch is over, and the client must list again. */
  readonly type: 'modified' | 'deleted' | 'closed';
  readonly object?: ConfigMap;
}

export type KubernetesMessage = KubernetesRequest | KubernetesReply | KubernetesWatchEvent;
