/**
 * The tree of znodes: data, versions, sequential and ephemeral nodes, transactions (Apache ZooKeeper: DataTree, PrepRequestProcessor).
 *
 * Owns: the nodes and the count of transactions; survives the service's node, as it would on an ensemble. Does not own: sessions, watches,
 * connections (zookeeper.ts). Differs: one server stands for the ensemble, so no read is ever stale, and there are no ACLs.
 * Invariants:
 *   I1 a write happens as a whole or not at all, a `multi` included, and takes one transaction id (zxid);
 *   I2 a node's version rises by one with each change of its data, its cversion with each child that comes or goes;
 *   I3 a sequential child's number is its parent's count of children ever made, so it never falls while the parent lives;
 *   I4 an ephemeral node has no children and goes with its session.
 */
import type { ZooKeeperCode, ZooKeeperStat, ZooKeeperWrite } from '../../engine/protocol/zookeeper-messages.ts';

export interface Znode {
  readonly data: string;
  readonly stat: ZooKeeperStat;
  /** Sequential number of the next child. */
  readonly nextChild: number;
}

/** What a transaction did, for watches and for the history. */
export interface ZnodeChange {
  readonly kind: 'created' | 'deleted' | 'data-changed';
  readonly path: string;
  /** New data; empty when deleted. */
  readonly data: string;
  /** New version; 0 of a node just created. */
  readonly version: number;
}

export type Written =
  | {
      readonly code: 'ok';
      readonly changes: readonly ZnodeChange[];
      readonly paths: readonly string[];
      /** Of the node that a single write left behind. */
      readonly stat: ZooKeeperStat | undefined;
    }
  | { readonly code: Exclude<ZooKeeperCode, 'ok'>; readonly failed: number };

const ROOT_STAT: ZooKeeperStat = { czxid: 0, mzxid: 0, version: 0, cversion: 0, ephemeralOwner: 0 };
const SEQUENCE_DIGITS = 10;

export class ZooKeeperTree {
  #nodes: ReadonlyMap<string, Znode> = new Map([['/', { data: '', stat: ROOT_STAT, nextChild: 0 }]]);
  #zxid = 0;

  /** Last transaction. */
  get zxid(): number {
    return this.#zxid;
  }

  node(path: string): Znode | undefined {
    return this.#nodes.get(path);
  }

  /** For judges: the data of a key, which is a path without its first slash. */
  coordination(key: string): string | undefined {
    return this.#nodes.get(`/${key}`)?.data;
  }

  /** Names below a path, sorted. */
  children(path: string): string[] {
    return childrenIn(this.#nodes, path);
  }

  /** Opening and closing sessions are transactions too. */
  nextZxid(): number {
    this.#zxid += 1;
    return this.#zxid;
  }

  /** I1: `session` owns the ephemeral nodes it makes. */
  write(operations: readonly ZooKeeperWrite[], session: number): Written {
    const nodes = new Map(this.#nodes);
    const zxid = this.#zxid + 1;
    const changes: ZnodeChange[] = [];
    const paths: string[] = [];
    for (const [failed, operation] of operations.entries()) {
      const result = apply(nodes, operation, { session, zxid });
      if (result.code !== 'ok') return { code: result.code, failed };
      if (result.change !== undefined) changes.push(result.change);
      paths.push(operation.kind === 'create' ? (result.change?.path ?? '') : '');
    }
    this.#nodes = nodes;
    if (changes.length > 0) this.#zxid = zxid;
    return { code: 'ok', changes, paths, stat: nodes.get(changes[0]?.path ?? '')?.stat };
  }

  /** I4: what a session leaves behind, removed in one transaction. */
  removeOwnedBy(session: number): readonly ZnodeChange[] {
    const owned = [...this.#nodes].filter(([, { stat }]) => stat.ephemeralOwner === session).map(([path]) => path);
    const written = this.write(
      owned.map((path) => ({ kind: 'delete', path, version: -1 })),
      session,
    );
    return written.code === 'ok' ? written.changes : [];
  }
}

interface By {
  readonly session: number;
  readonly zxid: number;
}
type Applied = { readonly code: 'ok'; readonly change?: ZnodeChange } | { readonly code: Exclude<ZooKeeperCode, 'ok'> };

function apply(nodes: Map<string, Znode>, operation: ZooKeeperWrite, by: By): Applied {
  if (operation.kind === 'create') return create(nodes, operation, by);
  const { path } = operation;
  const node = nodes.get(path);
  if (node === undefined) return { code: 'no-node' };
  if (operation.version !== -1 && operation.version !== node.stat.version) return { code: 'bad-version' };
  switch (operation.kind) {
    case 'check':
      return { code: 'ok' };
    case 'set-data': {
      const version = node.stat.version + 1;
      nodes.set(path, { ...node, data: operation.data, stat: { ...node.stat, version, mzxid: by.zxid } });
      return { code: 'ok', change: { kind: 'data-changed', path, data: operation.data, version } };
    }
    default:
      if (childrenIn(nodes, path).length > 0) return { code: 'not-empty' };
      nodes.delete(path);
      touchParent(nodes, path, 0);
      return { code: 'ok', change: { kind: 'deleted', path, data: '', version: node.stat.version } };
  }
}

function create(
  nodes: Map<string, Znode>,
  { path: asked, data, mode }: ZooKeeperWrite & { readonly kind: 'create' },
  { session, zxid }: By,
): Applied {
  const parent = nodes.get(parentOf(asked));
  if (parent === undefined) return { code: 'no-node' };
  if (parent.stat.ephemeralOwner !== 0) return { code: 'no-children-for-ephemerals' };
  const isSequential = mode === 'persistent-sequential' || mode === 'ephemeral-sequential';
  const path = isSequential ? `${asked}${String(parent.nextChild).padStart(SEQUENCE_DIGITS, '0')}` : asked;
  if (nodes.has(path)) return { code: 'node-exists' };
  const ephemeralOwner = mode === 'ephemeral' || mode === 'ephemeral-sequential' ? session : 0;
  const stat: ZooKeeperStat = { czxid: zxid, mzxid: zxid, version: 0, cversion: 0, ephemeralOwner };
  nodes.set(path, { data, stat, nextChild: 0 });
  touchParent(nodes, path, 1);
  return { code: 'ok', change: { kind: 'created', path, data, version: 0 } };
}

/** `created` counts children made. */
function touchParent(nodes: Map<string, Znode>, path: string, created: 0 | 1): void {
  const parentPath = parentOf(path);
  const parent = nodes.get(parentPath);
  if (parent === undefined) return;
  const stat = { ...parent.stat, cversion: parent.stat.cversion + 1 };
  nodes.set(parentPath, { ...parent, stat, nextChild: parent.nextChild + created });
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

function childrenIn(nodes: ReadonlyMap<string, Znode>, path: string): string[] {
  const prefix = path === '/' ? '/' : `${path}/`;
  const names: string[] = [];
  for (const candidate of nodes.keys()) {
    const name = candidate.slice(prefix.length);
    if (candidate.startsWith(prefix) && name !== '' && !name.includes('/')) names.push(name);
  }
  return names.sort((a, b) => (a < b ? -1 : 1));
}
