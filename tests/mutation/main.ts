/**
 * Mutation testing of the engine: one small mistake at a time in a compiled file, then a bounded sweep that should notice it.
 *
 *     npx tsc -b && node dist/tests/mutation/main.js --files engine/barrier,engine/checkpoint,engine/state --sample 150 --seed 1
 *
 * Works on a copy of dist/, so that nothing else is disturbed. Results are appended to <out>/mutants.jsonl; what is there is not tried again.
 * `--only ID,ID` tries some once more and says which lives noticed them; `--sweep 'state-ttl-kinds --seeds 1..24'` by that sweep alone. Ends with the score, and with the survivors as a Markdown table.
 * `--list` tries none: it says of each what it is.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Mutant, mutantsOf } from './operators.ts';

/** Sweeps in the order they are tried; the first that fails has killed the mutant. */
const SWEEPS: readonly (readonly string[])[] = [
  ['standard', 'swarm', '--seeds', '1..5'],
  [
    'storm',
    'region-failover',
    'unaligned-timeout',
    'lsm-incremental',
    'bounded-input',
    'savepoints-under-faults',
    '--seeds',
    '1..2',
  ],
  [
    ...[
      'rescale-storm',
      'keyed-states',
      'state-ttl',
      'local-recovery',
      'event-time-timers',
      'broadcast-rules',
      'finished-pipeline',
      'upgrade-under-faults',
      'refused-versions',
    ],
    ...[
      'lsm-rescale',
      'lsm-savepoints',
      'delayed-messages',
      'concurrent-checkpoints',
      'stop-and-resume',
      'claimed-segments',
      'master-hooks',
      'declined-by-all',
    ],
    ...['restart-during-metadata-write', 'zombie-jobmanager-writes', 'unaligned-expiry', 'partially-finished-sources'],
    ...[
      'rare-overdraft',
      'rare-overtaken-in-flight',
      'rare-undecided-for-long',
      'rare-late-shared-files',
      'rare-cancelled-behind-older',
      'rare-fifty-pending',
      'rare-ends-among-barriers',
    ],
    ...['snapshots-side-by-side', '--seeds', '1..3'],
  ],
  [
    ...['unaligned-checkpoint-rescale-with-mixed-exchanges-itcase', 'stuck-task', 'buffering-map'],
    ...[
      'union-offsets',
      'log-analytics',
      'event-time-windows',
      'nexmark-rescale',
      'failures-in-a-row',
      'final-checkpoint-only',
      'file-merging',
      'file-merging-restores',
      'changelog',
      '--seeds',
      '1..4',
    ],
  ],
  ['bounded-rescale', 'calm', '--seeds', '1..16'],
  // Nine kinds of state that expires, drawn by the seed; both backends, with and without a log.
  ['state-ttl-kinds', 'states-when-asked', '--seeds', '1..24'],
];
const TIMEOUT_MS = 240_000;

interface Result extends Omit<Mutant, 'start' | 'end'> {
  /** `killed`: a judge, an assertion or determinism; `limit`: it ran into a limit or took too long. */
  readonly outcome: 'killed' | 'limit' | 'survived';
  /** Signatures of what noticed it. */
  readonly by: string;
}

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: 'engine/barrier,engine/checkpoint,engine/state' },
    sample: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: 'out/mutation' },
    only: { type: 'string' },
    sweep: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});

const work = resolve(values.out, 'work');
const results = join(values.out, 'mutants.jsonl');

function prepare(): void {
  mkdirSync(work, { recursive: true });
  cpSync('dist', join(work, 'dist'), { recursive: true, filter: (path) => !path.startsWith('dist/tests') });
  cpSync('scenarios', join(work, 'scenarios'), { recursive: true });
  cpSync('package.json', join(work, 'package.json'));
  if (!existsSync(join(work, 'node_modules'))) symlinkSync(resolve('node_modules'), join(work, 'node_modules'));
}

function filesBelow(path: string): string[] {
  if (path.endsWith('.ts')) return [path.replace(/\.ts$/, '.js')];
  return readdirSync(join('dist', path), { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(join(path, entry.name)) : [join(path, entry.name)]))
    .filter((file) => file.endsWith('.js'))
    .sort((a, b) => (a < b ? -1 : 1));
}

/** In an order that only the seed and the mutants decide, so that a larger sample has the smaller one in it. */
function sampled(mutants: readonly Mutant[]): Mutant[] {
  const rank = ({ id }: Mutant): string => createHash('sha256').update(`${values.seed}/${id}`).digest('hex');
  return mutants
    .map((mutant) => ({ mutant, rank: rank(mutant) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .slice(0, Number(values.sample))
    .map(({ mutant }) => mutant);
}

function attempt({ start: _start, end: _end, ...mutant }: Mutant): Result {
  for (const sweep of values.sweep === undefined ? SWEEPS : [values.sweep.split(' ')]) {
    const argv = [join(work, 'dist/cli/main.js'), 'sweep', ...sweep, '--workers', '1', '--json', '--unshrunk'];
    const lived = spawnSync('node', [...argv, '--out', join(work, 'lives')], { encoding: 'utf8', timeout: TIMEOUT_MS });
    if (lived.error !== undefined) return { ...mutant, outcome: 'limit', by: 'time' };
    if (lived.status === 0) continue;
    // A scenario that there is not would kill every mutant.
    if (lived.status === 2) throw new Error(`the sweep ${sweep.join(' ')} is refused: ${lived.stderr}`);
    const by = signaturesIn(lived.stdout);
    return {
      ...mutant,
      outcome: lived.status === 4 ? 'limit' : 'killed',
      by: by === '' ? `exit code ${String(lived.status)}` : by,
    };
  }
  return { ...mutant, outcome: 'survived', by: '' };
}

function signaturesIn(stdout: string): string {
  try {
    const { failures } = JSON.parse(stdout) as { failures: readonly { signature: string }[] };
    return [...new Set(failures.map(({ signature }) => signature))].slice(0, 3).join(', ');
  } catch {
    return '';
  }
}

function tryOut(mutant: Mutant): Result {
  const path = join(work, 'dist', mutant.file);
  const text = readFileSync(join('dist', mutant.file), 'utf8');
  writeFileSync(path, text.slice(0, mutant.start) + mutant.replacement + text.slice(mutant.end));
  try {
    return attempt(mutant);
  } finally {
    writeFileSync(path, text);
  }
}

const cell = (text: string): string => `\`${text.replace(/\s+/g, ' ').replaceAll('|', '\\|').slice(0, 110)}\``;

function tell(all: readonly Result[]): void {
  const survivors = all.filter(({ outcome }) => outcome === 'survived');
  const byFolder = new Map<string, { killed: number; all: number }>();
  for (const { file, outcome } of all) {
    const folder = file.split('/').slice(0, 2).join('/');
    const count = byFolder.get(folder) ?? { killed: 0, all: 0 };
    byFolder.set(folder, { killed: count.killed + (outcome === 'survived' ? 0 : 1), all: count.all + 1 });
  }
  for (const [folder, { killed, all: total }] of byFolder)
    console.log(`${folder}: ${killed} of ${total} killed, ${Math.round((100 * killed) / total)} %`);
  console.log('\n| mutant | file | operator | original | becomes |\n| --- | --- | --- | --- | --- |');
  for (const { id, file, line, operator, original, replacement } of survivors)
    console.log(
      `| ${id} | \`${file.replace(/\.js$/, '')}\` ${line} | ${operator} | ${cell(original)} | ${cell(replacement)} |`,
    );
}

const all = values.files
  .split(',')
  .flatMap(filesBelow)
  .flatMap((file) => mutantsOf(file, readFileSync(join('dist', file), 'utf8')));
const chosen = values.only === undefined ? sampled(all) : all.filter(({ id }) => values.only?.split(',').includes(id));
if (values.list) {
  for (const { id, file, line, operator, original, replacement } of chosen)
    console.log(`${id} ${file}:${line} ${operator} ${cell(original)} ${cell(replacement)}`);
} else {
  prepare();
  tryAll();
}

function tryAll(): void {
  const known = new Map<string, Result>();
  if (existsSync(results) && values.only === undefined)
    for (const line of readFileSync(results, 'utf8').split('\n').filter(Boolean)) {
      const result = JSON.parse(line) as Result;
      known.set(result.id, result);
    }
  console.log(
    `${all.length} mutants, ${chosen.length} chosen, ${chosen.filter(({ id }) => known.has(id)).length} known`,
  );
  for (const mutant of chosen) {
    if (known.has(mutant.id)) continue;
    const result = tryOut(mutant);
    known.set(result.id, result);
    appendFileSync(results, `${JSON.stringify(result)}\n`);
    console.log(`${result.outcome.padEnd(8)} ${mutant.file}:${mutant.line} ${mutant.operator} ${result.by}`);
  }
  tell(chosen.flatMap(({ id }) => known.get(id) ?? []));
}
