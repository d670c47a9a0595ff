/** A failure that a search strategy found: its capsule replays, shrinks and is explained like any other. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lifeMaker } from '../../cli/life-maker.ts';
import type { LifePool } from '../../cli/life-pool.ts';
import { runProgram } from '../../cli/program.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { fakeTerminal } from '../unit/cli/fake-terminal.ts';

/** What is called exactly-once and is not: whoever crashes behind its output shows it again. */
const SCENARIO = `
name: shown-again
job: { use: keyed-count, parallelism: 2, guarantee: at-least-once }
input: { dataset: "generated:60x0", records: 160, rate: 40/s, partitions: 2 }
cluster: { taskManagers: 2, slots: 1 }
checkpointing: { interval: 700ms, mode: at-least-once }
faults:
  - { crash: taskmanager, every: 1s..3s, restartAfter: 100ms..500ms }
duration: 5s
expect: exactly-once
`;
const SIGNATURE = 'exactly-once-output/output-duplicated';

/** Lives in this thread what worker threads would. */
const pool: LifePool = {
  run: async ({ next, onLife, ...setup }) => {
    const live = lifeMaker(setup);
    for (let jobs = await next(); jobs.length > 0; jobs = await next())
      for (const job of jobs) onLife(job, await live(job));
  },
};

/** Lives among which one fails, what only this strategy puts into a plan, and what the explanation says of it. */
const STRATEGIES: readonly (readonly [string, number, (plan: SimulationPlan) => boolean, RegExp])[] = [
  ['pct', 8, ({ priorities }) => (priorities?.changeSteps.length ?? 0) > 0, /Chains of messages have priorities/],
  ['novelty', 40, ({ branches = [] }) => branches.length > 0, /chance takes the course of seed/],
  ['crashpoints', 16, ({ faults }) => faults.some(({ trigger }) => 'point' in trigger), /when .* of checkpoint \d/],
  ['lineage', 16, ({ faults }) => faults.some(({ trigger }) => 'point' in trigger), /when .* of checkpoint \d/],
];

/** The cheapest of them; all in the longer proofs (.ci/sweeps). */
const chosen = process.env['FOUND_BY_STRATEGY'] === 'all' ? STRATEGIES : STRATEGIES.slice(-1);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-found-'));
  writeFileSync(join(folder, 'shown-again.yaml'), SCENARIO);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function tidemark(code: number, ...argv: string[]): Promise<string> {
  const terminal = fakeTerminal();
  expect(await runProgram([...argv], terminal, { pool }), terminal.stderr.join('\n')).toBe(code);
  return terminal.stdout.join('\n');
}

describe('the capsule of a failure', () => {
  it.each(chosen)(
    '%s: replays, shrinks, and both plans are explained',
    { timeout: 120_000 },
    async (name, lives, isFound, says) => {
      const out = join(folder, name);
      const sweep = ['sweep', join(folder, 'shown-again.yaml'), '--seeds', `1..${lives}`, '--strategy', name];
      await tidemark(1, ...sweep, '--unshrunk', '--out', out, '--json');
      const capsules = readdirSync(join(out, 'capsules')).sort();
      const capsule = capsules
        .map((file) => join(out, 'capsules', file))
        .find((file) => {
          const { plan, signature } = JSON.parse(readFileSync(file, 'utf8'));
          return signature === SIGNATURE && isFound(plan);
        });
      if (capsule === undefined) throw new Error(`none of ${capsules.length} failures has what ${name} does`);
      // The digest of the capsule is that of the life, or the exit code would be another one.
      expect(await tidemark(1, 'replay', capsule)).toMatch(/violated/);

      const unshrunk = await tidemark(0, 'explain', capsule, '--unshrunk', '--runs', '3');
      expect(unshrunk).toMatch(new RegExp(`^# ${SIGNATURE}`));
      expect(unshrunk).toMatch(says);

      const small = join(folder, `${name}.shrunk.json`);
      const told = await tidemark(0, 'shrink', capsule, '--out', small, '--json');
      const { plan, shrunk, signature } = JSON.parse(told);
      expect(signature).toBe(SIGNATURE);
      expect(shrunk.isMinimal).toBe(true);
      expect(plan.faults.length).toBeLessThanOrEqual(1);
      await tidemark(1, 'replay', small);
      const explained = await tidemark(0, 'explain', small, '--runs', '3');
      expect(explained).toMatch(/The first event that is wrong is #\d+/);
    },
  );
});
