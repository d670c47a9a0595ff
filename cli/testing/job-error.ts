/**
 * What a job's own code does wrong in a life: said as an error of the job, and of nobody else.
 *
 * Owns: the error, and how values of a user look in a sentence.
 */
import { InvariantViolation } from '../../engine/foundation/assert.ts';

/** What the job's own code does wrong; `cause` has the place in that code. */
export class JobError extends Error {
  override readonly name = 'JobError';
}

/**
 * The same within a life. A kind of broken assumption, because only these are not taken for an error that a restart may help against: the
 * life ends at once.
 */
export class JobComplaint extends InvariantViolation {}

const SHOWN_MAX = 160;

/** A value in a message: as JSON, with words for what JSON cannot say. */
export function shown(value: unknown): string {
  const text = isWord(value) ? wordFor(value) : asJson(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)} ...` : text;
}

function asJson(value: unknown): string {
  try {
    return (
      JSON.stringify(value, (_key, inner: unknown) => (isWord(inner) ? `[${wordFor(inner)}]` : inner)) ?? 'undefined'
    );
  } catch {
    return 'an object that holds itself';
  }
}

const isWord = (value: unknown): boolean =>
  ['undefined', 'function', 'bigint', 'symbol'].includes(typeof value) ||
  (typeof value === 'number' && !Number.isFinite(value));

function wordFor(value: unknown): string {
  if (typeof value === 'bigint') return `the bigint ${value}n`;
  return typeof value === 'function' || typeof value === 'symbol' ? `a ${typeof value}` : String(value);
}

/** Deeper is refused where values are written. */
const DEPTH_MAX = 256;

/** Why a value cannot be written as JSON, and where in it; undefined: it can. */
export function notPlain(value: unknown, path = '', depth = 0): string | undefined {
  const place = path === '' ? 'it' : path;
  if (isWord(value)) return `${place} is ${wordFor(value)}`;
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth > DEPTH_MAX) return `${place.slice(0, SHOWN_MAX)} is nested too deep, or holds itself`;
  if (Array.isArray(value)) {
    for (const [index, element] of value.entries()) {
      const found = notPlain(element, `${path}[${index}]`, depth + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    return `${place} is an instance of ${value.constructor.name}`;
  for (const [key, inner] of Object.entries(value)) {
    const found = notPlain(inner, `${path}.${key}`, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
