/** What a scenario may ask of its high availability, and how old plans read (row F13). */
import { describe, expect, it } from 'vitest';
import { compile, decodePlan, encodePlan, parseScenario } from '../../../scenarios/index.ts';
import { faultLabel } from '../../../sim/faults/fault.ts';
import { planOf } from '../../support/lives.ts';

const scenario = (lines: string): string =>
  `name: t\njob: { use: keyed-count, parallelism: 2 }\ninput: { dataset: flights-20k, records: 10 }\n${lines}`;

function problems(lines: string): string[] {
  const parsed = parseScenario({ text: scenario(lines), file: 't.yaml' });
  return parsed.ok ? [] : parsed.problems.map(({ message }) => message);
}

function planFrom(lines: string) {
  const parsed = parseScenario({ text: scenario(lines), file: 't.yaml' });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  return compile(parsed.scenario, '1');
}

describe('highAvailability', () => {
  it('is the lease store when nothing is said', () => {
    expect(planFrom('').engine.highAvailability).toEqual({ kind: 'lease-store', tolerateSuspendedConnections: false });
  });

  it('is written short or with options', () => {
    expect(planFrom('highAvailability: kubernetes\n').engine.highAvailability.kind).toBe('kubernetes');
    const written = 'highAvailability: { type: zookeeper, tolerateSuspendedConnections: true }\n';
    expect(planFrom(written).engine.highAvailability).toEqual({
      kind: 'zookeeper',
      tolerateSuspendedConnections: true,
    });
    expect(problems('highAvailability: etcd\n')).not.toEqual([]);
  });

  it('a plan without it is older than the choice, and means the lease store', () => {
    const plan = planOf('quickstart', '1');
    const { highAvailability: _, ...engine } = plan.engine;
    const decoded = decodePlan(JSON.stringify({ ...plan, engine }), 'old.plan.json');
    expect(decoded).toEqual({ ok: true, plan });
    expect(decodePlan(encodePlan(planOf('leader-flapping', '1')), 'new.plan.json').ok).toBe(true);
  });

  it('none: one JobManager, whose process does not crash', () => {
    const none = 'highAvailability: none\n';
    expect(problems(`${none}cluster: { jobManagers: 2 }\n`)).not.toEqual([]);
    const one = `${none}cluster: { jobManagers: 1 }\n`;
    expect(problems(one)).toEqual([]);
    for (const target of ['jobmanager', 'jobmanagers', 'machine', 'all', 'jobmanager-1'])
      expect(problems(`${one}faults: [{ crash: ${target}, at: 1s }]\n`)).toEqual([
        expect.stringContaining('the job ends'),
      ]);
    expect(
      problems(`${one}faults: [{ crash: taskmanager, at: 1s }, { pause: jobmanager, at: 1s, for: 1s }]\n`),
    ).toEqual([]);
  });

  it('what one service has cannot go wrong with another', () => {
    const sessions = 'faults: [{ coordination: session-expiry, at: 1s, for: 1s }]\n';
    const watches = 'faults: [{ coordination: watch-loss, at: 1s, for: 1s }]\n';
    expect(problems(`highAvailability: zookeeper\n${sessions}`)).toEqual([]);
    expect(problems(`highAvailability: kubernetes\n${watches}`)).toEqual([]);
    expect(problems(`highAvailability: kubernetes\n${sessions}`)).toEqual([expect.stringContaining('session-expiry')]);
    expect(problems(watches)).toEqual([expect.stringContaining('watch-loss')]);
  });

  it('where seeds draw the service, what only one has strikes in the lives that drew it', () => {
    const drawn = 'swarm: { highAvailability: [zookeeper, { value: kubernetes, weight: 2 }] }\n';
    const faults =
      'faults: [{ coordination: session-expiry, at: 1s, for: 1s }, { coordination: watch-loss, at: 2s, for: 1s }]\n';
    const parsed = parseScenario({ text: scenario(drawn + faults), file: 't.yaml' });
    if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
    const lives = Array.from({ length: 20 }, (_, seed) => compile(parsed.scenario, String(seed)));
    const seen = lives.map(({ engine, faults: struck }) => [engine.highAvailability.kind, ...struck.map(faultLabel)]);
    expect(new Set(seen.map((life) => life.join(' ')))).toEqual(
      new Set(['zookeeper session-expiry/coordination-store', 'kubernetes watch-loss/coordination-store']),
    );
    expect(problems(`swarm: { highAvailability: [lease-store, kubernetes] }\n${faults}`)).toEqual([
      expect.stringContaining('session-expiry'),
    ]);
  });
});
