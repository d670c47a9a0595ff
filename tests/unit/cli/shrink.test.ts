/** `tidemark shrink`, and what a sweep shrinks of itself, with made-up lives: one fails if a TaskManager crashes in it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LivePlan } from '../../../cli/life.ts';
import { runProgram } from '../../../cli/program.ts';
import { type FakeTerminal, fakeTerminal, inlinePool, madeUpLive } from './fake-terminal.ts';

let folder = '';
let terminal: FakeTerminal = fakeTerminal();
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-shrink-'));
  terminal = fakeTerminal();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);

const failsByCrash: LivePlan = (plan, options) =>
  madeUpLive(plan.faults.some(({ kind }) => kind === 'crash') ? [plan.seed] : [])(plan, options);

async function tidemark(...argv: string[]): Promise<number> {
  terminal = fakeTerminal();
  return await runProgram(argv, terminal, { livePlan: failsByCrash, pool: inlinePool(failsByCrash) });
}
const document = () => JSON.parse(terminal.stdout.join('\n'));

describe('shrink', () => {
  it('leaves the one fault that matters in the smallest world, with its certificate, in a capsule that can be replayed', async () => {
    await tidemark('run', 'standard', '--seed', '4', '--report', path('r'), '--json');
    const capsule = document().replay.split(' ').at(-1);
    expect(await tidemark('shrink', capsule, '--out', path('small.json'), '--json')).toBe(0);
    const { plan, shrunk, signature, file } = document();
    expect(file).toBe(path('small.json'));
    expect(signature).toBe('exactly-once-output/output-lost');
    expect(plan.faults).toHaveLength(1);
    expect(plan.faults[0].kind).toBe('crash');
    expect(plan.cluster).toMatchObject({ taskManagers: 1, jobManagers: 1, slots: 1 });
    expect(plan.topics).toHaveLength(1);
    expect(shrunk.isMinimal).toBe(true);
    expect(shrunk.faultsBefore).toBeGreaterThan(1);
    expect(shrunk.certificate[0]).toMatchObject({ signature: '' });
    expect(terminal.stderr.at(-1)).toBe(`tidemark replay ${path('small.json')}`);
    expect(JSON.parse(readFileSync(path('small.json'), 'utf8')).shrunk).toEqual(shrunk);
    expect(await tidemark('replay', path('small.json'))).toBe(1);
    expect(terminal.stderr).toEqual([]);
  });

  it('the smallest plan is the same for any number of workers and any order of answers', async () => {
    await tidemark('run', 'standard', '--seed', '4', '--report', path('r'), '--json');
    const capsule = document().replay.split(' ').at(-1);
    const smallest = async (workers: string, reversed: boolean): Promise<string> => {
      const parts = { livePlan: failsByCrash, pool: inlinePool(failsByCrash, { reversed }) };
      const out = path(`small-${workers}-${reversed}.json`);
      await runProgram(['shrink', capsule, '--workers', workers, '--out', out], fakeTerminal(), parts);
      return readFileSync(out, 'utf8');
    };
    const first = await smallest('1', false);
    expect(await smallest('3', true)).toBe(first);
  });

  it('a plan that passes is refused', async () => {
    await tidemark('run', 'quickstart', '--seed', '1', '--report', path('r'), '--json');
    const plan = JSON.parse(readFileSync(path('r/plan.json'), 'utf8'));
    writeFileSync(path('calm.json'), JSON.stringify({ ...plan, faults: [] }));
    expect(await tidemark('shrink', path('calm.json'))).toBe(2);
    expect(terminal.stderr.join('\n')).toMatch(/calm\.json: the plan passes; expected one that fails/);
  });

  it('a sweep shrinks the first failure of each signature, unless told not to', async () => {
    expect(await tidemark('sweep', 'quickstart', '--seeds', '1..3', '--out', path('o'), '--json')).toBe(1);
    const [first, ...others] = document().failures;
    expect(first.shrunk).toBe(first.capsule.replace(/json$/, 'shrunk.json'));
    expect(JSON.parse(readFileSync(first.shrunk, 'utf8')).plan.faults).toHaveLength(1);
    for (const other of others) expect(other.shrunk).toBeUndefined();
    await tidemark('sweep', 'quickstart', '--seeds', '1..3', '--unshrunk', '--out', path('p'), '--json');
    for (const failure of document().failures) expect(failure.shrunk).toBeUndefined();
  });
});
