/**
 * Uploads in parts that were begun (S3 multipart upload): nobody sees them but who asks for them, and they stay until somebody completes
 * or aborts them.
 *
 * Owns: the parts. Does not own: the objects (object-store-disk).
 */
import type { OpenUpload } from '../../engine/protocol/storage-messages.ts';

interface Upload extends OpenUpload {
  readonly parts: Map<number, Uint8Array>;
}

export class Uploads {
  readonly #open = new Map<string, Upload>();
  #begun = 0;

  begin(path: string): string {
    this.#begun += 1;
    const upload = `u${this.#begun}`;
    this.#open.set(upload, { path, upload, parts: new Map() });
    return upload;
  }

  /** False: there is no such upload (any more). A part that is sent again replaces itself. */
  part(upload: string, part: number, bytes: Uint8Array): boolean {
    return this.#open.get(upload)?.parts.set(part, bytes) !== undefined;
  }

  /** The whole object when all of its parts 1 to `parts` are there; undefined when not. */
  assembled(upload: string, parts: number): Uint8Array | undefined {
    const open = this.#open.get(upload);
    const pieces = Array.from({ length: parts }, (_, index) => open?.parts.get(index + 1));
    if (open === undefined || pieces.some((piece) => piece === undefined)) return undefined;
    const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + (piece?.length ?? 0), 0));
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece ?? new Uint8Array(0), at);
      at += piece?.length ?? 0;
    }
    return whole;
  }

  /** False when there was none. */
  end(upload: string): boolean {
    return this.#open.delete(upload);
  }

  /** By path, then in the order they were begun. */
  under(prefix: string): OpenUpload[] {
    const found = [...this.#open.values()].filter(({ path }) => path.startsWith(prefix));
    const number = ({ upload }: OpenUpload): number => Number(upload.slice(1));
    return found
      .map(({ path, upload }) => ({ path, upload }))
      .sort((a, b) => (a.path === b.path ? number(a) - number(b) : a.path < b.path ? -1 : 1));
  }
}
