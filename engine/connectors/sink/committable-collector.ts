/**
 * The committables that wait for their checkpoint, by checkpoint and writer subtask (row K6; Flink: CommittableCollector,
 * CheckpointCommittableManagerImpl, SubtaskCommittableManager).
 *
 * Owns: groups, what of each is there and what became of it. Does not own: when to commit (committer-operator.ts).
 * Invariants:
 *   I1 a group is (checkpoint, subtask); its summary comes once and first (FLINK-25920);
 *   I2 a group is offered for commit only when all that its summary announced is there;
 *   I3 groups are offered in the order of checkpoints, then subtasks; one that is not complete holds back the later ones of its subtask,
 *      so that the visible order per subtask is the written one;
 *   I4 a group stays, and is part of every snapshot, until each of its committables has come to an end.
 */
import { assert } from '../../foundation/assert.ts';
import type { CommitRequest, CommittableMessage, CommittableSummary, CommittableWithLineage } from './sink-contract.ts';

/** One committable as it is kept in state; `committable` is empty in the row of a group that has received none. */
export interface CommittableRow {
  readonly checkpointId: number;
  readonly subtask: number;
  /** Parallelism of the writers. */
  readonly subtasks: number;
  /** Number of committables of the group, those included that are committed already. */
  readonly expected: number;
  /** How many of them had come. */
  readonly received: number;
  readonly committable: string;
}

interface Group {
  readonly summary: CommittableSummary;
  received: number;
  /** Received and not at an end, in the order they came. */
  readonly requests: CommitRequest[];
}

export interface CommittableCollectorOptions {
  /** Whether a group may be committed (I2). */
  readonly isComplete: (received: number, expected: number) => boolean;
  /** A global committer commits a checkpoint only when all groups that it has of it are complete (FLINK-36788). */
  readonly isGlobal: boolean;
}

export class CommittableCollector {
  readonly #options: CommittableCollectorOptions;
  /** In the order of I3. */
  readonly #groups: Group[] = [];

  constructor(options: CommittableCollectorOptions) {
    this.#options = options;
  }

  add(message: CommittableMessage): void {
    const { checkpointId, subtask } = message;
    const known = this.#groups.find((group) => isOf(group, checkpointId, subtask));
    if (message.kind === 'committable-summary') {
      assert(known === undefined, 'I1: a group has one summary', { checkpointId, subtask });
      this.#insert({ summary: message, received: 0, requests: [] });
      return;
    }
    assert(known !== undefined, 'I1: the summary goes ahead of the committables', { checkpointId, subtask });
    assert(known.received < known.summary.count, 'a group receives no more than was announced', {
      checkpointId,
      subtask,
    });
    known.received += 1;
    known.requests.push({ state: 'received', tries: 0, ...message });
  }

  /** Rows of one group stand together. */
  restore(rows: readonly CommittableRow[]): void {
    for (const { checkpointId, subtask, subtasks, expected, received, committable } of rows) {
      let group = this.#groups.find((other) => isOf(other, checkpointId, subtask));
      if (group === undefined) {
        const summary = { kind: 'committable-summary', checkpointId, subtask, subtasks, count: expected } as const;
        group = { summary, received, requests: [] };
        this.#insert(group);
      }
      if (committable === '') continue;
      group.requests.push({ kind: 'committable', checkpointId, subtask, committable, state: 'received', tries: 0 });
    }
  }

  /** The next committable of a checkpoint up to `upTo`; undefined: none may be committed. */
  next(upTo: number): CommitRequest | undefined {
    const heldBack = new Set<number>();
    for (const group of this.#groups) {
      const { checkpointId, subtask, count } = group.summary;
      if (checkpointId > upTo) return undefined;
      if (heldBack.has(subtask)) continue;
      if (!this.#options.isComplete(group.received, count) || this.#misses(checkpointId)) heldBack.add(subtask);
      else if (group.requests[0] !== undefined) return group.requests[0];
    }
    return undefined;
  }

  /** What became of the request that `next` gave. */
  settle(request: CommittableWithLineage, state: CommitRequest['state']): void {
    const group = this.#groups.find((other) => isOf(other, request.checkpointId, request.subtask));
    const [first] = group?.requests ?? [];
    assert(group !== undefined && first !== undefined, 'what is settled is there', {
      checkpointId: request.checkpointId,
    });
    if (state === 'retry' || state === 'received') {
      group.requests[0] = { ...first, state, tries: first.tries + 1 };
      return;
    }
    group.requests.shift();
    this.#removeEnded(request.checkpointId);
  }

  /** I4. Rows of one group stand together, first to commit first. */
  rows(): readonly CommittableRow[] {
    const rows: CommittableRow[] = [];
    for (const { summary, received, requests } of this.#groups) {
      const { checkpointId, subtask, subtasks, count: expected } = summary;
      const group = { checkpointId, subtask, subtasks, expected, received };
      if (requests.length === 0) rows.push({ committable: '', ...group });
      for (const { committable } of requests) rows.push({ committable, ...group });
    }
    return rows;
  }

  #insert(group: Group): void {
    const at = this.#groups.findIndex((other) => isBehind(other, group));
    this.#groups.splice(at < 0 ? this.#groups.length : at, 0, group);
    if (group.summary.count === 0) this.#removeEnded(group.summary.checkpointId);
  }

  /** A group that has come to its end goes; for a global committer with the last one of its checkpoint, else it would be missed. */
  #removeEnded(checkpointId: number): void {
    const hasEnded = ({ summary, received, requests }: Group): boolean =>
      summary.checkpointId === checkpointId && requests.length === 0 && received === summary.count;
    if (this.#options.isGlobal) {
      const left = this.#groups.filter((group) => group.summary.checkpointId === checkpointId && !hasEnded(group));
      if (left.length > 0 || this.#misses(checkpointId)) return;
    }
    for (let at = this.#groups.length - 1; at >= 0; at -= 1) {
      const group = this.#groups[at];
      if (group !== undefined && hasEnded(group)) this.#groups.splice(at, 1);
    }
  }

  /**
   * For a global committer: a group of this checkpoint is not complete. A writer that says nothing has nothing, or had finished before the
   * restored checkpoint: its barrier, which is aligned, came behind all it had to say.
   */
  #misses(checkpointId: number): boolean {
    if (!this.#options.isGlobal) return false;
    const groups = this.#groups.filter(({ summary }) => summary.checkpointId === checkpointId);
    return groups.some(({ received, summary }) => !this.#options.isComplete(received, summary.count));
  }
}

const isOf = ({ summary }: Group, checkpointId: number, subtask: number): boolean =>
  summary.checkpointId === checkpointId && summary.subtask === subtask;

const isBehind = ({ summary: a }: Group, { summary: b }: Group): boolean =>
  a.checkpointId === b.checkpointId ? a.subtask > b.subtask : a.checkpointId > b.checkpointId;
