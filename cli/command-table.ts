/**
 * The table of commands: name, operands, options, sentence and where the command is. Feeds the parser, the help and docs/cli.md.
 *
 * I1: commands are loaded when they are called, so that `--help` loads none of their libraries.
 */
import type { Command } from './command.ts';
import type { OptionName } from './option-table.ts';

export interface CommandRow {
  /** One word, or two of which the first is a group. */
  readonly name: string;
  /** In commander's notation. */
  readonly operands: string;
  readonly sentence: string;
  readonly options: readonly OptionName[];
  readonly example: string;
  readonly load: () => Promise<Command>;
}

/** What the first word of two-word commands is about. */
export const GROUPS: Readonly<Record<string, string>> = {
  bugs: 'A bug base: failures kept as plans with story and history, one for each signature.',
};

export const COMMANDS: readonly CommandRow[] = [
  {
    name: 'start',
    operands: '',
    sentence: 'See it work: a sweep of the standard scenario and a job on real flights, in a few seconds.',
    options: ['workers', 'out'],
    example: 'tidemark start',
    load: async () => (await import('./commands/start.ts')).start,
  },
  {
    name: 'run',
    operands: '<scenario>',
    sentence: 'Live one life of a scenario, a file or the name of a shipped one.',
    options: ['seed', 'variant', 'json', 'trace', 'report', 'statistics', 'keepCheckpoints', 'endpoint', 'region'],
    example: 'tidemark run standard --seed 7 --report out/seed-7',
    load: async () => (await import('./commands/run.ts')).run,
  },
  {
    name: 'sweep',
    operands: '<scenario...>',
    sentence: 'Live many seeds of scenarios, side by side, and keep a capsule of every failure.',
    options: [
      'seeds',
      'for',
      'strategy',
      'faultsFrom',
      'workers',
      'shard',
      'out',
      'subtasks',
      'resume',
      'unshrunk',
      'bugs',
      'requireReached',
      'json',
    ],
    example: 'tidemark sweep standard --seeds 1..10000 --out out/standard',
    load: async () => (await import('./commands/sweep.ts')).sweep,
  },
  {
    name: 'replay',
    operands: '<plan-or-capsule>',
    sentence: 'Live a saved plan or capsule again and compare its digest.',
    options: ['until', 'trace', 'statistics', 'keepCheckpoints', 'endpoint', 'region', 'json'],
    example: 'tidemark replay out/capsules/standard-17-0a1b2c3d.json --until 1200',
    load: async () => (await import('./commands/replay.ts')).replay,
  },
  {
    name: 'shrink',
    operands: '<capsule>',
    sentence:
      'Find the smallest plan that fails in the same way, and prove that each fault and choice that is left is necessary.',
    options: ['shrunkFile', 'budget', 'workers', 'json'],
    example: 'tidemark shrink out/capsules/standard-17-0a1b2c3d.json',
    load: async () => (await import('./commands/shrink.ts')).shrink,
  },
  {
    name: 'inspect',
    operands: '<checkpoint-dir>',
    sentence:
      'Print what a checkpoint, a savepoint or a whole checkpoint directory holds, verify every checksum, and find missing and orphan files. A folder or s3://bucket/prefix. Exit code 1 if something is damaged or missing.',
    options: ['json', 'endpoint', 'region'],
    example: 'tidemark run standard --seed 7 --keep-checkpoints out/kept && tidemark inspect out/kept',
    load: async () => (await import('./commands/inspect.ts')).inspect,
  },
  {
    name: 'explain',
    operands: '<capsule>',
    sentence:
      'Say what decided a failure: its smallest life in sentences, how likely it was event by event, and the two events whose order flips the verdict. The smallest plan is kept beside the capsule, as NAME.shrunk.json, and not looked for again.',
    options: ['runs', 'unshrunk', 'budget', 'workers', 'explanationFile', 'json'],
    example: 'tidemark explain out/capsules/standard-17-0a1b2c3d.json',
    load: async () => (await import('./commands/explain.ts')).explain,
  },
  {
    name: 'bugs list',
    operands: '[folder]',
    sentence:
      'List the bugs of a bug base (default: bugs/): how each fails, where it was first seen, what its last run came to.',
    options: ['json'],
    example: 'tidemark bugs list',
    load: async () => (await import('./commands/bugs-list.ts')).bugsList,
  },
  {
    name: 'bugs run',
    operands: '[folder]',
    sentence:
      'Live the plan of every bug against this engine, say whether it still reproduces, and note it in its history. Exit code 0 if all are gone.',
    options: ['workers', 'json'],
    example: 'tidemark bugs run scenarios/regressions',
    load: async () => (await import('./commands/bugs-run.ts')).bugsRun,
  },
  {
    name: 'bugs add',
    operands: '<capsule> [folder]',
    sentence:
      'Put a failure into a bug base, shrunk unless it is, with the beginning of a story; one with a known signature only if its plan is smaller.',
    options: ['unshrunk', 'budget', 'workers', 'json'],
    example: 'tidemark bugs add out/capsules/standard-17-0a1b2c3d.json',
    load: async () => (await import('./commands/bugs-add.ts')).bugsAdd,
  },
  {
    name: 'bugs prune',
    operands: '[folder]',
    sentence:
      'Live every bug and remove those that no longer reproduce, and of those with one signature all but the smallest. Bugs whose story is told stay, as fixed ones.',
    options: ['dryRun', 'workers', 'json'],
    example: 'tidemark bugs prune --dry-run',
    load: async () => (await import('./commands/bugs-prune.ts')).bugsPrune,
  },
  {
    name: 'crashpoints',
    operands: '<scenario>',
    sentence:
      "Crash, cut off or stop every machine at every point of a checkpoint's life, a life for each; the scenario's own faults are left out. Exit code 1 if one of them fails.",
    options: ['seed', 'variant', 'double', 'shard', 'workers', 'out', 'json'],
    example: 'tidemark crashpoints quickstart --double',
    load: async () => (await import('./commands/crashpoints.ts')).crashpoints,
  },
  {
    name: 'bench',
    operands: '[suite...]',
    sentence: 'Measure: `overhead` of checkpoints in virtual time, `kernel` speed by wall clock.',
    options: ['out', 'pairs', 'quick', 'json'],
    example: 'tidemark bench overhead --out out/bench',
    load: async () => (await import('./commands/bench.ts')).bench,
  },
  {
    name: 'mutants',
    operands: '[slug...]',
    sentence:
      'Engines with one known bug each: live each in its scenario, in `standard` and in `swarm`, until a judge finds it. Exit code 1 if one is not found.',
    options: [
      'hunted',
      'huntedIn',
      'strategies',
      'faultsOf',
      'huntBudget',
      'repeats',
      'wall',
      'smallest',
      'rowsFile',
      'workers',
      'outFile',
      'json',
    ],
    example: 'tidemark mutants --seeds 100 --out docs/mutants.md',
    load: async () => (await import('./commands/mutants.ts')).mutants,
  },
  {
    name: 'report',
    operands: '<dir>',
    sentence: 'Make report.html and summary.md of a result folder.',
    options: [],
    example: 'tidemark report out/standard',
    load: async () => (await import('./commands/report.ts')).report,
  },
  {
    name: 'list',
    operands: '',
    sentence: 'List the shipped scenarios, jobs, data sets, kinds of faults, nemeses and engine variants.',
    options: ['json'],
    example: 'tidemark list',
    load: async () => (await import('./commands/list.ts')).list,
  },
  {
    name: 'schema',
    operands: '',
    sentence: 'Print the JSON Schema of scenario files, for editors.',
    options: [],
    example: 'tidemark schema > scenario.schema.json',
    load: async () => (await import('./commands/schema.ts')).schema,
  },
  {
    name: 'init',
    operands: '[file]',
    sentence: 'Write a scenario to begin with, and its schema beside it.',
    options: [],
    example: 'tidemark init my-scenario.yaml',
    load: async () => (await import('./commands/init.ts')).init,
  },
];
