/**
 * Virtual time is an integer of microseconds (STYLE 28). No clock lives here: `nowUs` is always an argument.
 */
import type { Brand } from './brand.ts';

/** Microseconds since the start of the life, or a length in microseconds. Always an integer. */
export type Micros = Brand<number, 'Micros'>;

export const micros = (value: number): Micros => value as Micros;
export const millis = (value: number): Micros => (value * 1_000) as Micros;
export const seconds = (value: number): Micros => (value * 1_000_000) as Micros;
/** Fixed origin of virtual time for logs that want a calendar: 2019-12-12T22:05:13Z in epoch milliseconds. */
export const EPOCH_ORIGIN_MS = 1_576_188_313_000;
/** Epoch milliseconds (with a fraction) of a virtual instant. */
export const epochMillis = (atUs: number): number => EPOCH_ORIGIN_MS + atUs / 1_000;
