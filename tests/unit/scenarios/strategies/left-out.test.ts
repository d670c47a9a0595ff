/** What strategies leave out: scenarios whose promise they take away, by what the scenario says and by what follows from it. */
import { describe, expect, it } from 'vitest';
import { parseScenario } from '../../../../scenarios/parse.ts';
import type { Scenario } from '../../../../scenarios/scenario.ts';
import { whyLeftOut } from '../../../../scenarios/strategies/left-out.ts';
import { allSwarmFeatures, swarmFeatures } from '../../../../scenarios/strategies/swarm-features.ts';
import { STRATEGY_NAMES } from '../../../../scenarios/strategies/strategy-names.ts';
import { runProgram } from '../../../../cli/program.ts';
import { shippedScenario } from '../../../support/lives.ts';
import { fakeTerminal } from '../../cli/fake-terminal.ts';

const TEXT = `
name: own
job: { use: keyed-count }
input: { dataset: flights-20k, records: 100, rate: 50/s }
`;

const parsed = (more: string): ReturnType<typeof parseScenario> =>
  parseScenario({ text: `${TEXT}${more}`, file: 'own.yaml' });

function read(more: string): Scenario {
  const result = parsed(more);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.scenario;
}

describe('a scenario', () => {
  it('is for every strategy when it says nothing', () => {
    for (const strategy of STRATEGY_NAMES) expect(whyLeftOut(read(''), strategy), strategy).toBeUndefined();
  });

  it('says what it is not for, and why', () => {
    const scenario = read('notFor: { pct: it counts milliseconds, swarm/input/burst: one record a second }');
    expect(whyLeftOut(scenario, 'pct')).toBe('it counts milliseconds');
    expect(whyLeftOut(scenario, 'swarm')).toBeUndefined();
    expect(allSwarmFeatures(scenario)).not.toContain('input/burst');
    expect(allSwarmFeatures(read(''))).toContain('input/burst');
    const seeds = Array.from({ length: 20 }, (_, index) => String(index));
    expect(seeds.some((seed) => swarmFeatures(read(''), seed).has('input/burst'))).toBe(true);
    expect(seeds.some((seed) => swarmFeatures(scenario, seed).has('input/burst'))).toBe(false);
  });

  it('whose job is never restarted is not for those that crash machines', () => {
    const scenario = read('restart: { strategy: none }');
    expect(STRATEGY_NAMES.filter((name) => whyLeftOut(scenario, name) !== undefined)).toEqual([
      'crashpoints',
      'lineage',
    ]);
  });

  it.each([
    ['notFor: { pcd: why }', 'unknown key "pcd"'],
    ['notFor: { random: why }', 'unknown key "random"'],
    ['notFor: { swarm/often: why }', 'unknown key "swarm/often"'],
    ['notFor: { pct: "" }', ''],
    ['notFor: [pct]', ''],
    ['swarm: { notFor.pct: [a, b] }', ''],
  ])('%s is refused, with its line', (more, message) => {
    const result = parsed(more);
    expect(result.ok).toBe(false);
    if (result.ok) return;
    const [problem] = result.problems;
    expect(problem?.line).toBe(5);
    expect(problem?.path).toMatch(/^(swarm\.)?notFor/);
    expect(problem?.message).toContain(message);
  });
});

describe('a sweep', () => {
  async function sweep(...argv: string[]): Promise<{ code: number; stderr: string; stdout: string }> {
    const terminal = fakeTerminal();
    const code = await runProgram(['sweep', ...argv, '--seeds', '1..1', '--workers', '1'], terminal);
    return { code, stderr: terminal.stderr.join('\n'), stdout: terminal.stdout.join('\n') };
  }

  it('names what it leaves out and lives the others', async () => {
    expect(whyLeftOut(shippedScenario('failures-in-a-row'), 'pct')).toBeDefined();
    const { code, stderr, stdout } = await sweep('failures-in-a-row', 'quickstart', '--strategy', 'pct', '--json');
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/^failures-in-a-row is not for strategy pct: .+\.$/m);
    expect(JSON.parse(stdout).passed).toBe(1);
  });

  it('of nothing else is refused', async () => {
    const { code, stderr } = await sweep('failures-in-a-row', '--strategy', 'pct');
    expect(code).toBe(2);
    expect(stderr).toContain('failures-in-a-row is not for strategy pct');
  });
});
