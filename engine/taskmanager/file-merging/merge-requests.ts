/**
 * A subtask's pieces of state that are being merged with those of others (row S19).
 *
 * Owns: which of its requests are open. Does not own: the files (file-merging-manager).
 *
 * I1: each request is answered once; what is answered to a request that is not open is ordinary and ignored.
 */
import { type CheckpointId, type ExecutionAttemptId, FILE_MERGING_MAILBOX, type NodeId } from '../../foundation/ids.ts';
import type { Micros } from '../../foundation/time.ts';
import type { Out, Target } from '../../protocol/actor.ts';
import type { MergingMessage } from '../../protocol/merging-messages.ts';

export const mergingTarget = (node: NodeId): Target => ({ node, mailbox: FILE_MERGING_MAILBOX, via: 'datagram' });

/** Where a piece lies; undefined: it could not be written. */
export type MergedHandler = (place: { path: string; offset: number } | undefined, nowUs: Micros, out: Out) => void;

export class MergeRequests {
  readonly #attempt: ExecutionAttemptId;
  readonly #target: Target;
  readonly #open = new Map<number, MergedHandler>();
  #last = 0;

  constructor(node: NodeId, attempt: ExecutionAttemptId) {
    this.#attempt = attempt;
    this.#target = mergingTarget(node);
  }

  merge(
    piece: { readonly checkpointId: CheckpointId; readonly pool: string; readonly bytes: Uint8Array },
    out: Out,
    then: MergedHandler,
  ): void {
    this.#last += 1;
    this.#open.set(this.#last, then);
    out.send(this.#target, { kind: 'merge-state', attempt: this.#attempt, number: this.#last, ...piece });
  }

  /** Nothing more will come of the checkpoint. */
  end(checkpointId: CheckpointId, out: Out): void {
    out.send(this.#target, { kind: 'merge-end', checkpointId, attempt: this.#attempt });
  }

  answered(
    { number, path, offset }: Extract<MergingMessage, { readonly kind: 'state-merged' }>,
    nowUs: Micros,
    out: Out,
  ): void {
    const then = this.#open.get(number);
    this.#open.delete(number);
    then?.(path === '' ? undefined : { path, offset }, nowUs, out);
  }
}
