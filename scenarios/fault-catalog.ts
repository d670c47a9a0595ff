/**
 * The kinds of faults that a scenario may name, each in a line: what it does, and what its opposite is. For lists and help; docs/faults.md has
 * the physics, schema/fault-schema.ts the keys.
 */
import type { FAULT_KINDS } from './schema/fault-schema.ts';

export interface FaultEntry {
  /** Key that names the kind. */
  readonly name: (typeof FAULT_KINDS)[number];
  readonly description: string;
  /** How it ends. */
  readonly opposite: string;
}

export const FAULT_CATALOG: readonly FaultEntry[] = [
  { name: 'crash', description: 'a process ends; its memory is lost, its disk is not', opposite: 'restart, or never' },
  {
    name: 'power-loss',
    description:
      'the storage of checkpoints or of output files crashes and forgets what was not synced, or a part of it',
    opposite: 'restart',
  },
  { name: 'pause', description: 'a machine stands still; nothing is lost, everything is late', opposite: 'resume' },
  { name: 'slow-cpu', description: 'all work of a machine takes so many times as long', opposite: 'full speed' },
  {
    name: 'out-of-memory',
    description: 'a process keeps what it allocates and ends in the middle of a handler',
    opposite: 'restart by its supervisor',
  },
  {
    name: 'disk-damage',
    description: 'files on the disk of a machine rot, copies of state (local recovery) among them',
    opposite: 'written anew',
  },
  {
    name: 'throw',
    description: 'the next call of a user function throws, of the kind that `call` names',
    opposite: 'it is the only one',
  },
  { name: 'hang', description: 'the next call of a user function does not return for a while', opposite: 'return' },
  {
    name: 'partition',
    description: 'nothing passes: isolate-one, halves, one-way (deaf or mute), pair',
    opposite: 'heal',
  },
  { name: 'cut', description: 'nothing passes between two sides that are named', opposite: 'heal' },
  { name: 'hold', description: 'messages between two sides wait on the way, however long', opposite: 'release' },
  {
    name: 'reset',
    description: 'connections are reset; what is on the way in them is lost',
    opposite: 'they open anew',
  },
  { name: 'delay', description: 'messages take longer, each by a time of its own (jitter)', opposite: 'restore' },
  { name: 'loss', description: 'datagrams are lost by chance; connections only get slower', opposite: 'restore' },
  { name: 'duplicate', description: 'datagrams arrive twice by chance', opposite: 'restore' },
  { name: 'reorder', description: 'datagrams are overtaken by chance', opposite: 'restore' },
  { name: 'slow-link', description: 'bandwidth is divided', opposite: 'restore' },
  {
    name: 'storage',
    description: 'the checkpoint storage is slow, refuses, fails, forgets to answer, is full, damaged, lists late',
    opposite: 'lift, repair',
  },
  {
    name: 'coordination',
    description: 'the coordination service is slow, refuses, fails, forgets to answer, ends sessions or watches',
    opposite: 'lift',
  },
  { name: 'log', description: 'the log of the sources is slow, refuses, fails, forgets to answer', opposite: 'lift' },
  {
    name: 'sink',
    description: 'the sink is slow, refuses, fails, forgets to answer, fences a producer',
    opposite: 'lift',
  },
  { name: 'rescale', description: 'somebody asks for another parallelism', opposite: 'rescale back' },
  {
    name: 'operation',
    description: 'somebody takes a savepoint, stops, cancels, resumes, disposes',
    opposite: 'thenResume',
  },
  { name: 'clock-step', description: 'a wall clock is set, ahead or back', opposite: 'set right, or for good' },
  { name: 'clock-drift', description: 'a wall clock gains or loses', opposite: 'right speed; it keeps the difference' },
  { name: 'nemesis', description: 'a pattern of faults that belong together, see below', opposite: 'of each of them' },
];
