/** The keyed state backends that every property of keyed state holds for: a new backend plugs in here. */
import type { StateBackendOptions } from '../../engine/parts.ts';
import { ChangelogStateBackend } from '../../engine/changelog/changelog-state-backend.ts';
import { LsmStateBackend } from '../../engine/lsm/lsm-state-backend.ts';
import { HashMapStateBackend } from '../../engine/state/hashmap-state-backend.ts';
import type { KeyedStateBackend } from '../../engine/state/keyed-state-backend.ts';

export interface TestedBackend {
  readonly name: string;
  create(options: Omit<StateBackendOptions, 'backend' | 'work'>): KeyedStateBackend;
}

const LOG = { fullBytes: 64, incremental: true, compression: 'none', materializedTo: (next: number) => next } as const;

export const BACKENDS: readonly TestedBackend[] = [
  { name: 'hashmap', create: (options) => new HashMapStateBackend(options) },
  { name: 'lsm', create: (options) => new LsmStateBackend(options) },
  // Every few writes make a segment, every few segments are merged.
  { name: 'lsm with a small memtable', create: (options) => new LsmStateBackend({ ...options, memtableBytes: 64 }) },
  {
    name: 'changelog over hashmap',
    create: (options) => new ChangelogStateBackend(LOG, (changes) => new HashMapStateBackend({ ...options, changes })),
  },
  {
    name: 'changelog over lsm',
    create: (options) => new ChangelogStateBackend(LOG, (changes) => new LsmStateBackend({ ...options, changes })),
  },
];
