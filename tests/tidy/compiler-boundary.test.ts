/**
 * The compiler keeps the borders: a folder cannot import upwards, and the pure folders know no timer, console or process.
 *
 * The real configuration files are copied to a scratch project, bad sources are put in, and `tsc -b` has to refuse them.
 */

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT, SOURCE_FOLDERS } from './source-files.ts';

const run = promisify(execFile);

/** Each source is one line; `refused` is what the compiler must say about its file. */
const CASES = [
  { file: 'engine/upwards.ts', source: "export { door } from '../sim/index.ts';", refused: 'TS6307' },
  { file: 'engine/timer.ts', source: 'setTimeout(() => {}, 1);', refused: 'TS2304' },
  { file: 'engine/console.ts', source: "console.log('x');", refused: 'TS2584' },
  { file: 'engine/process.ts', source: 'process.exit(1);', refused: 'TS2591' },
  { file: 'engine/performance.ts', source: 'performance.now();', refused: 'TS2304' },
  { file: 'engine/node-module.ts', source: "import 'node:fs';", refused: 'TS2882' },
  { file: 'engine/enumeration.ts', source: 'export enum Colour { Red }', refused: 'TS1294' },
  {
    file: 'engine/element.ts',
    source: 'export const first = (xs: readonly number[]): number => xs[0];',
    refused: 'TS2322',
  },
] as const;

describe('the compiler', () => {
  let scratch = '';
  let output = '';

  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'tidemark-compiler-'));
    for (const name of ['tsconfig.base.json', 'engine/tsconfig.json', 'sim/tsconfig.json']) {
      mkdirSync(dirname(join(scratch, name)), { recursive: true });
      cpSync(join(ROOT, name), join(scratch, name));
    }
    writeFileSync(join(scratch, 'package.json'), '{"type":"module"}\n');
    writeFileSync(join(scratch, 'engine/index.ts'), 'export const door = 1;\n');
    writeFileSync(join(scratch, 'engine/good.ts'), 'export const twice = (n: number): number => n * 2;\n');
    writeFileSync(join(scratch, 'sim/index.ts'), "export { door } from '../engine/index.ts';\n");
    for (const { file, source } of CASES) writeFileSync(join(scratch, file), `${source}\n`);
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const failed = await run(process.execPath, [tsc, '-b', 'sim', '--pretty', 'false'], { cwd: scratch }).catch(
      (error: { stdout: string }) => error,
    );
    output = failed.stdout;
  });

  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it.each(CASES)('refuses $file with $refused', ({ file, refused }) => {
    const said = output.split('\n').filter((line) => line.startsWith(file));
    expect(said.join('\n'), `tsc accepted it: repair engine/tsconfig.json or tsconfig.base.json\n${output}`).toContain(
      refused,
    );
  });

  it('accepts a pure file and the door of a lower folder', () => {
    const said = output.split('\n').filter((line) => /^(?:engine\/good|engine\/index|sim\/)/.test(line));
    expect(said).toEqual([]);
  });
});

describe('tsconfig.json', () => {
  const read = (path: string): Record<string, unknown> => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));

  it.each(SOURCE_FOLDERS.map((folder, index) => ({ folder, index })))(
    'of $folder opens no border',
    ({ folder, index }) => {
      const config = read(`${folder}/tsconfig.json`);
      const paths = (config['references'] as { path: string }[]).map((reference) => reference.path.replace('../', ''));
      // reports reads the result types of bench; otherwise each folder sees exactly those before it.
      expect(paths.sort(), 'references follow engine <- sim <- scenarios <- bench <- reports <- cli').toEqual(
        SOURCE_FOLDERS.slice(0, index).toSorted((left, right) => (left < right ? -1 : 1)),
      );
      const options = config['compilerOptions'] as Record<string, unknown>;
      expect(options['types'], 'only bench, cli and tests may know Node').toEqual(
        ['bench', 'cli'].includes(folder) ? ['node'] : [],
      );
      expect(options['lib'], 'lib is set once, in tsconfig.base.json').toBeUndefined();
      expect(config['extends']).toBe('../tsconfig.base.json');
    },
  );

  it('of the house keeps every strict switch on', () => {
    expect(read('tsconfig.base.json')['compilerOptions']).toMatchObject({
      lib: ['ES2023'],
      types: [],
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      noImplicitOverride: true,
      noImplicitReturns: true,
      noFallthroughCasesInSwitch: true,
      noPropertyAccessFromIndexSignature: true,
      noUnusedLocals: true,
      noUnusedParameters: true,
      allowUnreachableCode: false,
      verbatimModuleSyntax: true,
      isolatedModules: true,
      erasableSyntaxOnly: true,
    });
  });
});
