/**
 * The hash of each subtask's live keyed state at each barrier, for the restore audit.
 *
 * Owns the hashes: two numbers per subtask and operator, of the newest checkpoints, and of which states they are. Only looks: it changes
 * nothing of a life.
 * A snapshot that somebody still holds when hundreds have come after it is held against its own bytes alone.
 */
import type { SnapshotMoment } from '../../engine/taskmanager/snapshot-observer.ts';
import type { KeyedOperatorState } from '../../engine/state/keyed-state-backend.ts';
import { EPISODES_KEPT, forgetOldest } from '../judges/forget-oldest.ts';
import type { LiveState, StateAtBarrier } from '../judges/restore-audit.ts';
import { StateHash } from '../judges/state-hash.ts';

export class BarrierHashes implements StateAtBarrier {
  /** By operator: states whose entries may expire between barrier and file. They are in no hash. */
  readonly #expiring: ReadonlyMap<string, ReadonlySet<string>>;
  /** By checkpoint, then subtask and operator. A subtask that was restarted may have stood at a barrier of one id twice. */
  readonly #hashes = new Map<number, Map<string, LiveState[]>>();
  /** By its members: most subtasks have the same set. */
  readonly #sets = new Map<string, ReadonlySet<string>>();

  constructor(expiring: ReadonlyMap<string, ReadonlySet<string>>) {
    this.#expiring = expiring;
  }

  atBarrier({ checkpointId, vertex, subtask }: SnapshotMoment, keyed: readonly KeyedOperatorState[]): void {
    let ofCheckpoint = this.#hashes.get(checkpointId);
    if (ofCheckpoint === undefined) {
      ofCheckpoint = new Map();
      this.#hashes.set(checkpointId, ofCheckpoint);
      forgetOldest(this.#hashes, EPISODES_KEPT);
    }
    for (const { operator, backend } of keyed) {
      const hash = new StateHash();
      const expiring = this.#expiring.get(operator);
      backend.visitEntries((state, keyGroup, key, content) => {
        if (expiring?.has(state) !== true) hash.add(state, keyGroup, key, content);
      });
      const place = placeOf(vertex, subtask, operator);
      ofCheckpoint.set(place, [
        ...(ofCheckpoint.get(place) ?? []),
        { hash: hash.sum, registered: this.#setOf(backend.registered) },
      ]);
    }
  }

  #setOf(names: readonly string[]): ReadonlySet<string> {
    const id = names.join('/');
    const known = this.#sets.get(id) ?? new Set(names);
    this.#sets.set(id, known);
    return known;
  }

  /** Entries of memory; bounded, whatever the length of the life. */
  get remembered(): number {
    return [...this.#hashes.values()].reduce((sum, places) => sum + places.size, 0);
  }

  of(
    checkpointId: number,
    subtask: { readonly vertex: number; readonly subtask: number },
    operator: string,
  ): readonly LiveState[] {
    return this.#hashes.get(checkpointId)?.get(placeOf(subtask.vertex, subtask.subtask, operator)) ?? [];
  }
}

const placeOf = (vertex: number, subtask: number, operator: string): string => `${vertex}/${subtask}/${operator}`;
