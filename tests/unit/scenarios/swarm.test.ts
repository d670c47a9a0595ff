/** Scenarios whose seeds draw their options: what is drawn, from which streams, and what is refused when the file is read. */
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import {
  buildJob,
  compile,
  decodePlan,
  encodePlan,
  formatProblem,
  JOB_CATALOG,
  parseScenario,
  type Scenario,
  swarmChoices,
} from '../../../scenarios/index.ts';
import { swarmText, withValueAt } from '../../../scenarios/swarm.ts';

const HEAD = `name: s
job: { use: keyed-count, parallelism: 2 }
input: { dataset: flights, records: 100 }
faults:
  - { crash: taskmanager, every: 4s..9s }
  - { pause: machine, every: 4s..9s, for: 1s }
  - { loss: 1/4, every: 4s..9s, for: 1s }
`;
const SEEDS = Array.from({ length: 400 }, (_, index) => `seed-${index}`);

function read(swarm: string, head = HEAD): Scenario {
  const parsed = parseScenario({ text: `${head}swarm:\n${swarm}`, file: 's.yaml' });
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
  return parsed.scenario;
}

function refusals(swarm: string, head = HEAD): string[] {
  const parsed = parseScenario({ text: `${head}swarm:\n${swarm}`, file: 's.yaml' });
  return parsed.ok ? [] : parsed.problems.map(formatProblem);
}

/** How often each choice of a path was drawn. */
function drawn(scenario: Scenario, path: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const seed of SEEDS) {
    for (const choice of swarmChoices(scenario, seed).find((one) => one.path === path)?.chosen ?? [])
      counts.set(choice, (counts.get(choice) ?? 0) + 1);
  }
  return counts;
}

describe('a swarm: what seeds draw', () => {
  const scenario = read(`  checkpointing.interval: [2s, 6s, 12s]
  restart:
    - { strategy: fixed-delay, attempts: 100, delay: 1s }
    - { strategy: exponential-delay, initial: 100ms, max: 5s, resetAfter: 30s }
  job.parallelism: [1, 2, 3]
  cluster.slots: [1, 2]
  duration: [20s, 40s]
  liveness.within: [30s, 60s]
  input.rate: [unlimited, 50/s]
`);

  it('the plan has plain values, and is the plan of a file in which they are written', () => {
    for (const seed of SEEDS.slice(0, 40)) {
      const plan = compile(scenario, seed);
      expect(JSON.stringify(plan)).not.toContain('swarm');
      expect(decodePlan(encodePlan(plan), 'plan.json')).toEqual({ ok: true, plan });
      let written: unknown = parseYaml(HEAD);
      for (const { path, chosen } of swarmChoices(scenario, seed))
        written = withValueAt(written, path.split('.'), parseYaml(chosen[0] ?? ''));
      const parsed = parseScenario({ text: JSON.stringify(written), file: 's.json' });
      expect(parsed.ok && compile(parsed.scenario, seed)).toEqual(plan);
    }
  });

  it('every alternative comes, and what follows from one follows from the one that was drawn', () => {
    const plans = SEEDS.map((seed) => compile(scenario, seed));
    expect(new Set(plans.map(({ engine }) => engine.checkpoint.intervalUs))).toEqual(
      new Set([2_000_000, 6_000_000, 12_000_000]),
    );
    expect(new Set(plans.map(({ engine }) => engine.restart.strategy))).toEqual(
      new Set(['fixed-delay', 'exponential-delay']),
    );
    for (const { job, topics, cluster, engine, liveness, limits } of plans) {
      expect(topics[0]?.partitions).toBe(job.parallelism);
      expect(engine.runtime.slotsPerTaskManager).toBe(cluster.slots);
      expect(limits.maxVirtualUs).toBe(liveness.stormUs + liveness.withinUs + 60_000_000);
    }
  });

  it('a further dimension shifts no draw of another', () => {
    const more = read('  runtime.bufferSize: [512B, 32KiB]\n  job.parallelism: [1, 2, 3]\n  duration: [20s, 40s]\n');
    for (const seed of SEEDS.slice(0, 50)) {
      const before = new Map(swarmChoices(scenario, seed).map(({ path, chosen }) => [path, chosen]));
      for (const { path, chosen } of swarmChoices(more, seed)) {
        if (path !== 'runtime.bufferSize') expect(chosen, path).toEqual(before.get(path));
      }
    }
  });

  it('alternatives are equally likely, or as their weights say', () => {
    const even = drawn(scenario, 'checkpointing.interval');
    for (const count of even.values()) expect(Math.abs(count - 133)).toBeLessThan(40);
    const weighted = drawn(
      read('  checkpointing.interval: [{ value: 2s, weight: 3 }, 6s]\n'),
      'checkpointing.interval',
    );
    expect(weighted.get('2s')).toBeGreaterThan(260);
    expect(weighted.get('6s')).toBeGreaterThan(60);
  });

  it('a scenario without a swarm draws nothing, and one with a swarm goes to a worker and back', () => {
    const parsed = parseScenario({ text: HEAD, file: 's.yaml' });
    expect(parsed.ok && swarmChoices(parsed.scenario, '1')).toEqual([]);
    expect(compile(structuredClone(scenario), '7')).toEqual(compile(scenario, '7'));
  });

  it('a job of its own keeps its parameters, given or not', () => {
    const [keyedCount] = JOB_CATALOG;
    if (keyedCount === undefined) throw new Error('the catalog has a job');
    const own = { ...keyedCount, name: 'own' };
    const text = `${HEAD.replace('keyed-count', 'own')}swarm:\n  job.parallelism: [1, 2]\n`;
    const parsed = parseScenario({ text, file: 's.yaml', jobs: [own] });
    if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
    const plan = compile(parsed.scenario, '1');
    for (const { name, default: value } of own.parameters) expect(plan.job.parameters[name]).toBe(value);
    expect(buildJob(plan, [own]).graph.vertices.length).toBeGreaterThan(0);
  });

  it('data files of alternatives are located like those of the file', () => {
    const text = `${HEAD}swarm:\n  input.file: [a.csv, b.csv]\n`.replace('dataset: flights', 'file: a.csv');
    const parsed = parseScenario({ text, file: 's.yaml', locateFile: (path) => `folder/${path}` });
    if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
    const names = new Set(SEEDS.map((seed) => compile(parsed.scenario, seed).topics[0]?.dataset));
    expect([...names].every((name) => name?.includes('folder/') === true && !name.includes('folder/folder'))).toBe(
      true,
    );
    expect(names.size).toBe(2);
  });
});

describe('a swarm: which faults there are', () => {
  const scenario = read('  faults: subset\n');

  it('each rule is in about half of the plans, independent of the others', () => {
    const counts = drawn(scenario, 'faults');
    expect([...counts.keys()].sort()).toEqual(['1:crash/taskmanager', '2:pause/machine', '3:loss']);
    for (const count of counts.values()) expect(Math.abs(count - 200)).toBeLessThan(50);
    const sizes = new Set(SEEDS.map((seed) => swarmChoices(scenario, seed)[0]?.chosen.length));
    expect(sizes).toEqual(new Set([0, 1, 2, 3]));
  });

  it('a plan has the faults of the rules that were drawn, as they would be without a swarm', () => {
    const whole = parseScenario({ text: HEAD, file: 's.yaml' });
    if (!whole.ok) throw new Error('the head is a scenario');
    for (const seed of SEEDS.slice(0, 50)) {
      const rules = new Set(
        (swarmChoices(scenario, seed)[0]?.chosen ?? []).map((rule) => rule.replace(/^\d+:/, '').split('/')[0]),
      );
      const expected = compile(whole.scenario, seed).faults.filter(({ kind }) => rules.has(kind));
      const found = compile(scenario, seed).faults;
      expect(found.map(({ id: _, ...fault }) => fault)).toEqual(expected.map(({ id: _, ...fault }) => fault));
    }
  });

  it('a further rule shifts no other rule in or out', () => {
    const more = read(
      '  faults: subset\n',
      HEAD.replace('faults:\n', 'faults:\n  - { crash: jobmanager, every: 9s }\n'),
    );
    for (const seed of SEEDS.slice(0, 50)) {
      const kinds = (of: Scenario): string[] =>
        (swarmChoices(of, seed)[0]?.chosen ?? []).map((rule) => rule.replace(/^\d+:/, ''));
      expect(kinds(more).filter((kind) => kind !== 'crash/jobmanager')).toEqual(kinds(scenario));
    }
  });

  it('is told on one line', () => {
    const text = swarmText(swarmChoices(read('  checkpointing.interval: [2s]\n  faults: subset\n'), 'seed-3'));
    expect(text).toMatch(/^checkpointing\.interval=2s;faults=(?:\d:[a-z/]+ ?)*$/);
  });
});

describe('a swarm: what is refused', () => {
  it.each([
    [
      '  checkpointing.interval: [2s, 6]\n',
      9,
      /checkpointing\.interval\.1: 6 is not allowed here; expected a duration/,
    ],
    ['  checkpointing.intervall: [2s]\n', 9, /unknown key "intervall".*did you mean "interval"/],
    ['  nowhere: [1]\n', 9, /unknown key "nowhere"/],
    ['  input.5.rate: [50/s]\n', 9, /leads nowhere|unknown key/],
    ['  input.rate.x: [50/s]\n', 9, /input\.rate\.x/],
    ['  expect: [at-least-once]\n', 9, /"expect" is the same for all lives/],
    ['  faults.0.crash: [machine]\n', 9, /fault rules are drawn as a whole; expected `faults: subset`/],
    ['  restart: subset\n', 9, /only faults can be a subset/],
    ['  job.use: [keyed-count]\n', 9, /a job comes with its parameters/],
    ['  checkpointing.interval: []\n', 9, /expected an alternative/],
    ['  checkpointing.interval: 2s\n', 9, /expected a list of alternatives/],
    ['  checkpointing.interval:\n    - { value: 2s, weight: 0 }\n', 10, /0 is no weight/],
    ['  checkpointing.interval:\n    - 2s\n    - { value: 6, weight: 2 }\n', 11, /1\.value: 6 is not allowed here/],
    ['  restart: [{ strategy: none }]\n  restart.strategy: [none]\n', 10, /drawn with "restart" already/],
    [
      '  input.key: [origin, destination]\n',
      9,
      /another key; expected the key as alternatives of `job\.parameters\.key`/,
    ],
    ['  input.dataset: [flights, flihgts]\n', 9, /there is no data set "flihgts"/],
  ])('%j: with its line', (swarm, line, message) => {
    const found = refusals(swarm);
    expect(found.length).toBeGreaterThan(0);
    expect(found.join('\n')).toMatch(message);
    expect(found[0]).toMatch(new RegExp(`^s\\.yaml:${line}:`));
  });

  it('what is wrong with a path is said once, not for each alternative', () => {
    expect(refusals('  checkpointing.intervall: [2s, 4s, 6s]\n')).toHaveLength(1);
  });

  it('alternatives that fit alone and not together: the combination is named', () => {
    const found = refusals('  job.parallelism: [2, 6]\n  cluster.taskManagers: [3, 2]\n');
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(
      /^s\.yaml:9:\d+ swarm\.job\.parallelism\.1: drawn together, job\.parallelism=6, cluster\.taskManagers=2: .*6 subtasks need/,
    );
    expect(refusals('  job.parallelism: [2, 6]\n  cluster.taskManagers: [3, 4]\n')).toEqual([]);
  });

  it('a condition within a section is checked for what is drawn together', () => {
    const found = refusals('  runtime.heartbeatInterval: [1s, 6s]\n  runtime.heartbeatTimeout: [7s, 5s]\n');
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/heartbeatInterval=6s, runtime\.heartbeatTimeout=5s.*longer than heartbeatInterval/);
  });

  it('a fault that names a machine which not all clusters have', () => {
    const head = HEAD.replace('crash: taskmanager,', 'crash: taskmanager-3,');
    expect(refusals('  cluster.taskManagers: [3, 2]\n', head).join('\n')).toMatch(/there is no node "taskmanager-3"/);
  });

  it('more combinations than can be tried: every pair of alternatives is', () => {
    const many = [
      'checkpointing.interval',
      'checkpointing.timeout',
      'runtime.bufferTimeout',
      'runtime.fetchWait',
      'duration',
    ]
      .map((path) => `  ${path}: [20s, 21s, 22s, 23s, 24s]\n`)
      .join('');
    expect(refusals(many)).toEqual([]);
    expect(refusals(`${many}  job.parallelism: [2, 6]\n  cluster.taskManagers: [3, 2]\n`)).toHaveLength(1);
    const three = '  job.parallelism: [2, 6]\n  cluster.taskManagers: [3, 2]\n  cluster.slots: [4, 2]\n';
    expect(refusals(`${many}${three}`)).toHaveLength(1);
  });
});
