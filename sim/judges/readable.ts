/**
 * Bytes that may be damaged, as a value: what they hold, or why they hold nothing.
 *
 * The decoders throw `CorruptData`. This is the one file among the judges that catches (STYLE 40 keeps `catch` to the actor
 * host): damaged bytes are what judges are there to find, so here they are an ordinary answer.
 */
import { InvariantViolation } from '../../engine/foundation/assert.ts';
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

/** The same for a whole restore by the engine: an assumption that it finds broken is a finding, too, and not the end of the life. */
export function attemptRestore<T>(place: string, restore: () => T): Readable<T> {
  try {
    return attempt(place, restore);
  } catch (error) {
    if (error instanceof InvariantViolation) return unreadable(`${place}: not true: ${error.message}`);
    throw error;
  }
}

export function unreadable(reason: string): { readonly kind: 'unreadable'; readonly reason: string } {
  return { kind: 'unreadable', reason };
}
