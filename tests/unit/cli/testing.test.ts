/** `tidemark/testing`, as a user's own suite uses it: a job that keeps state outside of state, and one that does not. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  compileOnRows,
  expectExactlyOnce,
  type FaultedPlan,
  faultPlan,
  liveTest,
  matchers,
  readPlan,
  rowsDataset,
  scenario,
  stormScenario,
  type TestLife,
} from '../../../cli/testing/index.ts';
import { StreamExecutionEnvironment } from '../../../engine/api/stream-execution-environment.ts';
import type { ValueState } from '../../../engine/state/keyed-state.ts';
import { valueState } from '../../../engine/state/state-descriptor.ts';
import { Types } from '../../../engine/state/type-information.ts';
import type { JobDefinition } from '../../../scenarios/index.ts';
import { type Fault, faultLabel } from '../../../sim/faults/fault.ts';
import { FAULT_CLASSES } from '../../../sim/faults/fault-classes.ts';
import { strangerOf } from '../../../sim/faults/fault-nodes.ts';
import { allNodes } from '../../../sim/node-names.ts';

interface Purchase {
  readonly customer: string;
  readonly euros: number;
}
const input = Array.from({ length: 200 }, (_, index) => ({ customer: `c${index % 5}`, euros: 1 + (index % 9) }));

/** `forgetful`: what it knows lies in a field of its function. */
function points(forgetful: boolean, uid = 'points', name = forgetful ? 'forgetful-points' : 'points'): JobDefinition {
  return {
    name,
    description: name,
    parameters: [],
    build({ parallelism, topics, guarantee }) {
      const env = new StreamExecutionEnvironment({ jobId: name, name, parallelism });
      const [topic] = topics;
      if (topic === undefined) throw new Error('no topic');
      env
        .fromLog<Purchase>({ topic: topic.name, partitions: topic.partitions, uid: 'purchases' })
        .keyBy(({ customer }) => customer)
        .process({
          states: [valueState('points', Types.int)],
          create() {
            let state: ValueState<number>;
            const kept = new Map<string, number>();
            return {
              open: (runtime) => {
                state = runtime.value<number>('points');
              },
              processElement({ customer, euros }, _context, out) {
                const before = forgetful ? kept.get(customer) : state.value();
                const sum = (before ?? 0) + euros;
                kept.set(customer, sum);
                state.update(sum);
                out.collect({ customer, sum });
              },
            };
          },
        })
        .uid(uid)
        .sinkTo({ guarantee })
        .uid('sink');
      return { graph: env.jobGraph(), audit: { stateIsOrderInsensitive: true, outputValues: 'lineage' } };
    },
  };
}

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-testing-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('expectExactlyOnce', () => {
  it('a job that keeps all it knows in state passes, and faults have struck', async () => {
    const { lives, effectiveFaults, checkpointsCompleted } = await expectExactlyOnce(points(false), {
      input,
      seeds: 8,
    });
    expect(lives).toBe(8);
    expect(effectiveFaults).toBeGreaterThan(8);
    expect(checkpointsCompleted).toBeGreaterThan(20);
  });

  it('a job that does not is refused: findings, the smallest plan in words, a capsule that fails again', async () => {
    const failure = await expectExactlyOnce(points(true), { input, seeds: 20, out: folder }).then(
      () => '',
      (error: unknown) => (error instanceof Error ? error.message : ''),
    );
    expect(failure).toMatch(/^forgetful-points is not exactly-once: \S+\/\S+ with seed \d+/);
    // None is needed where records were in flight at a barrier: what it made of them is lost with the field.
    expect(failure).toMatch(/Smallest plan with the same failure: [0-3] of \d+ faults/);
    expect(failure).toMatch(/\n {2}(f\d+: (when|at) |No fault of the plan is needed)/);
    expect(failure).toMatch(
      /What happens in it:\n {2}0\.000 s The life begins\.\n.* s The life ends\.\nLive it again: expectExactlyOnce/s,
    );
    expect(failure.split('\n').filter((line) => / <- [a-z-]+\/[a-z-]+/.test(line)).length).toBeGreaterThan(0);
    const capsule = /replay: '([^']+)'/.exec(failure)?.[1] ?? '';
    const written = readFileSync(capsule, 'utf8');
    const again = expectExactlyOnce(points(true), { input, replay: capsule, out: folder });
    await expect(again).rejects.toThrow(
      /^forgetful-points is not exactly-once: \S+ in \S+\.json \(seed \d+, plan [0-9a-f]{16}\)\.\n(.*\n)+The plan as it is: \d+ faults?, parallelism \d, /,
    );
    await expect(again).rejects.not.toThrow(/Smallest|Live it again/);
    expect(readFileSync(capsule, 'utf8')).toBe(written);
    expect(readdirSync(join(folder, 'capsules'))).toHaveLength(1);

    const changed = input.map((row, index) => (index === 0 ? { ...row, euros: row.euros + 1 } : row));
    await expect(expectExactlyOnce(points(true), { input: changed, replay: capsule })).rejects.toThrow(
      /its life read other rows; expected input as they were then: the first \d+ rows are not the same/,
    );
    await expect(expectExactlyOnce(points(true), { input, time: 'euros', replay: capsule })).rejects.toThrow(
      'its life read other rows',
    );
    const other: JobDefinition = { ...points(true), build: (made) => points(true, 'counts').build(made) };
    await expect(expectExactlyOnce(other, { input, replay: capsule })).rejects.toThrow('has other operators than then');
    // More rows behind those that it reads are none of its business; neither is code that was mended.
    const mended: JobDefinition = {
      ...points(true),
      build: (made) => points(false, 'points', 'forgetful-points').build(made),
    };
    const { lives } = await expectExactlyOnce(mended, { input: [...input, ...input], replay: capsule });
    expect(lives).toBe(1);
  });

  it('a capsule is of one job and its input', async () => {
    const life = liveTest(compileOnRows(stormScenario({ job: points(false), records: input.length }), '1'), {
      jobs: [points(false)],
      loadDataset: () => rowsDataset(input),
    });
    const file = join(folder, 'plan.json');
    writeFileSync(file, JSON.stringify(life.plan));
    expect(readPlan(file)).toEqual(life.plan);
    await expect(expectExactlyOnce(points(true), { input, replay: file })).rejects.toThrow(
      "it is a life of the job 'points'; expected one of 'forgetful-points'",
    );
    await expect(expectExactlyOnce(points(false), { input: input.slice(0, 9), replay: file })).rejects.toThrow(
      'expected input as it was then, 200 rows at least; found 9',
    );
    expect((await expectExactlyOnce(points(false), { input, replay: file })).lives).toBe(1);
  });

  it('what is misspelt or makes no sense is a clear error', async () => {
    const misspelt = { input, inputs: input };
    await expect(expectExactlyOnce(points(false), misspelt)).rejects.toThrow(
      "there is no option 'inputs'; expected input, time, seeds, parameters, parallelism, bounded, scenario, replay, out. Did you mean 'input'?",
    );
    for (const [wrong, message] of [
      [{ seeds: 0 }, 'expected seeds as a whole number from 1, or a list of texts; found 0.'],
      [{ seeds: -3 }, 'found -3'],
      [{ seeds: 1.5 }, 'found 1.5'],
      [{ seeds: '5' }, 'found "5"'],
      [{ seeds: [] }, 'found []'],
      [{ seeds: [1, 2] }, 'found [1,2]'],
      [{ input: 5 }, "expected input as a list of rows, each an object like { customer: 'c1', euros: 3 }; found 5."],
      [{ input: 'rows.csv' }, 'expected input as a list of rows'],
      [{ input: [1, 2] }, 'expected input as a list of rows'],
      [{ input: [] }, 'expected input, at least one row'],
      [
        { input: [{ when: new Date(0) }] },
        'Row 0: {"when":"1970-01-01T00:00:00.000Z"}; expected what JSON can say, but .when is an instance of Date.',
      ],
      [{ parallelism: 0 }, 'expected parallelism as a whole number from 1 to 100; found 0.'],
      [{ parallelism: '2' }, 'found "2"'],
      [{ bounded: 1 }, 'expected bounded as true or false; found 1.'],
      [{ time: 3 }, 'expected time as the name of a field of the rows; found 3.'],
      [{ parameters: { size: 1 } }, "points has no parameter 'size'; expected none."],
      [
        { scenario: 'storm.yaml' },
        'expected scenario as a scenario, as parseScenario() answers it; found "storm.yaml".',
      ],
      [{ replay: 1 }, 'expected replay as the path of a capsule; found 1.'],
      [{ out: 1 }, 'expected out as the path of a folder; found 1.'],
    ] as const) {
      const options: unknown = { input, ...wrong };
      await expect(expectExactlyOnce(points(false), options as { input: typeof input })).rejects.toThrow(message);
    }
    expect(() => stormScenario({ job: points(false), records: Number.NaN })).toThrow(
      'stormScenario: expected records as a whole number from 1, how many rows the input has; found NaN.',
    );
    const noJob: unknown = { name: 'x' };
    await expect(expectExactlyOnce(noJob as JobDefinition, { input })).rejects.toThrow(
      'expected a job definition first',
    );
  });

  it('no input, or a row without its time, is a clear error', async () => {
    await expect(expectExactlyOnce(points(false), {})).rejects.toThrow('expected input, at least one row');
    await expect(expectExactlyOnce(points(false), { input, time: 'at', seeds: 1 })).rejects.toThrow(
      "Row 0: the field 'at' is missing; expected milliseconds",
    );
  });
});

describe('matchers', () => {
  const lived = (job: JobDefinition, seed: string): TestLife => {
    const plan = compileOnRows(stormScenario({ job, records: input.length }), seed);
    return liveTest(plan, { jobs: [job], loadDataset: () => rowsDataset(input) });
  };

  it('say what holds of a life, either way', () => {
    const good = lived(points(false), '1');
    expect(matchers.toBeExactlyOnce(good).pass).toBe(true);
    expect(matchers.toBeExactlyOnce(good).message()).toContain('is exactly-once');
    expect(matchers.toMakeProgress(good)).toMatchObject({ pass: true });
    const bad = ['1', '2', '3', '4', '5']
      .map((seed) => lived(points(true), seed))
      .find(({ signature }) => signature !== '');
    if (bad === undefined) throw new Error('the forgetful job was not found out');
    expect(matchers.toBeExactlyOnce(bad).pass).toBe(false);
    const message = matchers.toBeExactlyOnce(bad).message();
    expect(message).toMatch(/^forgetful-points is not exactly-once: /);
    expect(message).toMatch(
      /Smallest plan with the same failure: .*\nLive it again: liveTest\(readPlan\('out\/capsules\/\S+\.json'\), world\)$/s,
    );
    expect(() => matchers.toBeExactlyOnce(JSON.parse('{"version":1}'))).toThrow(
      'expected a life, as liveTest(plan, world)',
    );
  });

  it('a life that does not come back is not called a violation', () => {
    const good = lived(points(false), '1');
    const stuck: TestLife = {
      ...good,
      plan: { ...good.plan, liveness: { ...good.plan.liveness, withinUs: 1_000 } },
    };
    const life = liveTest(stuck.plan, stuck.world);
    expect(matchers.toMakeProgress(life).pass).toBe(false);
    expect(matchers.toMakeProgress(life).message()).toMatch(/^points does not make progress: progress\//);
  });

  it('progress: a life may be wrong and make it; what is told and shrunk is progress alone', () => {
    const forgetful = ['1', '2', '3', '4', '5'].map((seed) => lived(points(true), seed));
    const wrong = forgetful.find(({ record }) => record.verdict === 'violated');
    if (wrong === undefined) throw new Error('the forgetful job was not found out');
    expect(matchers.toMakeProgress(wrong)).toMatchObject({ pass: true });

    // Loses output, and restarts without end.
    const good = lived(points(false), '1');
    const both = liveTest({ ...good.plan, variant: 'abort-includes-precommitted' }, good.world);
    expect(both.signature).toBe('exactly-once-output/output-lost');
    expect(matchers.toMakeProgress(both).pass).toBe(false);
    const message = matchers.toMakeProgress(both).message();
    expect(message).toMatch(/^points does not make progress: progress\/no-job-running with seed 1 /);
    expect(message).toContain('\n  progress/no-job-running: ');
    expect(message).not.toContain('exactly-once');
  }, 60_000);
});

describe('arbitraries', () => {
  it('fault plans have every class of fault, where there is a place for it', () => {
    const cluster = { taskManagers: 3, slots: 2, jobManagers: 2, clients: 1, brokers: 3 };
    const liveness = { stormUs: 20_000_000 };
    const engine = (
      election: 'none' | 'zookeeper' | 'kubernetes',
      storage: 'hdfs' | 'object-store',
    ): NonNullable<FaultedPlan['engine']> => {
      const { engine: made } = compileOnRows(stormScenario({ job: points(false), records: 9 }), '1');
      const highAvailability = { ...made.highAvailability, kind: election };
      const checkpoint = { ...made.checkpoint, storage: { ...made.checkpoint.storage, kind: storage } };
      return { highAvailability, checkpoint } as NonNullable<FaultedPlan['engine']>;
    };
    const drawn = (plan: FaultedPlan): Fault[] =>
      fc.sample(faultPlan(plan, { minFaults: 8 }), { numRuns: 400, seed: 7 }).flat();
    const full = [
      ...drawn({ cluster, liveness, engine: engine('zookeeper', 'hdfs'), sink: { kind: 'file' } }),
      ...drawn({ cluster, liveness, engine: engine('kubernetes', 'object-store') }),
    ];
    const labels = new Set(full.map(faultLabel));
    expect(FAULT_CLASSES.filter((one) => !labels.has(one))).toEqual([]);
    expect(full.filter((fault) => fault.kind === 'throw' && !fault.recoverable)).toEqual([]);
    expect(strangerOf(full, allNodes(cluster))).toBeUndefined();
    expect(full.filter((fault) => 'a' in fault && (fault.a.length === 0 || fault.b.length === 0))).toEqual([]);

    const alone = { taskManagers: 1, jobManagers: 1 };
    const few = drawn({ cluster: alone, liveness, engine: engine('none', 'object-store') });
    const fewLabels = [...new Set(few.map(faultLabel))];
    expect(strangerOf(few, allNodes(alone))).toBeUndefined();
    expect(
      fewLabels.filter((one) =>
        /^(operation|crash.jobmanager|out-of-memory.jobmanager|session|watch|namenode|fence)/.test(one),
      ),
    ).toEqual([]);
    expect(fewLabels.length).toBeGreaterThan(40);
  });

  it('fault plans name nodes that there are, within the storm; scenarios compile (fault-plans I1)', () => {
    const job = points(false);
    fc.assert(
      fc.property(
        scenario({ job, records: 50 }).chain((made) => fc.tuple(fc.constant(made), faultPlan(made, { maxFaults: 4 }))),
        ([made, faults]) => {
          expect(faults.length).toBeGreaterThanOrEqual(1);
          expect(faults.length).toBeLessThanOrEqual(4);
          expect(strangerOf(faults, allNodes(made.cluster))).toBeUndefined();
          for (const { trigger } of faults)
            if ('atUs' in trigger) expect(trigger.atUs).toBeLessThan(made.liveness.stormUs);
          expect(compileOnRows(made, '1').topics[0]?.dataset).toBe('rows');
        },
      ),
      { numRuns: 50, seed: 1 },
    );
  });
});
