/** The keyed state backends that every property of keyed state holds for: a new backend plugs in here. */
import type { StateBackendOptions } from '../../engine/parts.ts';
import { HashMapStateBackend } from '../../engine/state/hashmap-state-backend.ts';
import type { KeyedStateBackend } from '../../engine/state/keyed-state-backend.ts';

export interface TestedBackend {
  readonly name: string;
  create(options: StateBackendOptions): KeyedStateBackend;
}

export const BACKENDS: readonly TestedBackend[] = [
  { name: 'hashmap', create: (options) => new HashMapStateBackend(options) },
];
