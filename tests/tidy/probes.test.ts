/**
 * Probes and the code: each name of the table is used, nothing else is.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PROBES } from '../../engine/protocol/probe-table.ts';
import { probesDocument } from '../../reports/index.ts';
import { ALL_PROBES, BEYOND_SWEEPS } from '../../sim/probes.ts';
import { sourceFilesIn, withoutComments } from './source-files.ts';

const TABLES = ['engine/protocol/probe-table.ts', 'engine/protocol/probes.ts', 'sim/probes.ts'];
const sources = [...sourceFilesIn('engine'), ...sourceFilesIn('sim')].filter(({ path }) => !TABLES.includes(path));
const code = sources.map(({ text }) => withoutComments(text)).join('\n');
/** `scaling-${...}` names all that begin so. */
const prefixes = [...code.matchAll(/[pP]robe\(\w+, `([a-z-]+-)\$\{/g)].map(([, prefix = '']) => prefix);

describe('probes', () => {
  it('have names that differ', () => {
    expect(new Set(ALL_PROBES.map(({ name }) => name)).size).toBe(ALL_PROBES.length);
  });

  it('are at least sixty, over all areas', () => {
    expect(PROBES.length).toBeGreaterThanOrEqual(60);
  });

  it('are each used in the code', () => {
    const unused = ALL_PROBES.filter(
      ({ name }) => !code.includes(`'${name}'`) && !prefixes.some((prefix) => name.startsWith(prefix)),
    );
    expect(
      unused.map(({ name }) => name),
      'report it, or take it out of the table',
    ).toEqual([]);
  });

  it('are reported by probe() and sometimes() only', () => {
    const direct = sources.filter(({ text }) => /report\(\{ kind: 'probe'/.test(withoutComments(text)));
    expect(
      direct.map(({ path }) => path),
      'a name outside of the table is counted by nobody',
    ).toEqual([]);
  });

  it('that no sweep is asked for are looked for by the test that is named', () => {
    for (const [name, { reachedBy }] of Object.entries(BEYOND_SWEEPS))
      if (reachedBy !== undefined)
        expect(readFileSync(reachedBy, 'utf8'), `${reachedBy}: ${name}`).toContain(`'${name}'`);
  });

  it('docs/probes.md is current', () => {
    expect(readFileSync('docs/probes.md', 'utf8'), 'write probesDocument() to docs/probes.md').toBe(probesDocument());
  });
});
