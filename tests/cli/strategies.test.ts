/** Every search strategy proposes and lives the same, however many workers there are: with real worker threads. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runProgram } from '../../cli/program.ts';
import { STRATEGY_NAMES } from '../../scenarios/strategies/strategy-names.ts';
import { fakeTerminal } from '../unit/cli/fake-terminal.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-strategies-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function sweep(strategy: string, workers: number): Promise<{ digest: string; plans: string[] }> {
  const terminal = fakeTerminal();
  const out = join(folder, `${strategy}-${workers}`);
  const argv = ['sweep', 'quickstart', '--seeds', '1..8', '--strategy', strategy, '--workers', String(workers)];
  expect(await runProgram([...argv, '--out', out, '--json'], terminal), terminal.stderr.join('\n')).toBe(0);
  const { digest, passed } = JSON.parse(terminal.stdout.join('\n'));
  expect(passed).toBe(8);
  const rows = readFileSync(join(out, 'lives.jsonl'), 'utf8').trimEnd().split('\n');
  return { digest, plans: rows.map((row) => JSON.parse(row).planHash) };
}

describe('strategies', () => {
  it.each(STRATEGY_NAMES)(
    '%s: the same lives in the same order with one worker and with two, no two of one plan',
    { timeout: 300_000 },
    async (strategy) => {
      const [one, two] = [await sweep(strategy, 1), await sweep(strategy, 2)];
      expect(two).toEqual(one);
      expect(new Set(one.plans).size).toBe(one.plans.length);
    },
  );
});
