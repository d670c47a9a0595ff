/**
 * Properties of the way from scenario to plan: determinism, independence of rules, round trips, and that no text breaks the reader.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, compile, decodePlan, encodePlan, parseScenario, type Scenario } from '../../scenarios/index.ts';
import { NEMESIS_NAMES } from '../../scenarios/nemeses/nemesis-name.ts';
import type { Fault } from '../../sim/faults/fault.ts';

const HEAD = `name: p
job: { use: keyed-count, parallelism: 2 }
input: { dataset: flights, records: 100 }
duration: 40s
`;

const when = fc.constantFrom(
  'at: 3s',
  'at: 1s..9s',
  'at: { checkpoint: 2, point: completed }',
  'every: 4s..9s',
  'every: 7s, after: 10s',
  'every: 5s..20s, inPlan: 1/2',
);
const lasting = fc.constantFrom('for: 1s', 'for: 500ms..3s');
const target = fc.constantFrom(
  'taskmanager',
  'jobmanager',
  'machine',
  'taskmanagers',
  'jobmanagers',
  'all',
  'taskmanager-2',
);
const kind = fc.oneof(
  target.map((who) => `pause: ${who}`),
  fc
    .tuple(fc.constantFrom('isolate-one', 'halves', 'one-way', 'pair'), target)
    .map(([shape, who]) => `partition: ${shape}, target: ${who}`),
  target.map((who) => `cut: ${who}, from: object-store`),
  target.map((who) => `hold: ${who}, from: object-store`),
  target.map((who) => `slow-cpu: ${who}`),
  target.map((who) => `disk-damage: ${who}, chance: 1/2`),
  target.map((who) => `clock-drift: ${who}, by: 100ppm`),
  target.map((who) => `clock-step: ${who}, by: 1s..9s`),
  target.map((who) => `delay: 1ms..90ms, target: ${who}`),
  fc.tuple(fc.constantFrom('loss', 'duplicate', 'reorder'), target).map(([what, who]) => `${what}: 1/4, peer: ${who}`),
  fc.constantFrom('storage', 'coordination', 'log', 'sink').map((name) => `${name}: fail, chance: 1/3`),
);
const entry = fc.oneof(
  fc.tuple(kind, when, lasting).map((parts) => parts.join(', ')),
  fc.tuple(target, when).map(([who, time]) => `crash: ${who}, ${time}, restartAfter: 1s..2s`),
  fc.tuple(target, when).map(([who, time]) => `out-of-memory: ${who}, ${time}, headroom: 1KiB..9KiB`),
  fc.tuple(target, when).map(([who, time]) => `reset: ${who}, ${time}`),
  // Those whose parts name no other part by its number, which depends on the rules before.
  fc
    .tuple(fc.constantFrom(...NEMESIS_NAMES.filter((name) => name !== 'kill-during-recovery')), when)
    .map(([name, time]) => `nemesis: ${name}, ${time}`),
);
const entries = fc.uniqueArray(entry, { minLength: 1, maxLength: 8 });
const seed = fc.string({ minLength: 1, maxLength: 12 });

function scenarioOf(faults: readonly string[]): Scenario {
  const text = `${HEAD}faults:\n${faults.map((fault) => `  - { ${fault} }\n`).join('')}`;
  const parsed = parseScenario({ text: faults.length === 0 ? HEAD : text, file: 'p.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.scenario;
}
/** A fault without its number. */
const content = ({ id: _, ...fault }: Fault): string => canonicalJson(fault);

describe('compile', () => {
  it('gives one plan per scenario and seed, which comes back from its file', () => {
    fc.assert(
      fc.property(entries, seed, (faults, root) => {
        const plan = compile(scenarioOf(faults), root);
        expect(compile(scenarioOf(faults), root)).toEqual(plan);
        expect(decodePlan(encodePlan(plan), 'p.json')).toEqual({ ok: true, plan });
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it('removing a rule takes its faults away and shifts no other draw', () => {
    fc.assert(
      fc.property(entries, seed, fc.nat(), (faults, root, choice) => {
        const removed = choice % faults.length;
        const rest = faults.filter((_, index) => index !== removed);
        const alone = compile(scenarioOf(faults.slice(removed, removed + 1)), root).faults.map(content);
        const without = compile(scenarioOf(rest), root).faults.map(content);
        const all = compile(scenarioOf(faults), root).faults.map(content);
        expect([...without, ...alone].sort()).toEqual([...all].sort());
      }),
      { seed: 2, numRuns: 100 },
    );
  });

  it('a longer storm keeps the faults of a shorter one', () => {
    fc.assert(
      fc.property(entries, seed, (faults, root) => {
        const scenario = scenarioOf(faults);
        const longer = { ...scenario, liveness: { ...scenario.liveness, stormUs: 2 * scenario.liveness.stormUs } };
        const kept = new Set(compile(longer, root).faults.map(content));
        expect(compile(scenario, root).faults.filter((fault) => !kept.has(content(fault)))).toEqual([]);
      }),
      { seed: 3, numRuns: 100 },
    );
  });
});

describe('parse', () => {
  it('answers every text with a scenario or with problems inside the text', () => {
    const lines = HEAD.split('\n').length;
    const edits = fc.array(
      fc.tuple(
        fc.nat({ max: HEAD.length }),
        fc.constantFrom('', ' ', ':', '{', '}', '-', '\n', '*a', '&a', '1', '"', '#', '?', '!!'),
      ),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(edits, (changes) => {
        let text = HEAD;
        for (const [place, insertion] of changes) text = text.slice(0, place) + insertion + text.slice(place + 1);
        const parsed = parseScenario({ text, file: 'p.yaml' });
        if (parsed.ok) return;
        expect(parsed.problems.length).toBeGreaterThan(0);
        for (const problem of parsed.problems) {
          expect(problem.line).toBeGreaterThanOrEqual(1);
          expect(problem.line).toBeLessThanOrEqual(lines + changes.length);
          expect(problem.column).toBeGreaterThanOrEqual(1);
          expect(problem.message).not.toBe('');
        }
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});
