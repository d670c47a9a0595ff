/**
 * Rows of docs/features and tests: what is said to be here is proved by somebody, and the rules of checkpoints, barriers and failures by the
 * life of a whole cluster.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, sourceFilesIn } from './source-files.ts';

/** Rows of these pages are rules of the whole cluster. */
const OF_THE_CLUSTER = ['invariants', 'coordinator', 'barriers', 'failures'];
const ALL = [...OF_THE_CLUSTER, 'state', 'storage', 'connectors'];

/** No life can meet what these rows forbid, or they have no rule that could be missed. */
const WITHOUT_STORY: Readonly<Record<string, string>> = {
  B12: 'connections keep order and are lost as a whole: no buffer is missing or early',
  B14: 'a blocked channel grants no credit, so there is no message to resume that could be lost',
};

/** Rows X are Flink's own tests; docs/flink-tests.md says what became of them. */
function rowsOf(page: string): string[] {
  const text = readFileSync(join(ROOT, `docs/features/${page}.md`), 'utf8');
  const ids = [...text.matchAll(/^\| ([A-WYZ]\d+(?:, [A-WYZ]\d+)*) \|/gm)].flatMap(([, row = '']) => row.split(', '));
  return [...new Set(ids)];
}

const tests = sourceFilesIn('tests').filter(({ path }) => path.endsWith('.test.ts') && !path.startsWith('tests/tidy/'));
const namedIn = (texts: readonly string[]): ReadonlySet<string> =>
  new Set(texts.flatMap((text) => text.match(/\b[A-Z]\d{1,2}\b/g) ?? []));
const inTests = namedIn(tests.map(({ text }) => text));
/** Titles only: a row in the header of a file is a promise. */
const inStories = namedIn(
  tests
    .filter(({ path }) => path.startsWith('tests/stories/'))
    .flatMap(({ text }) => [...text.matchAll(/\b(?:it|describe)(?:\.each\([\s\S]*?\))?\(\s*'([^'\n]*)'/g)])
    .map(([, title = '']) => title),
);

describe('rows of docs/features', () => {
  it('are found', () => {
    expect(rowsOf('coordinator').length).toBeGreaterThan(25);
    expect(rowsOf('barriers')).toContain('B11');
  });

  it.each(ALL)('%s: each is named in a test', (page) => {
    expect(rowsOf(page).filter((row) => !inTests.has(row))).toEqual([]);
  });

  it.each(OF_THE_CLUSTER)('%s: each is in the title of a story', (page) => {
    const missing = rowsOf(page).filter((row) => !inStories.has(row) && WITHOUT_STORY[row] === undefined);
    expect(missing, 'write one (tests/stories), or say here why there can be none').toEqual([]);
  });

  it('what is excused has no story', () => {
    expect(Object.keys(WITHOUT_STORY).filter((row) => inStories.has(row))).toEqual([]);
  });
});
