/**
 * What a client and ZooKeeper say to each other, as far as leader election and registers need it (Apache ZooKeeper programmer's guide).
 *
 * Owns: the vocabulary. Does not own: the session (engine/high-availability/zookeeper-client), the tree (sim/services).
 * Invariants: I1 on one connection requests are answered in the order they were sent; I2 a watch event is sent before the reply of any
 * later change, so a client hears of a change before it sees what came after it.
 */

/** Flink and Curator: CreateMode. */
export type ZooKeeperCreateMode = 'persistent' | 'ephemeral' | 'persistent-sequential' | 'ephemeral-sequential';

/** May be part of a `multi`. A version of -1 matches any. */
export type ZooKeeperWrite =
  | {
      readonly kind: 'create';
      /** Sequential modes append a number of ten digits. */
      readonly path: string;
      readonly data: string;
      readonly mode: ZooKeeperCreateMode;
    }
  | { readonly kind: 'delete'; readonly path: string; readonly version: number }
  | { readonly kind: 'set-data'; readonly path: string; readonly data: string; readonly version: number }
  | { readonly kind: 'check'; readonly path: string; readonly version: number };

export type ZooKeeperOperation =
  /** `sessionId` 0 asks for a new session. */
  | { readonly kind: 'connect'; readonly sessionId: number; readonly timeoutUs: number }
  | { readonly kind: 'ping' }
  | { readonly kind: 'close' }
  | { readonly kind: 'get-data'; readonly path: string; readonly watch: boolean }
  | { readonly kind: 'exists'; readonly path: string; readonly watch: boolean }
  | { readonly kind: 'get-children'; readonly path: string; readonly watch: boolean }
  /** All or nothing. */
  | { readonly kind: 'multi'; readonly operations: readonly ZooKeeperWrite[] }
  | ZooKeeperWrite;

/** Flink and ZooKeeper: KeeperException.Code, as far as it happens here. */
export type ZooKeeperCode =
  | 'ok'
  | 'no-node'
  | 'node-exists'
  | 'bad-version'
  | 'not-empty'
  | 'no-children-for-ephemerals'
  | 'session-expired';

export interface ZooKeeperRequest {
  readonly kind: 'zookeeper-request';
  /** Counts the connections of a client process; a newer one ends the older. */
  readonly connection: number;
  /** Rises with each request of the process. */
  readonly xid: number;
  readonly operation: ZooKeeperOperation;
}

/** Of a node. */
export interface ZooKeeperStat {
  /** Transaction that created it. */
  readonly czxid: number;
  /** Transaction that changed its data last. */
  readonly mzxid: number;
  /** Changes of its data, from 0. */
  readonly version: number;
  /** Changes of its children, from 0. */
  readonly cversion: number;
  /** Session whose end removes it; 0: none. */
  readonly ephemeralOwner: number;
}

export interface ZooKeeperReply {
  readonly kind: 'zookeeper-reply';
  readonly connection: number;
  readonly xid: number;
  /** Last transaction the server had applied. */
  readonly zxid: number;
  readonly code: ZooKeeperCode;
  /** Of a `connect`. */
  readonly session?: { readonly sessionId: number; readonly timeoutUs: number };
  /** Of a `create`: the path with its number; of a `multi`: one per operation, '' where it is no create. */
  readonly paths?: readonly string[];
  readonly data?: string;
  readonly stat?: ZooKeeperStat;
  /** Names without their parent, sorted. */
  readonly children?: readonly string[];
  /** Of a `multi` that failed: index of the operation that did. */
  readonly failed?: number;
}

export type ZooKeeperWatchEventType = 'node-created' | 'node-deleted' | 'node-data-changed' | 'node-children-changed';

/** One-shot: a watch that fired is gone. */
export interface ZooKeeperWatchEvent {
  readonly kind: 'zookeeper-watch-event';
  readonly connection: number;
  readonly path: string;
  readonly type: ZooKeeperWatchEventType;
}

/** The server ended the connection: nothing more comes over it, and what was asked may or may not have happened. */
export interface ZooKeeperClosed {
  readonly kind: 'zookeeper-closed';
  readonly connection: number;
}

export type ZooKeeperMessage = ZooKeeperRequest | ZooKeeperReply | ZooKeeperWatchEvent | ZooKeeperClosed;
