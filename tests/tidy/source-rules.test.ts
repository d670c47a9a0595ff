/**
 * Rules of the house that neither the compiler nor Biome can keep. Each message names the remedy.
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  countCodeLines,
  countSourceFiles,
  ROOT,
  SOURCE_FOLDERS,
  sourceFilesIn,
  withoutComments,
} from './source-files.ts';

const FOLDERS = [...SOURCE_FOLDERS, 'tests'] as const;

const KEBAB_CASE = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.(?:test|d))?\.ts$/;
const FORBIDDEN_NAME = /(?:^|\/)(?:utils?|helpers?|common|misc|types)(?:\.ts$|\/)/;
const CODE_LINES_MAX = 400;
const README_LINES_MAX = 40;

// Written in two halves so that this file does not report itself.
const FIX_ME = new RegExp(`\\b${'FIX'}${'ME'}\\b`);
const TO_DO = new RegExp(`\\b${'TO'}${'DO'}\\b(?!\\(#\\d+\\))`);

/** `x.y = () => ...`: a property is given a function literal, in an assignment and not in an initializer. */
const ASSIGNED_FUNCTION = /(?<!typeof \w+)\.#?\w+\s*(?:\?\?)?=\s*(?:\([^()]*\)|\w+)(?:\s*:\s*[\w<>[\] |]+)?\s*=>/g;

/** Lines of a text a pattern matches, as `path:line`. */
function linesMatching(path: string, text: string, pattern: RegExp): string[] {
  return text.split('\n').flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}`] : []));
}

describe.each(FOLDERS)('source files of %s', (folder) => {
  const files = sourceFilesIn(folder);

  it('are all looked at', () => {
    expect(files.length, 'sourceFilesIn() misses files: repair the walker').toBe(countSourceFiles(folder));
  });

  it('have names that say what is inside', () => {
    const vague = files.map((file) => file.path).filter((path) => FORBIDDEN_NAME.test(path));
    expect(vague, 'such files grow without end: name the file after its main export, or split it by noun').toEqual([]);
  });

  it('have kebab-case names', () => {
    const odd = files.map((file) => file.path).filter((path) => !KEBAB_CASE.test(path.split('/').at(-1) ?? ''));
    expect(odd, 'rename: words in lower case, joined by hyphens').toEqual([]);
  });

  it('leave nothing broken behind', () => {
    const found = files.flatMap((file) => linesMatching(file.path, file.text, FIX_ME));
    expect(found, 'repair it now, or open an issue and write a to-do with its number').toEqual([]);
  });

  it('have an issue for everything put off', () => {
    const found = files.flatMap((file) => linesMatching(file.path, file.text, TO_DO));
    expect(found, 'open an issue and write its number behind the word, as in (#12)').toEqual([]);
  });
});

describe.each(SOURCE_FOLDERS)('the folder %s', (folder) => {
  it(`has files of at most ${CODE_LINES_MAX} lines of code`, () => {
    const long = sourceFilesIn(folder)
      .map((file) => ({ path: file.path, lines: countCodeLines(file.text) }))
      .filter((file) => file.lines > CODE_LINES_MAX)
      .map((file) => `${file.path}: ${file.lines} lines`);
    expect(long, 'split the file by noun (blank lines and comments do not count)').toEqual([]);
  });

  it('has a door', () => {
    expect(existsSync(join(ROOT, folder, 'index.ts')), `write ${folder}/index.ts: what other folders may use`).toBe(
      true,
    );
  });
});

describe.each(FOLDERS)('the story of %s', (folder) => {
  it(`is told in a README.md of at most ${README_LINES_MAX} lines`, () => {
    const path = join(ROOT, folder, 'README.md');
    expect(existsSync(path), `write ${folder}/README.md: what the folder is for, what it owns and what not`).toBe(true);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n').length;
    expect(lines, `shorten ${folder}/README.md; details belong into docs/ or file headers`).toBeLessThanOrEqual(
      README_LINES_MAX,
    );
  });
});

describe.each(['engine', 'sim'])('the objects of a life in %s', (folder) => {
  it('are not given function literals by assignment', () => {
    const found = sourceFilesIn(folder).flatMap(({ path, text }) =>
      [...withoutComments(text).matchAll(ASSIGNED_FUNCTION)].map(([match]) => `${path}: ${match}`),
    );
    expect(
      found,
      'V8 makes such a function old at once, and what it closes over, mostly the whole life, is then kept until the next full collection: ' +
        'write a field initializer, a method, or a constant that is assigned',
    ).toEqual([]);
  });
});

describe('these rules', () => {
  it('know a vague name from a good one', () => {
    for (const name of [
      'sim/utils.ts',
      'engine/types.ts',
      'cli/common/x.ts',
      'helpers.ts',
      'sim/misc.ts',
      'a/helper.ts',
    ]) {
      expect(FORBIDDEN_NAME.test(name), name).toBe(true);
    }
    for (const name of ['engine/record-types.ts', 'sim/common-cause.ts', 'cli/utilisation.ts']) {
      expect(FORBIDDEN_NAME.test(name), name).toBe(false);
    }
  });

  it('know kebab-case', () => {
    for (const name of ['a.ts', 'pending-checkpoint.ts', 'sha-256.ts', 'lint-rules.test.ts'])
      expect(name).toMatch(KEBAB_CASE);
    for (const name of ['Pending.ts', 'pendingCheckpoint.ts', 'pending_checkpoint.ts', '-a.ts'])
      expect(name).not.toMatch(KEBAB_CASE);
  });

  it('ask a put-off task for its issue', () => {
    expect(linesMatching('x.ts', `// ${'TO'}DO: later`, TO_DO)).toEqual(['x.ts:1']);
    expect(linesMatching('x.ts', `// ${'TO'}DO(#12): later`, TO_DO)).toEqual([]);
    expect(linesMatching('x.ts', `\n// ${'FIX'}ME`, FIX_ME)).toEqual(['x.ts:2']);
  });

  it('know an assigned function literal from an initializer', () => {
    for (const code of ['this.#a = () => 1;', 'o.a = (x): void => f(x);', 'a.b ??=\n  (x) =>\n  x;'])
      expect(code.match(ASSIGNED_FUNCTION), code).toHaveLength(1);
    for (const code of [
      'const a = () => 1;',
      '  readonly #a = () => 1;',
      'const c: typeof o.c = (x) => x;',
      'this.a = f;',
    ])
      expect(code.match(ASSIGNED_FUNCTION), code).toBeNull();
  });

  it('count code, not comments and blanks', () => {
    expect(countCodeLines("/** a\n * b\n */\n\n// c\nconst d = '// no comment';\nf(); // e\n")).toBe(2);
    expect(withoutComments("const u = 'http://x'; // y")).toBe("const u = 'http://x'; ");
  });
});
