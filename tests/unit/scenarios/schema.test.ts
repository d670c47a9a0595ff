import { describe, expect, it } from 'vitest';
import { compile, parseScenario, scenarioJsonSchema } from '../../../scenarios/index.ts';
import { FAULT_KINDS } from '../../../scenarios/schema/fault-schema.ts';
import { nodesOfFault } from '../../../sim/faults/fault-nodes.ts';

type Schema = { readonly [key: string]: unknown };
const at = (schema: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((value, step) => (value as Schema | undefined)?.[step], schema);

const SMALL = `name: x
input: { dataset: 'generated:10x50', records: 100 }
cluster: { taskManagers: 2, slots: 2 }
`;
const problemsOf = (text: string): string[] => {
  const parsed = parseScenario({ text: `${SMALL}${text}`, file: 'a.yaml' });
  return parsed.ok ? [] : parsed.problems.map(({ path, expected }) => `${path}: ${expected}`);
};

describe('checks of parallelism', () => {
  it('F7: a rescale needs slots, and no more subtasks than the job has key groups', () => {
    const job = 'job: { use: keyed-count, parallelism: 2 }\n';
    expect(problemsOf(`${job}faults: [{ rescale: 4, at: 1s }]`)).toEqual([]);
    expect(problemsOf(`${job}faults: [{ rescale: 5, at: 1s }]`)).toEqual(['faults.0.rescale: at most 4']);
    expect(problemsOf('job: { use: keyed-count, parallelism: 5 }')).toEqual(['job.parallelism: at most 4']);
    const restored = (parallelism: number): string[] =>
      problemsOf(`${job}faults: [{ operation: cancel, at: 1s, thenResume: { parallelism: ${parallelism} } }]`);
    expect(restored(4)).toEqual([]);
    expect(restored(5)).toEqual(['faults.0.thenResume.parallelism: at most 4']);
  });

  it('F6: a job that adapts needs slots for its lower bound only, and an upper bound that is no lower', () => {
    const adapts = (bounds: string): string[] =>
      problemsOf(`job: { use: keyed-count, parallelism: 8 }\nscheduler: { mode: adaptive, ${bounds} }`);
    expect(adapts('minParallelism: 4')).toEqual([]);
    expect(adapts('minParallelism: 5')).toEqual(['scheduler.minParallelism: at most 4']);
    expect(adapts('minParallelism: 3, maxParallelism: 2')).toEqual(['scheduler.minParallelism: at most 2']);
    expect(adapts('maxParallelism: 129')).toEqual(['scheduler.maxParallelism: at most 128']);
  });
});

describe('a loss of power', () => {
  it('of the sink needs files that sinks write, in some lives at least', () => {
    const job = 'job: { use: keyed-count, parallelism: 2 }\nfaults: [{ power-loss: sink, at: 1s }]\n';
    expect(problemsOf(job)).toEqual(['faults.0.power-loss: sink: { kind: file }']);
    expect(problemsOf(`${job}sink: { kind: file, storage: hdfs }`)).toEqual([]);
    const drawn = 'swarm: { sink: [{ kind: sink-store }, { kind: file, storage: hdfs }] }';
    expect(problemsOf(`${job}${drawn}`)).toEqual([]);
    const parsed = parseScenario({ text: `${SMALL}${job}${drawn}`, file: 'a.yaml' });
    if (!parsed.ok) throw new Error('it is a scenario');
    const plans = Array.from({ length: 20 }, (_, seed) => compile(parsed.scenario, String(seed)));
    for (const { sink, faults } of plans) expect(faults).toHaveLength(sink?.kind === 'file' ? 1 : 0);
    expect(new Set(plans.map(({ faults }) => faults.length)).size).toBe(2);
  });

  it('strikes the storage of checkpoints or that of output files, and the one knows nothing of the other', () => {
    const nodesOf = (whose: string): unknown[] => {
      const text = `${SMALL}job: { use: keyed-count, parallelism: 2 }\nsink: { kind: file, storage: hdfs }\nfaults: [{ power-loss: ${whose}, at: 1s }]\n`;
      const parsed = parseScenario({ text, file: 'a.yaml' });
      return parsed.ok ? compile(parsed.scenario, '1').faults.map(nodesOfFault) : [];
    };
    expect(nodesOf('storage')).toEqual([['object-store']]);
    expect(nodesOf('sink')).toEqual([['sink-store']]);
  });
});

describe('JSON schema of a scenario', () => {
  const schema = scenarioJsonSchema();

  it('is the one that is shipped; `vitest -u` writes it anew', async () => {
    await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot('../../../scenarios/scenario.schema.json');
  });

  it('is plain JSON in draft 7', () => {
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
    expect(schema['$schema']).toBe('http://json-schema.org/draft-07/schema#');
  });

  it('has the keys of the contract, and demands only what has no default', () => {
    expect(Object.keys(at(schema, 'properties') as Schema)).toEqual([
      '$schema',
      'name',
      'description',
      'seed',
      'job',
      'input',
      'inputs',
      'cluster',
      'highAvailability',
      'sink',
      'checkpointing',
      'storage',
      'scheduler',
      'restart',
      'runtime',
      'faults',
      'duration',
      'liveness',
      'limits',
      'expect',
      'swarm',
      'notFor',
    ]);
    expect(schema['required']).toEqual(['name', 'job']);
    expect(schema['additionalProperties']).toBe(false);
  });

  it('tells unit, default and meaning', () => {
    const interval = at(schema, 'properties', 'checkpointing', 'properties', 'interval') as Schema;
    expect(interval).toMatchObject({ type: 'string', default: '4s', examples: ['500ms', '2s', '1m'] });
    expect(interval['pattern']).toContain('ms|s|m|h');
    expect(interval['description']).toContain('trigger');
  });

  it('knows every kind of fault', () => {
    const options = at(schema, 'properties', 'faults', 'items', 'anyOf') as readonly Schema[];
    expect(options.map((option) => (option['required'] as readonly string[])[0])).toEqual([...FAULT_KINDS]);
  });

  it('describes every key of every section', () => {
    const silent: string[] = [];
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      const properties = at(value, 'properties');
      if (typeof properties === 'object' && properties !== null) {
        for (const [key, property] of Object.entries(properties)) {
          if (at(property, 'description') === undefined && at(property, 'const') === undefined)
            silent.push(`${path}.${key}`);
        }
      }
      for (const [key, child] of Object.entries(value)) visit(child, `${path}.${key}`);
    };
    visit(schema, '');
    expect(silent).toEqual([]);
  });
});
