/**
 * Messages as JSON text and back, for traces and for the proof that messages are plain data (messages.ts, I1).
 *
 * Owns: how bytes look in JSON, `{"$bytes": "<base64>"}`. Does not own: the network, which hands messages over as they are.
 * Invariants: I1 decode(encode(m)) equals m, bytes included; I2 a record that looks like encoded bytes comes back as it was,
 * because an object whose only key is `$bytes` with any number of `$` gets one `$` more; I3 what JSON would change without a word
 * (NaN, undefined, a function) is refused.
 */
import { assert } from '../foundation/assert.ts';
import type { EngineMessage } from './messages.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const DIGITS = new Map(Array.from(ALPHABET, (digit, value) => [digit, value]));
const BYTES_KEY = /^\$+bytes$/;

export function encodeMessage(message: EngineMessage): string {
  return JSON.stringify(message, (_key, value: unknown) => {
    if (value instanceof Uint8Array) return { $bytes: toBase64(value) };
    assert(value !== undefined && typeof value !== 'function', 'a message holds plain data only', {
      kind: message.kind,
    });
    assert(typeof value !== 'number' || Number.isFinite(value), 'a message holds finite numbers only', {
      kind: message.kind,
    });
    const key = bytesKeyOf(value);
    return key === undefined ? value : { [`$${key}`]: contentOf(value, key) };
  });
}

/** The text must come from `encodeMessage`: nothing is checked but the bytes. */
export function decodeMessage(text: string): EngineMessage {
  return JSON.parse(text, (_key, value: unknown) => {
    const key = bytesKeyOf(value);
    if (key === undefined) return value;
    const content = contentOf(value, key);
    return key === '$bytes' ? fromBase64(String(content)) : { [key.slice(1)]: content };
  }) as EngineMessage;
}

/** The key of an object that has this one key only and could be taken for bytes. */
function bytesKeyOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const [key, ...others] = Object.keys(value);
  return key !== undefined && others.length === 0 && BYTES_KEY.test(key) ? key : undefined;
}

const contentOf = (value: unknown, key: string): unknown => (value as Readonly<Record<string, unknown>>)[key];

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const group = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const digits = Math.min(3, bytes.length - at) + 1;
    for (let digit = 0; digit < 4; digit += 1)
      text += digit < digits ? ALPHABET[(group >> (18 - 6 * digit)) & 63] : '=';
  }
  return text;
}

function fromBase64(text: string): Uint8Array {
  const digits = text.replace(/=+$/, '');
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let group = 0;
  for (let at = 0; at < digits.length; at += 1) {
    const digit = DIGITS.get(digits.charAt(at));
    assert(digit !== undefined, 'bytes in a message are base64', { at });
    group = ((group << 6) | digit) & 0xffffff;
    if (at % 4 > 0) bytes[Math.floor((at * 3) / 4)] = (group >> (6 - 2 * (at % 4))) & 255;
  }
  return bytes;
}
