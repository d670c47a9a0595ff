/**
 * The judges judged: each mutant must be found by a sweep of its scenario, by a judge that may find it, where the standard engine
 * passes with the same seed. How many lives that takes is in docs/mutants.md.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { standardParts } from '../../engine/parts.ts';
import { SCENARIO_CATALOG } from '../../scenarios/index.ts';
import type { Mutant } from '../../scenarios/mutants/mutant.ts';
import { MUTANTS, partsOf, UnknownVariant } from '../../scenarios/mutants/mutant-catalog.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { standardBrokerRules } from '../../sim/services/kafka/broker-rules.ts';
import { findings, liveIt, planOf } from '../support/lives.ts';

/** Most lives a sweep may take; every mutant needs far fewer. */
const SEEDS_MAX = 40;
/** The table of all mutants: the first seed that finds each is in its fifth column. */
const ROWS = readFileSync(new URL('../../docs/mutants.md', import.meta.url), 'utf8').split('\n');
const FIRST_SEED = 5;

/** Of the first table that has it. */
const rowOf = (slug: string): string | undefined => ROWS.find((line) => line.startsWith(`| \`${slug}\` `));

interface Find {
  readonly seed: string;
  readonly record: RunRecord;
  /** Judges that were not content. */
  readonly judges: ReadonlySet<string>;
}

const finds = new Map<string, Find | undefined>();
/** Lives of the standard engine, by scenario and seed: several mutants are found by one. */
const standardLives = new Map<string, RunRecord>();

function standardLife(scenario: string, seed: string): RunRecord {
  const name = `${scenario} ${seed}`;
  const lived = standardLives.get(name) ?? liveIt(planOf(scenario, seed));
  standardLives.set(name, lived);
  return lived;
}

/** A sweep that begins with the seed that the document names: on the rows of a data set there, on rows made up here, which now and then differ. */
function find(mutant: Mutant): Find | undefined {
  if (finds.has(mutant.slug)) return finds.get(mutant.slug);
  const named = Number(rowOf(mutant.slug)?.split(' | ')[FIRST_SEED - 1]);
  const others = Array.from({ length: SEEDS_MAX }, (_, index) => index + 1).filter((seed) => seed !== named);
  let found: Find | undefined;
  for (const seed of [named, ...others]) {
    const record = liveIt({ ...planOf(mutant.scenario, String(seed)), variant: mutant.slug });
    const judges = new Set(
      record.verdicts
        .filter(({ outcome }) => outcome === 'violated' || outcome === 'not-live')
        .map(({ judge }) => judge),
    );
    if (judges.size === 0) continue;
    found = { seed: String(seed), record, judges };
    break;
  }
  finds.set(mutant.slug, found);
  return found;
}

describe('the mutants', () => {
  it('have names and scenarios of their own', () => {
    const slugs = MUTANTS.map(({ slug }) => slug);
    expect(new Set(slugs).size).toBe(slugs.length);
    const scenarios = new Set(SCENARIO_CATALOG.map(({ name }) => name));
    for (const { slug, scenario } of MUTANTS) expect(scenarios.has(scenario), `${slug}: ${scenario}`).toBe(true);
  });

  it.each(MUTANTS.map((mutant) => [mutant.slug, mutant] as const))(
    '%s: differs from the standard engine',
    (_, mutant) => {
      expect(partsOf(mutant.slug)).toBe(mutant.parts);
      const isOfBrokers = mutant.brokerRules !== undefined;
      if (isOfBrokers) expect(mutant.brokerRules).not.toEqual(standardBrokerRules);
      else expect(mutant.parts).not.toEqual(standardParts);
    },
  );

  it('a variant that there is none of: refused with the nearest name', () => {
    expect(partsOf('standard')).toBe(standardParts);
    expect(() => partsOf('offset-inclusiv')).toThrow(UnknownVariant);
    expect(() => partsOf('offset-inclusiv')).toThrow("'offset-inclusive'");
    expect(() => liveIt({ ...planOf('quickstart', '1'), variant: 'nonsense' })).toThrow(UnknownVariant);
  });

  it('are all in the document, each with its scenario', () => {
    for (const { slug, bug, scenario } of MUTANTS) {
      const row = rowOf(slug);
      expect(row, `docs/mutants.md has no row for ${slug}`).toBeDefined();
      expect(row).toContain(bug);
      expect(row).toContain(`\`${scenario}\``);
    }
  });
});

describe.each(MUTANTS.map((mutant) => [mutant.slug, mutant] as const))('mutant %s', (_, mutant) => {
  it('is found by a judge that may find it', () => {
    const found = find(mutant);
    expect(found, `${mutant.scenario}: not found by seeds 1..${SEEDS_MAX}`).toBeDefined();
    if (found === undefined) return;
    expect(['violated', 'not-live']).toContain(found.record.verdict);
    expect(mutant.judges, findings(found.record)).toContain(found.record.signature.split('/')[0]);
    for (const judge of found.judges) expect(mutant.judges, findings(found.record)).toContain(judge);
  });

  it('is what fails: the standard engine passes with the same seed', () => {
    const standard = standardLife(mutant.scenario, find(mutant)?.seed ?? '1');
    expect(standard.verdict, findings(standard)).toBe('passed');
  });
});

describe('the bench of judges', () => {
  /** The judges as a life names them; a new one is in this list by itself. */
  const judges = [...new Set(liveIt(planOf('quickstart', '1')).verdicts.map(({ judge }) => judge))];

  it.each(judges)('%s: has found a mutant, and finds it again', (judge) => {
    const mutant = MUTANTS.find((one) => find(one)?.judges.has(judge) === true);
    expect(mutant).toBeDefined();
    if (mutant === undefined) return;
    const again = liveIt({ ...planOf(mutant.scenario, find(mutant)?.seed ?? ''), variant: mutant.slug });
    expect(again.digest).toBe(find(mutant)?.record.digest);
  });
});
