/**
 * The contract between a sweep and what lives its lives: worker threads, or a stand-in of a test.
 *
 * I1: `onLife` is called once per handed-out job, in any order; the sweep puts them in order by index.
 */
import type { Scenario } from '../scenarios/scenario.ts';
import type { Gaze, Sight } from '../scenarios/strategies/sight.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import type { Branch } from '../sim/simulate.ts';
import type { Life } from './life.ts';

export interface LifeJob {
  /** Position in the sweep, from 0. */
  readonly index: number;
  /** Which of the sweep's scenarios. */
  readonly scenario: number;
  readonly seed: string;
  /** In place of what scenario and seed make: lived as it is. */
  readonly plan?: SimulationPlan;
  /** Whether such a plan is lived again where it fails, as one that the seed makes is. */
  readonly relive?: boolean;
  /** Where the chance of that plan takes another course. */
  readonly branch?: Branch | undefined;
  /** How that plan recovers is wanted. */
  readonly wantsRecovery?: boolean | undefined;
  /** What shall be seen of that plan's life. */
  readonly gaze?: Gaze | undefined;
}

/** What came of a job: a life, or trouble that says nothing about the plan. */
export type LifeResult =
  /** `plan` only when the life failed: a capsule needs it. The record has no history. */
  | {
      readonly kind: 'life';
      readonly life: Life;
      readonly plan?: SimulationPlan;
      readonly recovery?: string;
      readonly sight?: Sight;
    }
  | { readonly kind: 'infrastructure'; readonly message: string };

export interface LifePool {
  /** Lives jobs until `next` has no more; resolves when all handed-out jobs were answered. */
  run(options: LifePoolOptions): Promise<void>;
}

export interface LifePoolOptions {
  readonly workers: number;
  readonly scenarios: readonly Scenario[];
  /** Whether records shall have each subtask's part in each checkpoint. */
  readonly subtasks: boolean;
  /** The next few jobs; empty when there are no more, now and for good. A promise: they are known later. */
  readonly next: () => readonly LifeJob[] | Promise<readonly LifeJob[]>;
  readonly onLife: (job: LifeJob, result: LifeResult) => void;
  /** Something worth telling that changes no result, for example that a job was given to another worker. */
  readonly onNote: (note: string) => void;
}
