/**
 * One bad example for each rule of lint: a rule that is never provoked may be switched off without anyone seeing it.
 *
 * The real configuration is copied to a scratch project together with all examples, and Biome runs once over it.
 */

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from './source-files.ts';

const run = promisify(execFile);

interface Example {
  /** What is refused, as a title. */
  readonly bad: string;
  /** Where the example stands; its name is made of this folder and a number. */
  readonly folder: string;
  readonly source: string;
  /** Part of the diagnostic's category or message. */
  readonly rule: string;
}

const PURE = ['engine', 'sim', 'scenarios'] as const;
const OUTER = ['bench', 'reports', 'cli'] as const;

const inFolders = (folders: readonly string[], bad: string, source: string, rule: string): Example[] =>
  folders.map((folder) => ({ bad, folder, source, rule }));

const MANY_LINES = Array.from({ length: 75 }, (_, line) => `  values.push(${line});`).join('\n');

const EVERYWHERE: Example[] = [
  ...inFolders(['sim'], 'a default export', 'export default 1;', 'noDefaultExport'),
  ...inFolders(['cli'], 'any', 'export const a = (x: any): unknown => x;', 'noExplicitAny'),
  ...inFolders(
    ['sim'],
    'a non-null assertion',
    'export const a = (x: string | null): string => x!;',
    'noNonNullAssertion',
  ),
  ...inFolders(['sim'], 'an enum', 'export enum Colour {\n  Red,\n}', 'noEnum'),
  ...inFolders(['sim'], 'a namespace', 'export namespace N {\n  export const a = 1;\n}', 'noNamespace'),
  ...inFolders(
    ['sim'],
    'a parameter property',
    'export class A {\n  constructor(readonly a: number) {}\n}',
    'noParameterProperties',
  ),
  ...inFolders(
    ['sim'],
    'five parameters',
    'export function f(a: 1, b: 1, c: 1, d: 1, e: 1): unknown {\n  return [a, b, c, d, e];\n}',
    'useMaxParams',
  ),
  ...inFolders(
    ['cli'],
    'a long function',
    `export function f(values: number[]): void {\n${MANY_LINES}\n}`,
    'noExcessiveLinesPerFunction',
  ),
  ...inFolders(['cli'], 'an unused import', "import { a } from './a.ts';", 'noUnusedImports'),
  ...inFolders(
    ['cli'],
    'an undeclared package',
    "import { a } from 'left-pad';\n\nexport const b = a;",
    'noUndeclaredDependencies',
  ),
  ...inFolders(
    ['cli'],
    'a type imported as a value',
    "import { type A } from './a.ts';\n\nexport type B = A;",
    'useImportType',
  ),
  ...inFolders(['cli'], 'unformatted text', 'export const a = "x"', 'format'),
];

const GLOBALS: Example[] = [
  ...[
    'Date.now()',
    'new Date(0)',
    'Promise.resolve(1)',
    'new WeakRef({})',
    'new FinalizationRegistry(() => {})',
    'Intl.Collator',
  ].flatMap((use) => inFolders(PURE, use, `export const a = ${use};`, 'noRestrictedGlobals')),
  ...[
    'setTimeout',
    'setInterval',
    'setImmediate',
    'queueMicrotask',
    'performance',
    'console',
    'process',
    'crypto',
    'fetch',
    'globalThis',
    'Atomics',
    'SharedArrayBuffer',
  ].flatMap((use) => inFolders(['engine'], use, `export const a = ${use};`, 'noRestrictedGlobals')),
  ...inFolders(['reports'], 'Date', 'export const a = Date.now();', 'noRestrictedGlobals'),
  ...inFolders(['bench'], 'performance', 'export const a = performance.now();', 'noRestrictedGlobals'),
  ...inFolders(['bench', 'cli'], 'fetch', "export const a = fetch('http://a');", 'noRestrictedGlobals'),
  ...inFolders(['cli'], 'process', 'export const a = process.argv;', 'noRestrictedGlobals'),
  ...inFolders(['cli'], 'console', "console.log('a');", 'noRestrictedGlobals'),
];

const MATH: Example[] = [
  ...inFolders(PURE, 'Math.random', 'export const a = Math.random();', 'house/no-ambient-math'),
  ...inFolders(['engine'], 'Math[name]', "export const a = Math['random']();", 'house/no-ambient-math'),
  ...inFolders(['engine'], 'random taken out of Math', 'export const { random } = Math;', 'house/no-ambient-math'),
  ...inFolders(['engine'], 'Math passed on', 'export const a = [Math];', 'house/no-ambient-math'),
  ...[
    'exp',
    'expm1',
    'log',
    'log2',
    'log10',
    'log1p',
    'pow',
    'sin',
    'cos',
    'tan',
    'asin',
    'acos',
    'atan',
    'atan2',
    'sinh',
    'cosh',
    'tanh',
    'cbrt',
    'hypot',
    'PI',
  ].flatMap((name) => inFolders(['sim'], `Math.${name}`, `export const a = Math.${name};`, 'house/no-ambient-math')),
  ...inFolders(
    ['sim'],
    'a bad call inside a good one',
    'export const a = Math.floor(Math.log(2));',
    'house/no-ambient-math',
  ),
  ...inFolders(OUTER, 'Math.random', 'export const a = Math.random();', 'house/no-random'),
  ...inFolders(['reports'], 'Math[name]', "export const a = Math['random']();", 'house/no-random'),
  ...inFolders(['reports'], 'random taken out of Math', 'export const { random } = Math;', 'house/no-random'),
  ...inFolders(PURE, 'a power', 'export const a = (n: number): number => n ** 2;', 'house/no-power'),
  ...inFolders(
    PURE,
    'an assigned power',
    'export function f(n: number): number {\n  let a = n;\n  a **= 2;\n  return a;\n}',
    'house/no-power',
  ),
];

const ASYNC: Example[] = [
  ...inFolders(PURE, 'an async function', 'export async function f() {}', 'house/no-async'),
  ...inFolders(['engine'], 'an async arrow', 'export const f = async () => 1;', 'house/no-async'),
  ...inFolders(['engine'], 'an async arrow of one name', 'export const f = async (x: number) => x;', 'house/no-async'),
  ...inFolders(
    ['engine'],
    'an async function expression',
    'export const f = async function named() {};',
    'house/no-async',
  ),
  ...inFolders(['engine'], 'an async method of a class', 'export class A {\n  async a() {}\n}', 'house/no-async'),
  ...inFolders(
    ['engine'],
    'a static async method',
    'export class A {\n  /** Says why. */\n  static async a() {}\n}',
    'house/no-async',
  ),
  ...inFolders(
    ['engine'],
    'a private async method',
    'export class A {\n  async #a() {}\n\n  b() {\n    return this.#a;\n  }\n}',
    'house/no-async',
  ),
  ...inFolders(['engine'], 'an async method of an object', 'export const a = { async b() {} };', 'house/no-async'),
  ...inFolders(['engine'], 'an async generator', 'export async function* f() {\n  yield 1;\n}', 'house/no-async'),
  ...inFolders(['engine'], 'await', 'export const a = await 1;', 'house/no-async'),
  ...inFolders(['engine'], 'for await', 'for await (const x of []) {\n  x;\n}', 'house/no-async'),
];

const ORDER: Example[] = [
  ...inFolders([...PURE, ...OUTER], 'sort() without comparator', 'export const a = [1].sort();', 'house/total-order'),
  ...inFolders(['sim'], 'toSorted() without comparator', 'export const a = [1].toSorted();', 'house/total-order'),
  ...inFolders(
    ['sim'],
    'sort() of what may be absent',
    'export const f = (a?: number[]) => a?.sort();',
    'house/total-order',
  ),
  ...inFolders([...PURE, ...OUTER], 'localeCompare', "export const a = 'a'.localeCompare('b');", 'house/total-order'),
  ...['toLocaleString', 'toLocaleUpperCase', 'toLocaleLowerCase'].flatMap((name) =>
    inFolders(['sim', 'reports'], name, `export const f = (a: string) => a.${name}();`, 'house/total-order'),
  ),
];

const importing = (specifier: string): string => `import type { A } from '${specifier}';\n\nexport type B = A;\n`;
const IMPORTS: Example[] = (
  [
    ['engine', '../sim/index.ts'],
    ['engine/checkpoint', '../../sim/kernel/a.ts'],
    ['engine', '../cli/index.ts'],
    ['engine', 'seedrandom'],
    ['engine', 'zod'],
    ['engine', 'node:fs'],
    ['engine', 'csv-stringify/sync'],
    ['sim', '../scenarios/index.ts'],
    ['sim/kernel', '../../bench/index.ts'],
    ['sim', 'yaml'],
    ['sim', 'node:crypto'],
    ['sim/kernel', '../../engine/index.ts'],
    ['sim/invariants', '../../engine/checkpoint/pending-checkpoint.ts'],
    ['sim/cluster', '../../scenarios/index.ts'],
    ['sim/cluster', 'zod'],
    ['scenarios', '../bench/index.ts'],
    ['scenarios', '../cli/index.ts'],
    ['scenarios', 'commander'],
    ['scenarios', 'node:fs'],
    ['bench', '../reports/index.ts'],
    ['bench', 'node:perf_hooks'],
    ['reports', '../cli/index.ts'],
    ['reports', 'node:fs'],
    ['cli', '../tests/tidy/source-files.ts'],
    ['cli', 'node:fs'],
    ['cli', 'node:process'],
  ] as const
).map(([folder, specifier]) => ({ bad: specifier, folder, source: importing(specifier), rule: 'noRestrictedImports' }));

const EXAMPLES = [...EVERYWHERE, ...GLOBALS, ...MATH, ...ASYNC, ...ORDER, ...IMPORTS].map((example, index) => ({
  ...example,
  file: `${example.folder}/bad-${index}.ts`,
}));

/** What must be accepted where it stands: a rule that refuses everything proves nothing. */
const GOOD: Record<string, string> = {
  'engine/checkpoint/good.ts': importing('../foundation/time.ts'),
  'engine/good-math.ts': 'export const a = Math.floor(Math.max(1, 2) / Math.abs(-3)) * 2;\n',
  'engine/good-names.ts': 'export const asynchronous = { async: 1, await_: 2 };\n',
  'sim/kernel/good-vocabulary.ts': importing('../../engine/foundation/time.ts'),
  'sim/kernel/good-protocol.ts': importing('../../engine/protocol/actor.ts'),
  'sim/kernel/good-job.ts': importing('../../engine/job/job-graph.ts'),
  'sim/kernel/good-seed.ts': importing('seedrandom'),
  'sim/kernel/good-sibling.ts': importing('../network/link.ts'),
  'sim/cluster/good.ts': importing('../../engine/checkpoint/pending-checkpoint.ts'),
  'sim/simulate.ts': importing('../engine/index.ts'),
  'sim/good-order.ts': 'export const f = (a: number[]): number[] => a.sort((left, right) => left - right);\n',
  'scenarios/good.ts': importing('zod'),
  'scenarios/good-sim.ts': importing('../sim/index.ts'),
  'bench/wall-clock.ts': `import { hrtime } from 'node:process';\n\nexport const a = hrtime;\n`,
  'bench/good.ts': 'export const a = 2 ** Math.log(3);\n',
  'reports/good.ts': importing('d3-scale'),
  'cli/files.ts': `import { readFileSync } from 'node:fs';\n\nexport const a = readFileSync;\n`,
  'cli/terminal.ts': `import { styleText } from 'node:util';\n\nexport const a = [styleText, process.argv];\n`,
  'cli/workers.ts': `import { Worker } from 'node:worker_threads';\n\nexport const a = Worker;\n`,
  'cli/good-async.ts': 'export async function f(): Promise<void> {\n  await Promise.resolve();\n}\n',
  'tests/unit/good.test.ts': `import { readFileSync } from 'node:fs';\n\nexport const a = [readFileSync, Date.now()];\n`,
};

const CYCLE = {
  'sim/cycle-a.ts': "import { b } from './cycle-b.ts';\n\nexport const a = (): unknown => b;\n",
  'sim/cycle-b.ts': "import { a } from './cycle-a.ts';\n\nexport const b = (): unknown => a;\n",
  'sim/cycle-c.ts': "import type { D } from './cycle-d.ts';\n\nexport type C = D;\n",
  'sim/cycle-d.ts': "import type { C } from './cycle-c.ts';\n\nexport type D = { readonly c: C };\n",
};

interface Diagnostic {
  readonly category: string;
  readonly message: string;
  readonly location: { readonly path: string };
}

describe('lint', () => {
  let scratch = '';
  let diagnostics: Diagnostic[] = [];

  const saidOf = (file: string): string[] =>
    diagnostics.filter((one) => one.location.path === file).map((one) => `${one.category}: ${one.message}`);

  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'tidemark-lint-'));
    for (const name of ['biome.json', 'lint', 'package.json', '.gitignore']) {
      cpSync(join(ROOT, name), join(scratch, name), { recursive: true });
    }
    const bad = EXAMPLES.map(({ file, source, bad: title }) => [
      file,
      title === 'unformatted text' ? source : `${source}\n`,
    ]);
    for (const [file = '', source = ''] of [...bad, ...Object.entries({ ...GOOD, ...CYCLE })]) {
      mkdirSync(dirname(join(scratch, file)), { recursive: true });
      writeFileSync(join(scratch, file), source);
    }
    const biome = join(ROOT, 'node_modules/@biomejs/biome/bin/biome');
    const options = ['check', '--reporter=json', '--max-diagnostics=none', '--colors=off', '.'];
    const failed = await run(process.execPath, [biome, ...options], { cwd: scratch, maxBuffer: 1 << 26 }).catch(
      (error: { stdout: string; stderr: string }) => error,
    );
    expect(failed.stdout, `Biome gave no report:\n${failed.stderr}`).toContain('"diagnostics"');
    diagnostics = (JSON.parse(failed.stdout) as { diagnostics: Diagnostic[] }).diagnostics;
  });

  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it.each(EXAMPLES)('$folder: refuses $bad ($rule)', ({ file, rule, source }) => {
    expect(saidOf(file).join('\n'), `lint accepted this: repair biome.json or lint/\n${source}`).toContain(rule);
  });

  it.each(Object.keys(CYCLE))('refuses an import cycle in %s', (file) => {
    expect(saidOf(file).join('\n')).toContain('noImportCycles');
  });

  it.each(Object.keys(GOOD))('accepts %s', (file) => {
    expect(saidOf(file)).toEqual([]);
  });
});
