import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  buildJob,
  catalogPath,
  compile,
  decodePlan,
  encodePlan,
  formatProblem,
  parseScenario,
  planHash,
  SCENARIO_CATALOG,
  type Scenario,
} from '../../../scenarios/index.ts';
import { nodesOfFault } from '../../../sim/faults/fault-nodes.ts';
import { allNodes } from '../../../sim/node-names.ts';
import { verticesOfSinks } from '../../../sim/judges/sink-topology.ts';

const CATALOG = join(import.meta.dirname, '../../../scenarios/catalog');
const SEEDS = Array.from({ length: 8 }, (_, index) => `seed-${index}`);

function shipped(name: string): Scenario {
  const entry = SCENARIO_CATALOG.find((one) => one.name === name);
  const file = entry === undefined ? name : catalogPath(entry);
  const parsed = parseScenario({ text: readFileSync(join(CATALOG, file), 'utf8'), file });
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
  return parsed.scenario;
}

describe('catalog', () => {
  it('lists every file and only files', () => {
    const files = readdirSync(CATALOG, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
    expect(SCENARIO_CATALOG.map(catalogPath).sort()).toEqual(files.sort());
  });
});

describe.each(SCENARIO_CATALOG.map((entry) => entry.name))('scenario %s', (name) => {
  const scenario = shipped(name);

  it('is named like its file and builds its job', () => {
    expect(scenario.name).toBe(name);
    const { graph } = buildJob(compile(scenario, 'seed'));
    const last = graph.vertices.at(-1);
    const isOfSink = last !== undefined && verticesOfSinks(graph).has(last.index);
    expect(isOfSink || last?.operators.at(-1)?.kind === 'sink', 'the job ends with a sink').toBe(true);
  });

  it('compiles for many seeds to plans that come back from their files', () => {
    const hashes = new Set<string>();
    for (const seed of SEEDS) {
      const plan = compile(scenario, seed);
      expect(compile(scenario, seed)).toEqual(plan);
      expect(decodePlan(encodePlan(plan), 'plan.json')).toEqual({ ok: true, plan });
      expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
      expect(planHash(plan)).toMatch(/^[0-9a-f]{16}$/);
      hashes.add(planHash(plan));
    }
    expect(hashes.size).toBe(SEEDS.length);
  });

  it('strikes existing nodes, within the storm, with numbered faults', () => {
    for (const seed of SEEDS) {
      const { faults, liveness, cluster } = compile(scenario, seed);
      const nodes = new Set<string>(allNodes(cluster));
      expect(faults.map((fault) => fault.id)).toEqual(faults.map((_, index) => `f${index + 1}`));
      for (const fault of faults) {
        const struck = nodesOfFault(fault);
        expect(struck.length).toBeGreaterThan(0);
        expect(struck.filter((node) => !nodes.has(node))).toEqual([]);
        if (!('atUs' in fault.trigger)) continue;
        expect(Number.isInteger(fault.trigger.atUs)).toBe(true);
        expect(fault.trigger.atUs).toBeLessThan(liveness.stormUs);
      }
    }
  });
});

describe('standard', () => {
  const scenario = shipped('standard');

  it('has the shape that figures are measured with', () => {
    expect(scenario.cluster).toMatchObject({ taskManagers: 3, slots: 2, jobManagers: 2 });
    expect(scenario.job).toMatchObject({ use: 'keyed-count', parallelism: 4, guarantee: 'exactly-once' });
    expect(scenario.topics.map((topic) => topic.records)).toEqual([2_500, 2_500]);
    expect(scenario.engine.checkpoint.intervalUs).toBe(6_000_000);
  });

  it('plans faults of every kind, about five in a life', () => {
    const kinds = new Set<string>();
    let planned = 0;
    const lives = 400;
    for (let index = 0; index < lives; index += 1) {
      for (const fault of compile(scenario, `s${index}`).faults) {
        planned += 1;
        kinds.add(fault.kind);
      }
    }
    expect([...kinds].sort()).toEqual([
      'crash',
      'delay',
      'duplicate',
      'loss',
      'partition',
      'pause',
      'reorder',
      'service',
      'slow-link',
    ]);
    expect(planned / lives).toBeGreaterThan(4);
    expect(planned / lives).toBeLessThan(6.5);
  });
});
