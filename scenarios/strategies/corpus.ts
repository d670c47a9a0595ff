/**
 * Lives worth going on from: those that showed something new, each with a number of children it may have.
 *
 * Owns: what counts as new. Does not own: how a plan is changed (plan-mutations.ts).
 *
 * I1: what is kept is a function of the lives and their order: no clock, no chance.
 */
import type { SimulationPlan } from '../../sim/plan.ts';
import { type Coverage, likeness } from './coverage.ts';

export interface Parent {
  readonly plan: SimulationPlan;
  readonly coverage: Coverage;
}

interface Kept extends Parent {
  /** How new it was; whoever is newer comes first. */
  readonly priority: number;
  /** Children it may still have. */
  energy: number;
}

/** Children of a life that is like no other. */
const ENERGY_MAX = 8;
/** A life that adds no cell and is as like another one as this is known already. */
const LIKENESS_MAX = 0.9;

export class Corpus {
  readonly #kept: Kept[] = [];
  readonly #cells = new Set<number>();

  get size(): number {
    return this.#kept.length;
  }

  /** Cells that any life was in. */
  get cells(): number {
    return this.#cells.size;
  }

  /** True when the life showed something new and is kept. */
  consider(parent: Parent): boolean {
    const { coverage } = parent;
    let fresh = 0;
    for (const cell of coverage.cells) {
      if (this.#cells.has(cell)) continue;
      this.#cells.add(cell);
      fresh += 1;
    }
    const closest = this.#kept.reduce((most, kept) => Math.max(most, likeness(coverage, kept.coverage)), 0);
    if (fresh === 0 && closest >= LIKENESS_MAX) return false;
    const novelty = 1 - closest;
    // Cells in hundredths of what the life was in: a life that opens a region counts beyond its timeline.
    const opened = fresh / Math.max(1, coverage.cells.length);
    const priority = novelty + opened;
    this.#kept.push({ ...parent, priority, energy: Math.max(1, Math.round((ENERGY_MAX * priority) / 2)) });
    return true;
  }

  /** The newest life that may have a child, and one child fewer for it; undefined: none may. */
  take(): Parent | undefined {
    let best: Kept | undefined;
    for (const kept of this.#kept) if (kept.energy > 0 && kept.priority > (best?.priority ?? -1)) best = kept;
    if (best !== undefined) best.energy -= 1;
    return best;
  }
}
