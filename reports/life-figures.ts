/** What reports know of a life: its record without history, judged against what the scenario expects. */
import type { Judgement } from '../scenarios/expectation.ts';
import type { PatternCounts } from '../scenarios/patterns.ts';
import type { SwarmChoice } from '../scenarios/swarm.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import type { RunRecord } from '../sim/run-record.ts';

export interface LifeFigures extends Omit<RunRecord, 'history' | 'rungs' | 'verdict' | 'signature'>, Judgement {
  readonly expect: SimulationPlan['expect'];
  /** What its seed drew; empty unless the scenario is a swarm. */
  readonly swarm: readonly SwarmChoice[];
  /** Nemeses and other patterns of its faults; empty where nobody asked. */
  readonly patterns: PatternCounts;
}
