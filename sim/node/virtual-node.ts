/**
 * A virtual machine as the world sees it: up, paused or down, and for the how-manieth time.
 *
 * Owns: the state of the machine, its disk, the times of its crashes. Does not own: the actor and its mailboxes (the
 * cluster does) or its links (the network does). Only the cluster changes it.
 *
 * I1: a machine starts down with incarnation 0; each start raises the incarnation by one.
 * I2: up -> paused -> up, up -> down -> up; a paused machine is resumed before it crashes.
 * I3: every incarnation but a running one has a time of death.
 */
import { assert } from '../../engine/foundation/assert.ts';
import type { NodeId } from '../../engine/foundation/ids.ts';
import { LocalDisk } from './local-disk.ts';

export type NodeState = 'up' | 'paused' | 'down';

export class VirtualNode {
  readonly id: NodeId;
  /** Position in the cluster; how the network knows it. */
  readonly index: number;
  readonly disk = new LocalDisk();
  /** How many times as long its work takes as it should. */
  slowness = 1;
  #state: NodeState = 'down';
  #incarnation = 0;
  /** Time of death of incarnation i at index i - 1. */
  readonly #crashedAtUs: number[] = [];

  constructor(id: NodeId, index: number) {
    this.id = id;
    this.index = index;
  }

  get state(): NodeState {
    return this.#state;
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  get isDown(): boolean {
    return this.#state === 'down';
  }

  /** How often it was started. */
  get incarnation(): number {
    return this.#incarnation;
  }

  start(): void {
    assert(this.#state === 'down', 'a machine that starts was down', { node: this.id });
    this.#incarnation += 1;
    this.#state = 'up';
  }

  crash(nowUs: number): void {
    assert(this.#state === 'up', 'a machine that crashes was up', { node: this.id });
    this.#crashedAtUs[this.#incarnation - 1] = nowUs;
    this.#state = 'down';
  }

  pause(): void {
    assert(this.#state === 'up', 'a machine that is paused was up', { node: this.id });
    this.#state = 'paused';
  }

  resume(): void {
    assert(this.#state === 'paused', 'a machine that is resumed was paused', { node: this.id });
    this.#state = 'up';
  }

  /** Whether an incarnation lived long enough to send what was to leave at `departUs`. */
  hasSent(incarnation: number, departUs: number): boolean {
    if (incarnation === this.#incarnation && this.#state !== 'down') return true;
    return departUs <= (this.#crashedAtUs[incarnation - 1] ?? -1);
  }
}
