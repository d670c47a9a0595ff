/**
 * Bytes that may be damaged, as a value: what they hold, or why they hold nothing.
 *
 * The decoders throw `CorruptData`. This is the one file among the judges that catches (STYLE 40 keeps `catch` to the actor
 * host): damaged bytes are what judges are there to find, so here they are an ordinary answer.
 */
import { CorruptData } from '../../engine/foundation/byte-reader.ts';

export type Readable<T> =
  | { readonly kind: 'read'; readonly value: T }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Runs a decoder of bytes that may be damaged. Anything but bad data is a fault of the judge and goes on. */
export function attempt<T>(place: string, decode: () => T): Readable<T> {
  try {
    return { kind: 'read', value: decode() };
  } catch (error) {
    if (error instanceof CorruptData) return unreadable(`${place}: ${error.message}`);
    if (error instanceof Error && error.name === 'IncompatibleState') return unreadable(`${place}: ${error.message}`);
    throw error;
  }
}

export function unreadable(reason: string): { readonly kind: 'unreadable'; readonly reason: string } {
  return { kind: 'unreadable', reason };
}
