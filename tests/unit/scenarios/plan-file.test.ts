import { describe, expect, it } from 'vitest';
import {
  canonicalJson,
  compile,
  decodePlan,
  encodePlan,
  formatProblem,
  parseScenario,
  planHash,
} from '../../../scenarios/index.ts';
import type { SimulationPlan } from '../../../sim/plan.ts';

const TEXT = `name: every-kind
job: { use: keyed-count, parallelism: 2 }
input: { dataset: 'generated:10x50', records: 100 }
faults:
  - { crash: taskmanager, at: { point: completed }, restartAfter: never }
  - { pause: jobmanager, at: 1s..2s, for: 1s }
  - { partition: halves, at: 1s, for: 1s }
  - { cut: taskmanagers, from: object-store, oneWay: true, at: 1s, for: 1s }
  - { delay: 1ms..5ms, at: 1s, for: 1s }
  - { loss: 1/3, at: 1s, for: 1s }
  - { slow-link: 10, target: taskmanager, at: 1s, for: 1s }
  - { sink: unknown-outcome, chance: 1/2, at: 1s, for: 1s }
  - { rescale: 4, at: 1s }
`;

function plan(): SimulationPlan {
  const parsed = parseScenario({ text: TEXT, file: 'a.yaml' });
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
  return compile(parsed.scenario, 'seed');
}

describe('plan file', () => {
  it('comes back equal, with every kind of fault', () => {
    expect(decodePlan(encodePlan(plan()), 'p.json')).toEqual({ ok: true, plan: plan() });
  });

  it('of before there was a scheduler to choose: has the default one', () => {
    const { scheduler, ...engine } = plan().engine;
    expect(scheduler).toEqual({ mode: 'default' });
    expect(decodePlan(JSON.stringify({ ...plan(), engine }), 'p.json')).toEqual({ ok: true, plan: plan() });
  });

  it('of a version that knew no unaligned checkpoints is read as aligned, with the defaults of the rest', () => {
    const { engine, ...rest } = plan();
    const { unaligned: _u, alignedTimeoutUs: _t, ...checkpoint } = engine.checkpoint;
    const { overdraftBuffers: _o, bufferDebloat: _d, ...runtime } = engine.runtime;
    const old = JSON.stringify({ ...rest, engine: { ...engine, checkpoint, runtime } });
    expect(decodePlan(old, 'p.json')).toEqual({ ok: true, plan: plan() });
  });

  it('is refused where it was edited wrongly, with line and column', () => {
    const broken = encodePlan(plan()).replace('"restartAfterUs": -1', '"restartAfterMs": -1');
    const decoded = decodePlan(broken, 'p.json');
    const problems = decoded.ok ? [] : decoded.problems;
    const line = broken.split('\n').findIndex((text) => text.includes('restartAfterMs')) + 1;
    expect(problems.find((problem) => problem.path === 'faults.0.restartAfterMs')).toMatchObject({
      line,
      column: 7,
      didYouMean: 'restartAfterUs',
    });
    expect(problems.some((problem) => problem.path === 'faults.0.restartAfterUs')).toBe(true);
  });

  it('a point that there is none of is said to be one, not a trigger of another kind', () => {
    const at = { point: 'snapshot.takn', occurrence: 1 };
    const edited = { ...plan(), faults: [{ ...plan().faults[0], trigger: at }] };
    const problems = (value: object): string[] => {
      const decoded = decodePlan(JSON.stringify(value), 'p.json');
      return decoded.ok ? [] : decoded.problems.map(formatProblem);
    };
    expect(problems(edited)).toEqual([
      expect.stringMatching(
        /faults\.0\.trigger\.point: there is no point "snapshot\.takn"; expected one of: triggered, .*; did you mean "snapshot\.taken"\?$/,
      ),
    ]);
    const later = { ...edited, faults: [{ ...plan().faults[0], trigger: { atMs: 5 } }] };
    expect(problems(later).join('\n')).toMatch(/trigger\.atMs: unknown key "atMs"; expected one of: atUs/);
    const strange = { ...plan(), variant: 'offset-inclusif' };
    expect(problems(strange)).toEqual([
      expect.stringMatching(
        /variant: There is no engine variant 'offset-inclusif'; .*did you mean "offset-inclusive"\?$/,
      ),
    ]);
    expect(problems(strange)[0]?.length).toBeLessThan(250);
    expect(problems({ ...plan(), faults: { a: 1 } }).join('\n')).toMatch(/faults: .*expected a list$/);
  });

  it('is refused where its job cannot be built', () => {
    const edited = encodePlan(plan()).replace('"parallelism": 2', '"parallelism": 40000');
    const decoded = decodePlan(edited, 'a.plan.json');
    expect(decoded.ok ? [] : decoded.problems).toEqual([
      expect.objectContaining({ path: 'job', message: expect.stringContaining('40000') }),
    ]);
  });

  it('X26: is refused where nobody could say what is left without in-flight data', () => {
    const { engine, faults, ...rest } = plan();
    const checkpoint = { ...engine.checkpoint, unaligned: true, withoutChannelStateOf: 3 };
    const decoded = (use: string, from: string): readonly string[] => {
      const thenResume = { from, claimMode: 'claim', allowNonRestored: false };
      const cancel = { id: 'f9', kind: 'operation', trigger: { atUs: 1 }, command: { kind: 'cancel', thenResume } };
      const job = { use, parallelism: 2, parameters: {} };
      const cluster = { ...rest.cluster, clients: 1 };
      const edited = { ...rest, job, cluster, engine: { ...engine, checkpoint }, faults: [...faults, cancel] };
      const answer = decodePlan(JSON.stringify(edited), 'p.json');
      return answer.ok ? [] : answer.problems.map(({ path }) => path);
    };
    expect(decoded('keyed-count', 'what-it-left')).toEqual([]);
    expect(decoded('keyed-cascade', 'what-it-left')).toEqual(['engine.checkpoint.withoutChannelStateOf']);
    expect(decoded('keyed-count', 'newest-savepoint')).toEqual([`faults.${faults.length}.command.thenResume`]);
  });

  it('F1: is refused where approximate recovery cannot be judged', () => {
    const { engine, faults, ...rest } = plan();
    const others = faults.filter(({ kind }) => kind !== 'operation');
    const runtime = { ...engine.runtime, failoverStrategy: 'approximate' };
    const decoded = (use: string): readonly string[] => {
      const job = { use, parallelism: 2, parameters: {} };
      const answer = decodePlan(
        JSON.stringify({ ...rest, job, faults: others, engine: { ...engine, runtime } }),
        'p.json',
      );
      return answer.ok ? [] : answer.problems.map(({ path }) => path);
    };
    expect(decoded('keyed-count')).toEqual([]);
    expect(decoded('keyed-cascade')).toEqual(['engine.runtime.failoverStrategy']);
  });

  it('is refused in another version and as no JSON at all', () => {
    const other = decodePlan(encodePlan(plan()).replace('"version": 1', '"version": 2'), 'p.json');
    expect(other.ok ? '' : formatProblem(other.problems[0]!)).toBe(
      'p.json:2:14 version: 2 is not allowed here; expected 1, the version of this format',
    );
    expect(decodePlan('{', 'p.json').ok).toBe(false);
    expect(decodePlan('', 'p.json').ok).toBe(false);
  });
});

describe('plan hash', () => {
  it('does not depend on the order of keys', () => {
    const reversed = Object.fromEntries(Object.entries(plan()).reverse()) as unknown as SimulationPlan;
    expect(planHash(reversed)).toBe(planHash(plan()));
    expect(canonicalJson({ b: [1, { d: 1, c: null }], a: 'x' })).toBe('{"a":"x","b":[1,{"c":null,"d":1}]}');
  });

  it('depends on everything else', () => {
    expect(planHash({ ...plan(), seed: 'other' })).not.toBe(planHash(plan()));
    expect(planHash({ ...plan(), faults: plan().faults.slice(1) })).not.toBe(planHash(plan()));
  });
});
