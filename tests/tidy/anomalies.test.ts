/**
 * An anomaly that was never seen to fire proves nothing: each that a judge names is shown by a wrong history in that judge's unit tests, or by a
 * mutant of the engine (docs/mutants.md).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, sourceFilesIn } from './source-files.ts';

interface Anomaly {
  readonly judge: string;
  readonly name: string;
}

/** `name: what it is.`, in the prose of a judge. */
const NAMED = /(?:^|[.(] |\. )([a-z]+(?:-[a-z]+)+)(?: \([a-z ]+\))?: /g;

/** A part of a judge is named by the judge that takes over its anomalies. */
function judgeOf(text: string): string | undefined {
  const part = /export class (\w+) \{\n {2}static readonly anomalies =/.exec(text)?.[1];
  const judge = part === undefined ? text : judges.find((one) => one.text.includes(`${part}.anomalies`))?.text;
  return /^const NAME = '([a-z-]+)';$/m.exec(judge ?? '')?.[1];
}

function anomaliesOf(text: string): Anomaly[] {
  const judge = judgeOf(text);
  const prose = /readonly anomalies =\n?([\s\S]*?);\n/.exec(text)?.[1];
  if (judge === undefined || prose === undefined) return [];
  const sentence = [...prose.matchAll(/'((?:\\'|[^'])*)'|"([^"]*)"/g)].map(([, a, b]) => a ?? b ?? '').join('');
  return [...sentence.matchAll(NAMED)].map(([, name = '']) => ({ judge, name }));
}

const judges = sourceFilesIn('sim/judges').filter(({ text }) => text.includes('readonly anomalies ='));
const anomalies = judges.flatMap(({ text }) => anomaliesOf(text));
const tests = sourceFilesIn('tests/unit/sim/judges')
  .map(({ text }) => text)
  .join('\n');
const mutants = readFileSync(join(ROOT, 'docs/mutants.md'), 'utf8');
/** The section that lists what no mutant shows, and the tables of what they do. */
const unshown = /^## What no mutant shows yet$([\s\S]*?)^## /m.exec(mutants)?.[1] ?? '';
const found = mutants
  .replace(unshown, '')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .join('\n');
const fullNames = anomalies.map(({ judge, name }) => `${judge}/${name}`);
const isShown = (full: string): boolean => new RegExp(`(?<![a-z-])${full}(?![a-z-])`).test(found);

describe('anomalies', () => {
  it('are read from every judge', () => {
    const without = judges.filter(({ text }) => anomaliesOf(text).length === 0).map(({ path }) => path);
    expect(without, 'name them in `anomalies`, each followed by a colon').toEqual([]);
    expect(anomalies.length).toBeGreaterThan(60);
  });

  it('were each seen to fire', () => {
    const unseen = anomalies.filter(
      ({ judge, name }) => !new RegExp(`['"\`]${name}['"\`]`).test(tests) && !isShown(`${judge}/${name}`),
    );
    expect(
      unseen.map(({ judge, name }) => `${judge}/${name}`),
      'show it: a wrong history in tests/unit/sim/judges, or a mutant',
    ).toEqual([]);
  });

  it('that no mutant shows are listed with the reason, and no others', () => {
    const listed = [...unshown.matchAll(/`([a-z-]+\/[a-z-]+)`/g)].map(([, full = '']) => full);
    expect(listed.toSorted(), 'docs/mutants.md, What no mutant shows yet').toEqual(
      fullNames.filter((full) => !isShown(full)).toSorted(),
    );
  });
});
