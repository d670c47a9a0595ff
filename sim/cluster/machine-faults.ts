/**
 * What is wrong with machines that run: slow processors, memory that runs out.
 *
 * Owns: which faults are in force on which machine, and what handlers have allocated under them. Does not own: what follows from it
 * (actor-host.ts), when they begin and end (sim/faults).
 *
 * I1: of several slow CPUs on a machine the slowest decides, and is told effective when work took longer for it;
 * I2: memory is counted from the begin of a fault, which strikes once, and of one process: whatever ended it, the one that starts anew has
 *     memory again.
 */
import type { NodeId } from '../../engine/foundation/ids.ts';
import { messageBytes } from '../network/message-size.ts';
import type { EffectBuffer } from './effect-buffer.ts';

/** A node that runs out of memory. */
export interface MemoryLimit {
  readonly faultId: string;
  readonly node: NodeId;
  /** What handlers may still allocate. */
  readonly headroomBytes: number;
  /** From the end of the process to the start of the next. */
  readonly restartAfterUs: number;
}

interface SlowCpu {
  readonly node: NodeId;
  readonly factor: number;
}

export class MachineFaults {
  readonly #machine: (node: NodeId) => { slowness: number };
  readonly #slow = new Map<string, SlowCpu>();
  readonly #limits = new Map<string, { readonly limit: MemoryLimit; allocatedBytes: number }>();
  #tellEffective: (faultId: string) => void = () => {};

  constructor(machine: (node: NodeId) => { slowness: number }) {
    this.#machine = machine;
  }

  onEffective(listener: (faultId: string) => void): void {
    this.#tellEffective = listener;
  }

  slowCpu(faultId: string, node: NodeId, factor: number): void {
    this.#slow.set(faultId, { node, factor });
    this.#machine(node).slowness = this.#slowest(node).factor;
  }

  quickenCpu(faultId: string): void {
    const slow = this.#slow.get(faultId);
    this.#slow.delete(faultId);
    if (slow !== undefined) this.#machine(slow.node).slowness = this.#slowest(slow.node).factor;
  }

  /** Work on the machine took longer than it should. */
  slowed(node: NodeId): void {
    this.#tellEffective(this.#slowest(node).faultId);
  }

  limitMemory(limit: MemoryLimit): void {
    this.#limits.set(limit.faultId, { limit, allocatedBytes: 0 });
  }

  freeMemory(faultId: string): void {
    this.#limits.delete(faultId);
  }

  /** The process on the node has ended (I2). */
  processEnded(node: NodeId): void {
    for (const account of this.#limits.values()) if (account.limit.node === node) account.allocatedBytes = 0;
  }

  get limitsMemory(): boolean {
    return this.#limits.size > 0;
  }

  /** Counts what a handler allocated; the limit that it went beyond, which is then over. */
  exhaustedBy(node: NodeId, out: EffectBuffer): MemoryLimit | undefined {
    for (const [faultId, account] of this.#limits) {
      if (account.limit.node !== node) continue;
      account.allocatedBytes += bytesSent(out);
      if (account.allocatedBytes <= account.limit.headroomBytes) continue;
      this.#limits.delete(faultId);
      this.#tellEffective(faultId);
      return account.limit;
    }
    return undefined;
  }

  #slowest(node: NodeId): { readonly faultId: string; readonly factor: number } {
    let slowest = { faultId: '', factor: 1 };
    for (const [faultId, slow] of this.#slow)
      if (slow.node === node && slow.factor > slowest.factor) slowest = { faultId, factor: slow.factor };
    return slowest;
  }
}

function bytesSent(out: EffectBuffer): number {
  let bytes = 0;
  for (let index = 0; index < out.length; index += 1) {
    const { kind, message } = out.at(index);
    if (kind === 'send') bytes += messageBytes(message);
  }
  return bytes;
}
