/**
 * Whose a file of checkpoint storage is, and what became of its checkpoint: a judge that finds it left over, or wrong, names with it who
 * should have deleted it, or who wrote it.
 *
 * Owns the trail, not the finding.
 *
 * I1: of files only those are remembered that are there; of checkpoints the newest.
 */
import type { HistoryEvent } from '../history/history-event.ts';
import { EPISODES_KEPT, forgetOldest } from './forget-oldest.ts';
import type { Clue } from './record-trail.ts';
import { secondsText } from './seconds-text.ts';

interface Fate {
  readonly at: number;
  readonly atUs: number;
  readonly says: string;
}

export class FileTrail {
  readonly kinds = [
    'object-stored',
    'file-opened',
    'object-deleted',
    'checkpoint-aborted',
    'checkpoint-completed',
    'checkpoint-subsumed',
  ] as const;
  /** By path: when it was written last. */
  readonly #written = new Map<string, { readonly at: number; readonly atUs: number }>();
  readonly #fates = new Map<number, Fate>();

  observe({ event, index: at, atUs }: HistoryEvent): void {
    switch (event.kind) {
      case 'object-stored':
      case 'file-opened':
        this.#written.set(event.path, { at, atUs });
        return;
      case 'object-deleted':
        this.#written.delete(event.path);
        return;
      case 'checkpoint-aborted':
        return this.#end(event.checkpointId, {
          at,
          atUs,
          says: `was aborted at ${secondsText(atUs)} (${event.reason})`,
        });
      case 'checkpoint-completed':
        return this.#end(event.checkpointId, { at, atUs, says: `completed at ${secondsText(atUs)}` });
      case 'checkpoint-subsumed':
        return this.#end(event.checkpointId, { at, atUs, says: `was subsumed at ${secondsText(atUs)}` });
      default:
    }
  }

  /** `checkpoint`: whose it is; undefined: nobody can tell. */
  of(path: string, checkpoint: number | undefined): Clue {
    const written = this.#written.get(path);
    const fate = checkpoint === undefined ? undefined : this.#fates.get(checkpoint);
    const says = [
      ...(written === undefined ? [] : [`it was written at ${secondsText(written.atUs)}`]),
      ...(checkpoint === undefined
        ? []
        : [`checkpoint ${String(checkpoint)}, whose it is, ${fate?.says ?? 'never ended'}`]),
    ].join('; ');
    const at = [written?.at ?? -1, fate?.at ?? -1].filter((index) => index >= 0).sort((a, b) => a - b);
    return { says: says === '' ? '' : `: ${says}`, at };
  }

  /** From when the file could be deleted: it was there, and its checkpoint had ended; undefined: nobody can tell. */
  deletableFromUs(path: string, checkpoint: number | undefined): number | undefined {
    const fate = checkpoint === undefined ? undefined : this.#fates.get(checkpoint);
    const times = [this.#written.get(path)?.atUs, fate?.atUs].filter((atUs) => atUs !== undefined);
    return times.length === 0 ? undefined : Math.max(...times);
  }

  /** Entries of memory; bounded, whatever the length of the life. */
  get remembered(): number {
    return this.#written.size + this.#fates.size;
  }

  #end(checkpoint: number, fate: Fate): void {
    // The last word counts: what completed is subsumed.
    this.#fates.delete(checkpoint);
    this.#fates.set(checkpoint, fate);
    forgetOldest(this.#fates, EPISODES_KEPT);
  }
}
