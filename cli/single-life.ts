/**
 * One life for `run`, `replay` and `start`: lives it, prints it, writes its trace, report and capsule.
 *
 * I1: the last line of a failure is the exact command that lives it again.
 */
import { timelineLines, traceLine, SweepSummary } from '../reports/index.ts';
import { datasetNeeds } from '../scenarios/live.ts';
import type { SwarmChoice } from '../scenarios/swarm.ts';
import type { HistoryEvent } from '../sim/history/history-event.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import { statisticsDocument } from '../sim/statistics/statistics-document.ts';
import type { DurableState } from '../sim/judges/judge.ts';
import { capsuleOf } from './capsule.ts';
import { CheckpointKeeper } from './checkpoint-keeper.ts';
import type { CommandCall } from './command.ts';
import { DatasetStore } from './datasets.ts';
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts';
import { figuresTable, plainTable } from './figures-table.ts';
import { appender, checkWritable, joinPath, packageVersion, write } from './files.ts';
import { type Life, liveOnce } from './life.ts';
import { lifeRow } from './life-row.ts';
import { writeReport } from './report-files.ts';
import { ResultStore, TIMELINE_FILE, writeCapsule } from './result-store.ts';
import { runDocument } from './run-document.ts';
import { shellWord } from './terminal.ts';

export interface SingleLife {
  readonly plan: SimulationPlan;
  /** The command that lives it again, while there is no capsule. */
  readonly again: string;
  /** What its seed drew; a plan that is replayed does not know. */
  readonly swarm?: readonly SwarmChoice[];
  /** Told beside the verdict; `replay` compares digests. */
  readonly check?: (life: Life) => Promise<ExitCode> | ExitCode;
  /** No capsule: there is one already. */
  readonly isReplay?: boolean;
}

export interface SingleLifeResult {
  readonly life: Life;
  readonly code: ExitCode;
}

const DEFAULT_FOLDER = 'out';
/** Trace lines written at once. */
const TRACE_LINES = 10_000;
/** Lines on the screen for `--until`. */
const UNTIL_LINES = 30;

export async function livePlanOnce(call: CommandCall, single: SingleLife): Promise<SingleLifeResult> {
  const { options, terminal } = call;
  const { plan, swarm = [] } = single;
  const datasets = new DatasetStore();
  await datasets.prepare(datasetNeeds(plan));
  const keepHistory = options.trace !== undefined || options.until !== undefined;
  const subtasks = options.report !== undefined || options.statistics !== undefined;
  const keeper = options.keepCheckpoints === undefined ? undefined : new CheckpointKeeper(options, terminal);
  await keeper?.check();
  if (single.isReplay !== true) checkWritable(options.report ?? DEFAULT_FOLDER, 'folder', 'The folder of results');
  const inspect = keeper === undefined ? undefined : (durable: DurableState): void => keeper.take(durable);
  const lifeOptions = { loadDataset: datasets.load, keepHistory, subtasks, inspect, relive: true };
  const life = liveOnce(plan, lifeOptions, call.parts?.livePlan);
  const { verdict } = life.judgement;
  const history = historyUntil(life, options.until);
  await keeper?.keep();
  if (options.trace !== undefined) writeTrace(options.trace, history);
  if (options.statistics !== undefined) {
    const statistics = statisticsDocument({ record: life.record, engine: plan.engine });
    write(options.statistics, `${JSON.stringify(statistics, null, 2)}\n`);
  }

  const folder = options.report ?? DEFAULT_FOLDER;
  const isFailure = verdict !== 'passed' || life.otherDigest !== '';
  const capsule =
    isFailure && single.isReplay !== true ? writeCapsule(folder, capsuleOf(plan, life, packageVersion())) : '';
  const replay =
    capsule === '' ? single.again : `${terminal.invocation} replay ${shellWord(joinPath(folder, capsule))}`;
  if (options.report !== undefined) writeLife({ plan, life, folder: options.report, capsule, replay, swarm });

  const checked = (await single.check?.(life)) ?? EXIT.passed;
  const code =
    life.otherDigest !== '' || checked === EXIT.notDeterministic ? EXIT.notDeterministic : exitCodeOf(verdict);
  if (options.json === true) {
    terminal.out(
      JSON.stringify(
        {
          ...runDocument(plan, life, replay),
          ...(swarm.length === 0 ? {} : { swarm }),
          ...(code === EXIT.notDeterministic ? { deterministic: false } : {}),
        },
        null,
        2,
      ),
    );
  } else {
    tell(call, { life, plan, history, keeper });
    if (isFailure || code !== EXIT.passed) terminal.out(replay);
  }
  return { life, code };
}

function tell(
  { options, terminal }: CommandCall,
  {
    life,
    plan,
    history,
    keeper,
  }: {
    readonly life: Life;
    readonly plan: SimulationPlan;
    readonly history: readonly HistoryEvent[];
    readonly keeper: CheckpointKeeper | undefined;
  },
): void {
  const { record, judgement, wallMs } = life;
  const summary = new SweepSummary();
  summary.add(lifeRow(life, { expect: plan.expect, swarm: [], engineVersion: '', capsule: '' }));
  terminal.out(figuresTable({ sums: { ...summary.sums(), digest: record.digest }, wallMs, latency: record.latency }));
  const verdicts = record.verdicts.map(({ judge, outcome, message }) => [
    judge,
    terminal.paint(outcome === 'passed' ? 'good' : 'bad', outcome),
    message,
  ]);
  if (verdicts.length > 0) terminal.out(plainTable(['judge', 'outcome', 'finding'], verdicts));
  if (judgement.duplicates && judgement.verdict === 'passed')
    terminal.out(`Duplicates were seen; the scenario expects ${plan.expect}, which allows them.`);
  if (options.until !== undefined) for (const event of history.slice(-UNTIL_LINES)) terminal.out(traceLine(event));
  if (options.trace !== undefined) terminal.out(`Trace: ${options.trace}`);
  if (options.statistics !== undefined) terminal.out(`Checkpoint statistics: ${options.statistics}`);
  if (keeper !== undefined)
    terminal.out(
      keeper.hasTaken
        ? `Checkpoints: ${terminal.invocation} inspect ${shellWord(options.keepCheckpoints ?? '')}`
        : 'Checkpoints: none were left, as the job is over and gave up its own; nothing is kept.',
    );
  if (options.report !== undefined) terminal.out(`Report: ${joinPath(options.report, 'report.html')}`);
  if (life.otherDigest !== '')
    terminal.out(terminal.paint('bad', `Lived again, the digest is ${life.otherDigest}: not deterministic.`));
  terminal.out(terminal.paint(judgement.verdict === 'passed' ? 'good' : 'bad', judgement.verdict));
}

function historyUntil({ record }: Life, until: number | undefined): readonly HistoryEvent[] {
  return until === undefined ? record.history : record.history.filter(({ index }) => index <= until);
}

function writeTrace(path: string, history: readonly HistoryEvent[]): void {
  const file = appender(path, true);
  for (let start = 0; start < history.length; start += TRACE_LINES) {
    file.append(
      history
        .slice(start, start + TRACE_LINES)
        .map((event) => `${traceLine(event)}\n`)
        .join(''),
    );
  }
  file.close();
}

interface LifeFiles {
  readonly plan: SimulationPlan;
  readonly life: Life;
  readonly folder: string;
  readonly capsule: string;
  readonly replay: string;
  readonly swarm: readonly SwarmChoice[];
}

/** The result files of a single life. */
export function writeLife({ plan, life, folder, capsule, replay, swarm }: LifeFiles): void {
  const row = lifeRow(life, { expect: plan.expect, swarm, engineVersion: packageVersion(), capsule });
  const store = new ResultStore({ folder, resume: false, replace: true, subtasks: true });
  store.append(row);
  store.close();
  // One life, one timeline: also an empty one, so that no earlier file is taken for it.
  write(joinPath(folder, TIMELINE_FILE), timelineLines(row.timeline));
  write(joinPath(folder, 'plan.json'), `${JSON.stringify(plan, null, 2)}\n`);
  writeReport({ folder, title: `${row.scenario}, seed ${row.seed}`, replayOf: () => replay });
}
