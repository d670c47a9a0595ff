/**
 * The table of command-line options: it feeds the parser, the help and docs/cli.md.
 *
 * Owns: flag, unit, default, decoder and sentence of every option, and which options exclude or need each other.
 * Does not own: what commands do with them.
 * I1: a decoder answers a value or throws a UsageError that says what was expected.
 */
import { DEFAULT_STRATEGY, STRATEGY_NAMES, type StrategyName } from '../scenarios/strategies/strategy-names.ts';
import { UsageError } from './usage-error.ts';

/** An inclusive range of seeds that are whole numbers. */
export interface SeedRange {
  readonly from: number;
  readonly to: number;
}

/** Which part of the seeds: the `index`-th of `count`, from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

export interface OptionRow<T> {
  /** Long flag with its argument, as help shows it. */
  readonly flag: string;
  /** What the argument counts or names. */
  readonly unit: string;
  /** What holds when the option is absent, for people. */
  readonly absent: string;
  readonly decode: (text: string) => T;
  readonly sentence: string;
  /** It names what is written: looked at before the work begins. */
  readonly writes?: 'file' | 'folder';
}

const row = <T>(entry: OptionRow<T>): OptionRow<T> => entry;
const asText = (text: string): string => text;
const asSwitch = (): boolean => true;
const path = (flag: `--${string} <${'FILE' | 'DIR'}>`, absent: string, sentence: string): OptionRow<string> =>
  row({ flag, unit: 'path', absent, decode: asPath, sentence, writes: flag.endsWith('<DIR>') ? 'folder' : 'file' });
const toggle = (flag: string, sentence: string): OptionRow<boolean> =>
  row({ flag, unit: '-', absent: 'off', decode: asSwitch, sentence });

export const OPTIONS = {
  seed: row({
    flag: '--seed <S>',
    unit: 'any string',
    absent: '1',
    decode: asSeed,
    sentence: 'The seed of the life; a commit hash is a fine one.',
  }),
  variant: row({
    flag: '--variant <slug>',
    unit: 'engine variant',
    absent: 'standard',
    decode: decodeVariant,
    sentence: 'Live it on an engine with one known bug (docs/mutants.md), to see what finds it.',
  }),
  seeds: row({
    flag: '--seeds <A..B>',
    unit: 'whole numbers, inclusive',
    absent: '1..100',
    decode: decodeSeedRange,
    sentence: 'The seeds to live, both ends included.',
  }),
  hunted: row({
    flag: '--seeds <N>',
    unit: 'seeds',
    absent: '100',
    decode: (text: string) => decodeCount('seeds', text, 1_000_000),
    sentence: 'Most seeds of a scenario that a mutant is hunted with: 1, 2, 3 ... N.',
  }),
  huntedIn: row({
    flag: '--in <scenario>',
    unit: 'scenario',
    absent: 'the scenario of each mutant',
    decode: asText,
    sentence:
      'Hunt all in this scenario alone, and say of those that are not found in how many lives they changed anything: none is out of its reach, some is out of the sight of its judges.',
  }),
  for: row({
    flag: '--for <duration>',
    unit: 'ms, s, m or h of wall clock',
    absent: 'until the seeds are used up',
    decode: decodeDurationMs,
    sentence: 'Live seeds 1, 2, 3 ... until this much time has passed.',
  }),
  strategy: row({
    flag: '--strategy <NAME>',
    unit: STRATEGY_NAMES.join(', '),
    absent: DEFAULT_STRATEGY,
    decode: decodeStrategy,
    sentence: 'How plans are made of scenario and seeds (docs/search.md); `random`: as the scenario says.',
  }),
  faultsFrom: row({
    flag: '--faults <scenario>',
    unit: 'scenario',
    absent: 'its own',
    decode: (text: string) => text,
    sentence:
      'Live each scenario without its own story under the fault rules of this one, for example those of `storm`; what people do to the job stays.',
  }),
  strategies: row({
    flag: '--strategy <NAME,...>',
    unit: STRATEGY_NAMES.join(', '),
    absent: 'no scoreboard',
    decode: decodeStrategies,
    sentence:
      'Hunt with these search strategies instead, each in the scenario of the mutant without its story: under the faults of `standard`, or of --faults. The smallest plan of each kill goes to out/capsules/, for `tidemark replay`.',
  }),
  faultsOf: row({
    flag: '--faults <scenario>',
    unit: 'scenario',
    absent: 'standard',
    decode: (text: string) => text,
    sentence: 'With --strategy: whose fault rules strike in the place of the story, for example those of `storm`.',
  }),
  huntBudget: row({
    flag: '--events <N>',
    unit: 'simulated events',
    absent: '250,000',
    decode: (text: string) => decodeCount('events', text, Number.MAX_SAFE_INTEGER),
    sentence: 'With --strategy: the budget of each hunt, the same for all strategies.',
  }),
  repeats: row({
    flag: '--repeats <N>',
    unit: 'hunts',
    absent: '3',
    decode: (text: string) => decodeCount('repeats', text, 1_000),
    sentence: 'With --strategy: hunts of each mutant by each strategy, with other seeds.',
  }),
  wall: toggle('--wall', 'With --strategy: put the wall-clock time to the first kill into the table, too.'),
  smallest: toggle(
    '--shrink',
    'Hunt each in its scenario as `sweep` does, shrink what fails, and tell how long both took (wall clock), with median and maximum.',
  ),
  rowsFile: path(
    '--rows <FILE>',
    'no file',
    'With --shrink, --strategy or --in: append the figures of each mutant here as they are known; those that are there are not measured again.',
  ),
  workers: row({
    flag: '--workers <N>',
    unit: 'threads',
    absent: 'as many as the machine runs at once',
    decode: (text: string) => decodeCount('workers', text, 512),
    sentence: 'How many worker threads live seeds side by side.',
  }),
  shard: row({
    flag: '--shard <I/N>',
    unit: 'part/parts, from 1',
    absent: '1/1',
    decode: decodeShard,
    sentence:
      'Live only every N-th seed, of crashpoints every N-th second crash, beginning with the I-th: one call per machine.',
  }),
  out: path(
    '--out <DIR>',
    'sweep: only capsules, in out/; start: out/start; bench: out/bench',
    'Where result files go, appended as they arrive.',
  ),
  outFile: path(
    '--out <FILE>',
    'no file',
    'Write the table into this Markdown file, between `<!-- mutants -->` and `<!-- /mutants -->`; with --strategy between `<!-- scoreboard -->` and `<!-- /scoreboard -->`, with --shrink between `<!-- smallest failures -->` and `<!-- /smallest failures -->`.',
  ),
  resume: toggle('--resume', 'Go on with the sweep in the folder of --out: lives already there are not lived again.'),
  json: toggle('--json', 'Print one JSON document on standard output and nothing else there.'),
  trace: path('--trace <FILE>', 'no trace', 'Write every event of the life, one aligned line each.'),
  report: path(
    '--report <DIR>',
    'no report',
    'Write report.html and CSV files of the life; timeline.log too, if the scenario sets timelineLogging.',
  ),
  statistics: path(
    '--statistics <FILE>',
    'no statistics',
    "Write the life's checkpoint statistics as JSON, in the shapes of Flink's REST interface: per checkpoint, task and subtask.",
  ),
  keepCheckpoints: row({
    flag: '--keep-checkpoints <PLACE>',
    unit: 'folder or s3://bucket/prefix',
    absent: 'nothing is kept',
    decode: asPath,
    sentence:
      "Leave the life's checkpoint storage there, byte for byte as it was at its end, for `tidemark inspect`. The place must hold no files.",
  }),
  endpoint: row({
    flag: '--endpoint <URL>',
    unit: 'http or https address',
    absent: 'AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, or Amazon S3',
    decode: asText,
    sentence:
      'Where the S3-compatible store of an s3:// place answers. Credentials come from the usual AWS_* variables.',
  }),
  region: row({
    flag: '--region <NAME>',
    unit: 'region of S3',
    absent: 'AWS_REGION, AWS_DEFAULT_REGION, or us-east-1',
    decode: asText,
    sentence: 'The region that requests to an s3:// place are signed for.',
  }),
  subtasks: toggle(
    '--subtasks',
    'Also keep the part of each subtask in each checkpoint: subtasks.csv and the bars of the report. Result files grow tenfold.',
  ),
  until: row({
    flag: '--until <EVENT>',
    unit: 'history index',
    absent: 'the end of the life',
    decode: (text: string) => decodeCount('until', text, Number.MAX_SAFE_INTEGER),
    sentence: 'Show the history up to this event: the last lines before it go to the screen.',
  }),
  pairs: row({
    flag: '--pairs <N>',
    unit: 'seeds',
    absent: '3',
    decode: (text: string) => decodeCount('pairs', text, 1_000),
    sentence: 'Seeds lived in every cell of a virtual-time suite; the same seeds in each cell.',
  }),
  shrunkFile: path(
    '--out <FILE>',
    'beside the capsule, as NAME.shrunk.json',
    'Where the capsule of the smallest plan goes.',
  ),
  budget: row({
    flag: '--events <N>',
    unit: 'simulated events',
    absent: '20,000,000',
    decode: (text: string) => decodeCount('events', text, Number.MAX_SAFE_INTEGER),
    sentence: 'Simulated events after which shrinking ends with what it has; about half a minute each ten million.',
  }),
  runs: row({
    flag: '--runs <N>',
    unit: 'lives',
    absent: '30',
    decode: (text: string) => decodeCount('runs', text, 10_000),
    sentence: 'Continuations with other chance behind each event that is asked.',
  }),
  bugs: path(
    '--bugs <DIR>',
    'failures are kept in no bug base',
    'Put the smallest plan of each signature that is not known there into this bug base (`tidemark bugs`).',
  ),
  dryRun: toggle('--dry-run', 'Say what would be done, and change no file.'),
  explanationFile: path('--out <FILE>', 'only the screen', 'Write the explanation into this Markdown file, too.'),
  double: toggle(
    '--double',
    'Crash each distinct recovery once more, at each of its own points: tens of thousands of lives (25,692 of quickstart), some 3,000 a minute of a usual core; with `--shard` a part of them.',
  ),
  requireReached: toggle(
    '--require-reached',
    'Ask that each probe, each class of faults and each nemesis occurred in the sweep; what did not is named, and the exit code is 4.',
  ),
  unshrunk: toggle('--unshrunk', 'Keep failures as they are: do not look for smaller plans.'),
  quick: toggle('--quick', 'Smaller cells and fewer repeats: a look, not a measurement.'),
} as const;

export type OptionName = keyof typeof OPTIONS;
export type OptionValues = { readonly [Name in OptionName]?: ReturnType<(typeof OPTIONS)[Name]['decode']> };

/** Options that may not stand together, and why. */
export const CLASHES: readonly { readonly these: readonly [OptionName, OptionName]; readonly sentence: string }[] = [
  {
    these: ['seeds', 'for'],
    sentence: '--seeds and --for exclude each other: --for takes as many seeds as time allows.',
  },
  {
    these: ['strategies', 'hunted'],
    sentence: '--strategy and --seeds exclude each other: hunts with strategies have a budget of --events.',
  },
  {
    these: ['huntedIn', 'strategies'],
    sentence: '--in and --strategy exclude each other: --in hunts with the seeds of a plain sweep.',
  },
  {
    these: ['huntedIn', 'smallest'],
    sentence: '--in and --shrink exclude each other: --shrink hunts each mutant in its own scenario.',
  },
  {
    these: ['smallest', 'strategies'],
    sentence: '--shrink and --strategy exclude each other: --shrink hunts as a plain sweep does.',
  },
  {
    these: ['smallest', 'hunted'],
    sentence: '--shrink and --seeds exclude each other: --shrink hunts within a budget of events.',
  },
  {
    these: ['strategy', 'resume'],
    sentence: '--strategy and --resume exclude each other: what a search proposes depends on the lives it has seen.',
  },
];

/** Options that need another one, and why. */
export const NEEDS: readonly {
  readonly option: OptionName;
  /** One of these. */
  readonly needs: readonly OptionName[];
  readonly sentence: string;
}[] = [
  { option: 'resume', needs: ['out'], sentence: '--resume needs --out DIR: the folder of the sweep to go on with.' },
  {
    option: 'huntBudget',
    needs: ['strategies'],
    sentence: '--events needs --strategy NAME,...: it is the budget of a hunt.',
  },
  { option: 'repeats', needs: ['strategies'], sentence: '--repeats needs --strategy NAME,...: which hunts to repeat.' },
  { option: 'faultsOf', needs: ['strategies'], sentence: '--faults needs --strategy NAME,...: which hunts it is for.' },
  { option: 'wall', needs: ['strategies'], sentence: '--wall needs --strategy NAME,...: it is of that table.' },
  {
    option: 'rowsFile',
    needs: ['smallest', 'strategies', 'huntedIn'],
    sentence: '--rows needs --shrink, --strategy or --in: it keeps the figures of that.',
  },
  { option: 'subtasks', needs: ['out'], sentence: '--subtasks needs --out DIR: the folder its files go to.' },
];

/** The key under which commander stores an option: the long flag in camel case. */
export const flagKey = (name: OptionName): string =>
  (OPTIONS[name].flag.split(' ')[0] ?? '').slice(2).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

/** Refuses options that clash or lack their companion. */
export function checkTogether(options: OptionValues): void {
  for (const { these, sentence } of CLASHES) {
    if (these.every((name) => options[name] !== undefined)) throw new UsageError(sentence);
  }
  for (const { option, needs, sentence } of NEEDS) {
    if (options[option] !== undefined && needs.every((name) => options[name] === undefined))
      throw new UsageError(sentence);
  }
}

function decodeStrategies(text: string): readonly StrategyName[] {
  const names = text.split(',').map(decodeStrategy);
  if (new Set(names).size < names.length) throw new UsageError(`--strategy '${text}': a strategy is named twice.`);
  return names;
}

export function decodeSeedRange(text: string): SeedRange {
  const match = /^(0|[1-9]\d*)(?:\.\.(0|[1-9]\d*))?$/.exec(text);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (match === null || !Number.isSafeInteger(from) || !Number.isSafeInteger(to)) {
    throw new UsageError(`--seeds '${text}': expected A..B with two whole numbers, for example 1..1000.`);
  }
  if (to < from) {
    throw new UsageError(
      `--seeds '${text}': the range is empty; expected A..B with A not above B, for example ${to}..${from}.`,
    );
  }
  return { from, to };
}

const DURATION_UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

export function decodeDurationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const unit = match?.[2] as keyof typeof DURATION_UNITS_MS | undefined;
  const value = Number(match?.[1]) * (unit === undefined ? Number.NaN : DURATION_UNITS_MS[unit]);
  if (!(value > 0))
    throw new UsageError(`--for '${text}': expected a time above zero with its unit, for example 30s, 10m or 1h.`);
  return value;
}

export function decodeShard(text: string): Shard {
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const index = Number(match?.[1]);
  const count = Number(match?.[2]);
  if (match === null || !(index >= 1 && index <= count && count <= 1_000_000)) {
    throw new UsageError(`--shard '${text}': expected I/N with I from 1 to N, for example 1/4.`);
  }
  return { index, count };
}

function decodeCount(name: string, text: string, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1 || value > max) {
    throw new UsageError(`--${name} '${text}': expected a whole number from 1${max > 1_000_000 ? '' : ` to ${max}`}.`);
  }
  return value;
}

function asSeed(text: string): string {
  if (text === '') throw new UsageError('--seed: expected a text that is not empty.');
  return asText(text);
}

function asPath(text: string): string {
  if (text === '') throw new UsageError('A path is empty: expected the name of a file or folder.');
  return text;
}

/** The slug is checked where the mutants are known: when the plan is lived. */
function decodeVariant(text: string): string {
  if (!/^[a-z][a-z-]*$/.test(text))
    throw new UsageError(
      `--variant ${text}: that is no name of an engine; expected a slug of docs/mutants.md, which 'tidemark list' shows.`,
    );
  return text;
}

function decodeStrategy(text: string): StrategyName {
  const name = STRATEGY_NAMES.find((one) => one === text);
  if (name === undefined) throw new UsageError(`--strategy '${text}': expected one of ${STRATEGY_NAMES.join(', ')}.`);
  return name;
}
