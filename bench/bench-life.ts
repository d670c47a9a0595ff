/** How a suite lives a plan; the caller supplies the data sets. */
import type { SimulationPlan } from '../sim/plan.ts';
import type { RunRecord } from '../sim/run-record.ts';

export type LivePlan = (plan: SimulationPlan, options: { readonly judges: boolean }) => RunRecord;
