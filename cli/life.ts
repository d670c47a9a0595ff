/**
 * One life, lived and judged: what `run`, `replay`, `sweep` and its workers share.
 *
 * Owns: measuring, judging against the expectation, living a failing life again. Does not own: files and threads.
 * I1: a failing life is lived a second time with its history; its digest must be the same, else nothing can be trusted.
 */
import { wallClockMs } from '../bench/index.ts';
import { type Judgement, judgement } from '../scenarios/expectation.ts';
import { type DatasetLoader, live, type LiveOptions } from '../scenarios/live.ts';
import type { HistoryEvent } from '../sim/history/history-event.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import type { RunRecord } from '../sim/run-record.ts';
import { traceLine } from '../reports/index.ts';

export interface Life {
  readonly record: RunRecord;
  readonly judgement: Judgement;
  readonly wallMs: number;
  /** Last lines of the trace up to the violation; only of a failing life. */
  readonly excerpt: readonly string[];
  /** Digest of the second living when it differs from the first; else empty. */
  readonly otherDigest: string;
}

export interface LifeOptions {
  readonly loadDataset: DatasetLoader;
  /** Keep every event in the record. */
  readonly keepHistory: boolean;
  /** Put each subtask's part in each checkpoint into the record. */
  readonly subtasks?: boolean;
  /** Shown the durable state when the life has ended; not that of the second living. */
  readonly inspect?: LiveOptions['inspect'];
  /** Live a failing life again. */
  readonly relive: boolean;
  /** Shown the choices of the world. */
  readonly watchChoices?: LiveOptions['watchChoices'];
  /** Keep what sites draw. */
  readonly recordChoices?: boolean | undefined;
  /** Where chance takes another course. */
  readonly branch?: LiveOptions['branch'];
}

/** What lives a plan; the real one, or a stand-in of a test. */
export type LivePlan = typeof live;

const EXCERPT_LINES = 40;

export function liveOnce(plan: SimulationPlan, options: LifeOptions, livePlan: LivePlan = live): Life {
  const startedMs = wallClockMs();
  const { loadDataset, keepHistory, subtasks = false, inspect } = options;
  const { watchChoices, recordChoices, branch } = options;
  const record = livePlan(plan, { loadDataset, keepHistory, subtasks, inspect, watchChoices, recordChoices, branch });
  const wallMs = wallClockMs() - startedMs;
  const judged = judgement(plan.expect, record);
  const life = { record, judgement: judged, wallMs, excerpt: [], otherDigest: '' };
  if (judged.verdict === 'passed' || !options.relive) return life;
  const again = livePlan(plan, { loadDataset, keepHistory: true });
  const otherDigest = again.digest === record.digest ? '' : again.digest;
  return { ...life, excerpt: excerptOf(again), otherDigest };
}

/** Lines of the trace that end where the worst finding is shown. */
function excerptOf(record: RunRecord): string[] {
  const at = record.verdicts.filter((verdict) => verdict.outcome !== 'passed').flatMap((verdict) => verdict.at);
  const last = at.reduce((greatest, index) => Math.max(greatest, index), -1);
  const end = last < 0 ? record.history.length : last + 1;
  return record.history.slice(Math.max(0, end - EXCERPT_LINES), end).map((event: HistoryEvent) => traceLine(event));
}
