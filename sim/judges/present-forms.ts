/**
 * Whether a keyed state file was written in the form that the job has now: what a reader of the present types may decode.
 *
 * Owns the comparison of descriptions. A job that has been replaced by another version since its snapshot was taken may read older forms by
 * migration (row S13); a judge that does not know the rules of the migration cannot say what came of it.
 */
import { decodeKeyedStateHeader, sameSnapshot } from './state-decoders.ts';

type Header = ReturnType<typeof decodeKeyedStateHeader>;

export class PresentForms {
  readonly #headers = new Map<string, Header>();

  /** By operator: a file without entries, as the job would write it now. */
  constructor(files: ReadonlyMap<string, Uint8Array>) {
    for (const [operator, file] of files) this.#headers.set(operator, decodeKeyedStateHeader(file));
  }

  /** In which way it is another form; undefined: it is the present one. Throws `CorruptData`. */
  difference(operator: string, file: Uint8Array): string | undefined {
    const now = this.#headers.get(operator);
    if (now === undefined) return `the job has no keyed operator ${operator}`;
    const written = decodeKeyedStateHeader(file);
    if (!sameSnapshot(written.keySerializer, now.keySerializer)) return `keys of ${operator} have another form now`;
    for (const { name, kind, serializer } of written.states) {
      const present = now.states.find((state) => state.name === name);
      if (present === undefined) continue;
      if (present.kind !== kind || !sameSnapshot(present.serializer, serializer))
        return `state ${name} of ${operator} has another form now`;
    }
    return undefined;
  }
}
