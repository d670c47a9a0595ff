/**
 * Forgets the types of user functions: a job graph carries `unknown` values, because its vertices are run by one engine.
 *
 * The only place of the API where a type is asserted. It is sound as long as a stream is only built by `data-stream.ts`, whose
 * methods tie the type a function takes to the type the stream in front of it carries.
 */
import type { Collector, StateKey } from '../job/functions.ts';

type Erased<R> = (value: unknown) => R;

export const eraseMap = <T, U>(map: (value: T) => U): Erased<unknown> => map as Erased<unknown>;
export const eraseFilter = <T>(filter: (value: T) => boolean): Erased<boolean> => filter as Erased<boolean>;
export const eraseKeySelector = <T>(key: (value: T) => StateKey): Erased<StateKey> => key as Erased<StateKey>;
export const erasePartitioner = <K extends StateKey>(
  partitioner: (key: K, consumers: number) => number,
): ((key: StateKey, consumers: number) => number) => partitioner as (key: StateKey, consumers: number) => number;
export const eraseFlatMap = <T, U>(
  flatMap: (value: T, out: Collector<U>) => void,
): ((value: unknown, out: Collector<unknown>) => void) => flatMap as (value: unknown, out: Collector<unknown>) => void;
