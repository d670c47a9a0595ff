/** A terminal that remembers, a pool that lives in this thread, and lives that are made up: for tests of commands. */
import type { LivePlan } from '../../../cli/life.ts';
import { liveOnce } from '../../../cli/life.ts';
import type { LifeJob, LifePool, LifeResult } from '../../../cli/life-pool.ts';
import type { Terminal } from '../../../cli/terminal.ts';
import { compile } from '../../../scenarios/index.ts';
import type { Scenario } from '../../../scenarios/index.ts';
import { planHash } from '../../../scenarios/index.ts';
import type { RunRecord } from '../../../sim/run-record.ts';
import { runRecord, SUBTASK_RECORDS } from '../reports/life-fixture.ts';

export interface FakeTerminal extends Terminal {
  readonly stdout: string[];
  readonly stderr: string[];
  interrupt(): void;
}

export function fakeTerminal(variables: Readonly<Record<string, string>> = {}): FakeTerminal {
  const stdout: string[] = [];
  const stderr: string[] = [];
  let onInterrupt = (): void => {};
  let nowMs = 0;
  return {
    stdout,
    stderr,
    interrupt: () => onInterrupt(),
    out: (text) => void stdout.push(text),
    err: (text) => void stderr.push(text),
    paint: (_tone, text) => text,
    progress: () => ({ update: () => {}, stop: () => {} }),
    onInterrupt: (callback) => {
      onInterrupt = callback;
      return () => {};
    },
    turn: async () => {},
    wallMs: () => (nowMs += 1),
    today: () => '2026-01-31',
    variable: (name) => variables[name],
    parallelism: 2,
    invocation: 'tidemark',
  };
}

/** A life whose digest is a function of its plan; seeds listed in `failing` are violated. */
export function madeUpLive(failing: readonly string[] = [], over: Partial<RunRecord> = {}): LivePlan {
  return (plan, { subtasks = false }) => {
    const hash = planHash(plan);
    const isViolated = failing.includes(plan.seed);
    const lost = {
      judge: 'exactly-once-output',
      outcome: 'violated',
      message: 'Record 7 is lost',
      anomaly: 'output-lost',
      at: [3],
    } as const;
    return runRecord({
      scenario: plan.scenario,
      seed: plan.seed,
      planHash: hash,
      digest: hash,
      subtaskRecords: subtasks ? SUBTASK_RECORDS : [],
      ...(isViolated ? { verdict: 'violated', verdicts: [lost], signature: 'exactly-once-output/output-lost' } : {}),
      ...over,
    });
  };
}

/** Lives chunks in the given order: `reversed` answers the last job of a chunk first, and several chunks are open at once. */
export function inlinePool(
  live: LivePlan,
  options: { readonly reversed?: boolean; readonly lived?: LifeJob[]; readonly after?: (job: LifeJob) => void } = {},
): LifePool {
  return {
    run: async ({ workers, scenarios, subtasks, next, onLife }) => {
      const answer = (job: LifeJob): void => {
        options.lived?.push(job);
        onLife(job, liveJob({ scenarios, subtasks }, job, live));
        options.after?.(job);
      };
      for (;;) {
        // Whoever asks plan by plan may have nothing for a second worker before the first has answered.
        const asked = Array.from({ length: scenarios.length === 0 ? 1 : workers }, () => next());
        const open = (await Promise.all(asked)).flat();
        if (open.length === 0) return;
        for (const job of options.reversed === true ? open.toReversed() : open) answer(job);
      }
    },
  };
}

function liveJob(
  { scenarios, subtasks }: { readonly scenarios: readonly Scenario[]; readonly subtasks: boolean },
  job: LifeJob,
  livePlan: LivePlan,
): LifeResult {
  const scenario = scenarios[job.scenario];
  const plan = job.plan ?? (scenario === undefined ? undefined : compile(scenario, job.seed));
  if (plan === undefined) throw new Error('no such scenario');
  const loadDataset = (): never => {
    throw new Error('a made-up life loads nothing');
  };
  const life = liveOnce(plan, { loadDataset, keepHistory: false, subtasks, relive: true }, livePlan);
  return { kind: 'life', life, ...(life.judgement.verdict === 'passed' ? {} : { plan }) };
}
