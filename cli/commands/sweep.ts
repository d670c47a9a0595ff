/** `tidemark sweep`: many seeds of scenarios, side by side. */
import { countOf, reachedProbes, type Unreached, unreached } from '../../reports/index.ts';
import { compile } from '../../scenarios/compile.ts';
import { datasetNeeds } from '../../scenarios/live.ts';
import { planHash } from '../../scenarios/plan-hash.ts';
import type { Scenario } from '../../scenarios/scenario.ts';
import { DEFAULT_STRATEGY, type StrategyName } from '../../scenarios/strategies/strategy-names.ts';
import { whyLeftOut, whyNotUntold } from '../../scenarios/strategies/left-out.ts';
import { untold } from '../../scenarios/strategies/untold.ts';
import { strategyNamed } from '../../scenarios/strategies/strategy-catalog.ts';
import { BugBase } from '../bugs/bug-base.ts';
import type { CommandCall } from '../command.ts';
import { DatasetStore } from '../datasets.ts';
import { EXIT, type ExitCode, exitCodeOf, gravest } from '../exit-codes.ts';
import { figuresTable, plainTable } from '../figures-table.ts';
import { checkWritable, packageVersion } from '../files.ts';
import { Interruption } from '../interruption.ts';
import type { LifeRow } from '../life-row.ts';
import type { OptionValues, SeedRange } from '../option-table.ts';
import { ResultStore } from '../result-store.ts';
import { type NamedScenario, readScenario } from '../scenario-source.ts';
import { sweepDocument } from '../sweep-document.ts';
import {
  firstSeed,
  NO_LONG_PARTS,
  resumeKey,
  runSweep,
  seedsInShard,
  type StoredLife,
  type SweepOutcome,
} from '../sweep-run.ts';
import { shellWord, type Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { withShrunk } from '../shrunk-failures.ts';
import { threadPool } from '../workers.ts';

const DEFAULT_SEEDS: SeedRange = { from: 1, to: 100 };
/** Seeds of `--for`: as many as time allows. */
const ENDLESS_SEEDS: SeedRange = { from: 1, to: Number.MAX_SAFE_INTEGER };
const DEFAULT_FOLDER = 'out';
const FAILURES_SHOWN = 20;

export interface SweepResult {
  readonly outcome: SweepOutcome;
  readonly code: ExitCode;
  readonly wallMs: number;
  readonly folder: string;
  readonly interrupted: boolean;
}

export async function sweep(call: CommandCall): Promise<ExitCode> {
  const named = call.operands.map(readScenario);
  return (await sweepScenarios(call, underFaultsOf(call.options.faultsFrom, named, call.terminal))).code;
}

function underFaultsOf(
  name: string | undefined,
  named: readonly NamedScenario[],
  terminal: Terminal,
): readonly NamedScenario[] {
  if (name === undefined) return named;
  const storm = readScenario(name).scenario;
  const mayBe = suitable(named, whyNotUntold, `the faults of ${name}`, terminal);
  return mayBe.map((one) => ({ ...one, scenario: untold(one.scenario, storm) }));
}

/** Lives, prints and stores a sweep of scenarios that were read already. */
export async function sweepScenarios(call: CommandCall, named: readonly NamedScenario[]): Promise<SweepResult> {
  const { options, terminal } = call;
  const engineVersion = packageVersion();
  // A bug base that cannot be read is told before the first life, not after the last.
  if (options.bugs !== undefined) new BugBase(options.bugs, terminal).wholeEntries();
  const folder = options.out ?? DEFAULT_FOLDER;
  checkWritable(folder, 'folder', 'The folder of results');
  const seeds = options.for === undefined ? (options.seeds ?? DEFAULT_SEEDS) : ENDLESS_SEEDS;
  const shard = options.shard ?? { index: 1, count: 1 };
  const workers = options.workers ?? terminal.parallelism;
  const { strategy = DEFAULT_STRATEGY } = options;
  const scenarios = suitable(named, (scenario) => whyLeftOut(scenario, strategy), `strategy ${strategy}`, terminal);
  if (seedsInShard(seeds, shard) === 0) {
    throw new UsageError(
      `--shard ${shard.index}/${shard.count}: no seed of ${seeds.from}..${seeds.to} belongs to it; expected at least as many seeds as shards.`,
    );
  }
  await checkInputs(scenarios);
  const say = options.json === true ? terminal.err : terminal.out;
  sayPlans(say, scenarios, { strategy, seed: String(firstSeed(seeds, shard)), faultsFrom: options.faultsFrom });
  say(`seeds ${seedsText(options, seeds)}, shard ${shard.index}/${shard.count}, ${countOf(workers, 'worker')}`);

  const stored = new Map<string, StoredLife>();
  const store = openStore(options, { scenarios: scenarios.map(({ scenario }) => scenario), engineVersion, stored });
  const clock = new Deadline(terminal, options.for);
  const jobs = options.for === undefined ? seedsInShard(seeds, shard) * scenarios.length : 0;
  const progress = terminal.progress('lives', jobs);
  try {
    const lived = await runSweep(
      {
        scenarios,
        seeds,
        shard,
        workers,
        ...(strategy === DEFAULT_STRATEGY ? {} : { strategy: strategyNamed(strategy) }),
        engineVersion,
        subtasks: options.subtasks === true,
        folder,
        ...(store === undefined ? {} : { store }),
        stored,
        isOver: () => clock.isOver(),
        onProgress: (released, failed) => progress.update(released, failed === 0 ? '' : `${failed} failed`),
        onNote: (note) => terminal.err(note),
      },
      call.parts?.pool ?? threadPool(),
    );
    progress.stop();
    const wallMs = clock.elapsedMs();
    const never = options.requireReached === true ? unreached(lived.total) : NOTHING_UNREACHED;
    const outcome = clock.isInterrupted ? lived : await withShrunk(call, lived, clock.interruption);
    // Also where it was failures that were being shrunk.
    const code = gravest([exitCodeOfSweep(lived, clock.isInterrupted), ...codeOfUnreached(never)]);
    const count = outcome.total.lives;
    if (options.json === true) {
      const to = options.for === undefined ? seeds.to : outcome.lastSeed;
      const document = sweepDocument({
        outcome,
        seeds: { from: seeds.from, to, count: Math.floor(count / scenarios.length) },
        workers,
        wallMs,
        shard: `${shard.index}/${shard.count}`,
        interrupted: clock.isInterrupted,
      });
      terminal.out(JSON.stringify(document, null, 2));
    } else {
      tell({
        outcome,
        wallMs,
        terminal,
        interrupted: clock.isInterrupted,
        ...(options.out === undefined ? {} : { out: options.out }),
      });
    }
    for (const line of unreachedLines(never)) say(terminal.paint('bad', line));
    return { outcome, code, wallMs, folder, interrupted: clock.isInterrupted };
  } finally {
    progress.stop();
    clock.stop();
    store?.close();
  }
}

/** The others are named, each with the reason. */
function suitable(
  named: readonly NamedScenario[],
  why: (scenario: Scenario) => string | undefined,
  forWhat: string,
  terminal: Terminal,
): NamedScenario[] {
  const leftOut = named.map(({ scenario }) => why(scenario));
  const notes = named.flatMap(({ scenario }, index) => {
    const reason = leftOut[index];
    return reason === undefined ? [] : [`${scenario.name} is not for ${forWhat}: ${reason}.`];
  });
  if (notes.length === named.length) throw new UsageError(notes.join('\n'));
  for (const note of notes) terminal.err(note);
  return named.filter((_, index) => leftOut[index] === undefined);
}

function sayPlans(
  say: (text: string) => void,
  scenarios: readonly NamedScenario[],
  {
    strategy,
    seed,
    faultsFrom,
  }: { readonly strategy: StrategyName; readonly seed: string; readonly faultsFrom: string | undefined },
): void {
  if (strategy !== DEFAULT_STRATEGY) say(`strategy ${strategy}`);
  if (faultsFrom !== undefined) say(`faults of ${faultsFrom}`);
  for (const { scenario } of scenarios)
    say(`scenario ${scenario.name}, seed ${seed}: plan ${planHash(compile(scenario, seed))}`);
}

/** Data sets are looked at before the first life, so that a bad row is told once and not once per worker. */
async function checkInputs(scenarios: readonly NamedScenario[]): Promise<void> {
  const datasets = new DatasetStore();
  for (const { scenario } of scenarios) await datasets.prepare(datasetNeeds(scenario));
}

function openStore(
  options: OptionValues,
  known: {
    readonly scenarios: readonly Scenario[];
    readonly engineVersion: string;
    readonly stored: Map<string, StoredLife>;
  },
): ResultStore | undefined {
  if (options.out === undefined) return undefined;
  return new ResultStore({
    folder: options.out,
    resume: options.resume === true,
    subtasks: options.subtasks === true,
    keeps: (row) => isCurrent(row, known) && (options.subtasks !== true || hasSubtasks(row)),
    onRow: (row) => known.stored.set(resumeKey(row.scenario, row.seed), { ...row, ...NO_LONG_PARTS }),
  });
}

/** A life stored without `--subtasks` lacks them, unless it had no checkpoint. */
const hasSubtasks = ({ checkpointRecords, subtaskRecords }: LifeRow): boolean =>
  checkpointRecords.length === 0 || subtaskRecords.length > 0;

/** A stored life counts when the same plan would be lived by the same version. Lives of other scenarios stay as they are. */
function isCurrent(
  row: LifeRow,
  { scenarios, engineVersion }: { readonly scenarios: readonly Scenario[]; readonly engineVersion: string },
): boolean {
  const scenario = scenarios.find(({ name }) => name === row.scenario);
  if (scenario === undefined) return true;
  return row.engineVersion === engineVersion && row.planHash === planHash(compile(scenario, row.seed));
}

function exitCodeOfSweep(outcome: SweepOutcome, interrupted: boolean): ExitCode {
  const verdicts = (['violated', 'not-live', 'inconclusive'] as const).filter(
    (name) => outcome.total.verdicts[name] > 0,
  );
  return gravest([
    ...verdicts.map(exitCodeOf),
    ...(outcome.notDeterministic.length > 0 ? [EXIT.notDeterministic] : []),
    ...(outcome.infrastructure.length > 0 ? [EXIT.internal] : []),
    ...(interrupted ? [EXIT.inconclusive] : []),
  ]);
}

const NOTHING_UNREACHED: Unreached = { probes: [], faults: [], patterns: [] };

/** The sweep has not seen enough to say that all is well. */
const codeOfUnreached = ({ probes, faults, patterns }: Unreached): ExitCode[] =>
  probes.length + faults.length + patterns.length > 0 ? [EXIT.inconclusive] : [];

function unreachedLines({ probes, faults, patterns }: Unreached): string[] {
  const says = new Map(reachedProbes({ probes: {}, probeLives: {} }).map((one) => [one.name, one]));
  return [
    ...probes.map((name) => `Never reached: probe ${name} (${says.get(name)?.area}). ${says.get(name)?.says}`),
    ...faults.map((name) => `Never effective: fault ${name}.`),
    ...patterns.map((name) => `Never struck: pattern ${name}.`),
  ];
}

interface Telling {
  readonly outcome: SweepOutcome;
  readonly wallMs: number;
  readonly terminal: Terminal;
  readonly interrupted: boolean;
  readonly out?: string;
}

function tell({ outcome, wallMs, terminal, interrupted, out }: Telling): void {
  const { failures, perScenario, resumed } = outcome;
  terminal.out(figuresTable({ sums: outcome.total, wallMs }));
  if (perScenario.length > 1) {
    const rows = perScenario.map(({ scenario, sums: { lives, verdicts, livesWithDuplicates, digest } }) =>
      [
        scenario,
        lives,
        verdicts.passed,
        verdicts.violated,
        verdicts['not-live'],
        verdicts.inconclusive,
        livesWithDuplicates,
        digest,
      ].map(String),
    );
    terminal.out(
      plainTable(['scenario', 'lives', 'passed', 'violated', 'not live', 'inconclusive', 'duplicates', 'digest'], rows),
    );
  }
  if (resumed > 0)
    terminal.out(
      `${countOf(resumed, 'life was', 'lives were')} taken from ${out ?? ''}, ${countOf(outcome.total.lives - resumed, 'was', 'were')} lived now.`,
    );
  if (out !== undefined)
    terminal.out(
      `Results: ${out}/lives.jsonl, lives.csv, checkpoints.csv, faults.csv. Next: ${terminal.invocation} report ${shellWord(out)}`,
    );
  for (const seed of outcome.notDeterministic)
    terminal.out(terminal.paint('bad', `Seed ${seed} took two courses: not deterministic.`));
  if (interrupted)
    terminal.out(
      out === undefined
        ? `Interrupted: the capsules of failures are kept in ${DEFAULT_FOLDER}; with --out DIR all lives would be, and --resume could go on.`
        : `Interrupted: the lives until then are kept in ${out}; --resume goes on where it stopped.`,
    );
  if (failures.length === 0) return;
  terminal.out(
    plainTable(
      ['scenario', 'seed', 'verdict', 'signature'],
      failures
        .slice(0, FAILURES_SHOWN)
        .map((one) => [one.scenario, one.seed, terminal.paint('bad', one.verdict), one.signature]),
    ),
  );
  if (failures.length > FAILURES_SHOWN) terminal.out(`... and ${failures.length - FAILURES_SHOWN} more`);
  for (const { signature, shrunk } of failures)
    if (shrunk !== undefined) terminal.out(`${signature}, shrunk: ${terminal.invocation} replay ${shellWord(shrunk)}`);
  for (const { signature, bug, isNewBug } of failures)
    if (bug !== undefined)
      terminal.out(`${signature} is ${isNewBug === true ? 'new, as the bug' : 'known as'} ${bug}.`);
  terminal.out(`${terminal.invocation} replay ${shellWord(failures[0]?.capsule ?? '')}`);
}

function seedsText(options: OptionValues, seeds: SeedRange): string {
  return options.for === undefined ? `${seeds.from}..${seeds.to}` : `from 1 for ${options.for / 1_000} s`;
}

/** When to begin no further seed: time is up, or someone pressed Ctrl-C. */
class Deadline {
  readonly interruption: Interruption;
  readonly #terminal: Terminal;
  readonly #startedMs: number;
  readonly #endMs: number;

  constructor(terminal: Terminal, forMs: number | undefined) {
    this.#terminal = terminal;
    this.#startedMs = terminal.wallMs();
    this.#endMs = forMs === undefined ? Number.POSITIVE_INFINITY : this.#startedMs + forMs;
    this.interruption = new Interruption(terminal);
  }

  get isInterrupted(): boolean {
    return this.interruption.hasHappened;
  }

  isOver(): boolean {
    return this.isInterrupted || this.#terminal.wallMs() >= this.#endMs;
  }

  elapsedMs(): number {
    return this.#terminal.wallMs() - this.#startedMs;
  }

  stop(): void {
    this.interruption.stop();
  }
}
