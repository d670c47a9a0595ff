/** `tidemark shrink`, and what a sweep shrinks of itself, with made-up lives: one fails if a TaskManager crashes in it. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LivePlan } from '../../../cli/life.ts';
import type { LifeJob } from '../../../cli/life-pool.ts';
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

  it('interrupted, it keeps the smallest plan so far and says that it may not be minimal; a smaller one is never replaced', async () => {
    await tidemark('run', 'standard', '--seed', '4', '--report', path('r'), '--json');
    const [capsule] = [document().replay.split(' ').at(-1)];
    const shrunk = async (lives: number, out: string): Promise<number> => {
      terminal = fakeTerminal();
      let count = 0;
      const after = (): void => {
        count += 1;
        if (count === lives) terminal.interrupt();
      };
      const parts = { livePlan: failsByCrash, pool: inlinePool(failsByCrash, { after }) };
      return await runProgram(['shrink', capsule, '--out', path(out)], terminal, parts);
    };
    const faults = (out: string): number => JSON.parse(readFileSync(path(out), 'utf8')).plan.faults.length;
    expect(await shrunk(12, 'some.json')).toBe(4);
    expect(terminal.stdout.join('\n')).toMatch(/It may not be the smallest: shrinking was interrupted/);
    expect(terminal.stdout.at(-2)).toMatch(/^Interrupted: .*some\.json keeps the smallest plan so far/);
    expect(terminal.stdout.at(-1)).toBe(`tidemark replay ${path('some.json')}`);
    const { shrunk: note, plan } = JSON.parse(readFileSync(path('some.json'), 'utf8'));
    expect(note).toMatchObject({ isMinimal: false, ended: 'interrupted', certificate: [] });
    expect(plan.faults.length).toBeLessThanOrEqual(note.faultsBefore);
    expect(await tidemark('replay', path('some.json'))).toBe(1);
    await tidemark('shrink', capsule, '--out', path('some.json'));
    expect(faults('some.json')).toBe(1);
    const smallest = readFileSync(path('some.json'), 'utf8');
    expect(await shrunk(3, 'some.json')).toBe(4);
    expect(terminal.stdout.join('\n')).toContain('some.json stays as it is: it has a smaller plan of this failure.');
    expect(readFileSync(path('some.json'), 'utf8')).toBe(smallest);
  });

  it('says what it means that the budget is spent', async () => {
    await tidemark('run', 'standard', '--seed', '4', '--report', path('r'), '--json');
    const capsule = document().replay.split(' ').at(-1);
    expect(await tidemark('shrink', capsule, '--events', '2000')).toBe(0);
    expect(terminal.stdout.join('\n')).toMatch(/may not be the smallest: shrinking ended as its budget was spent/);
  });

  it('what cannot be written is told before the first life', async () => {
    await tidemark('run', 'standard', '--seed', '4', '--report', path('r'), '--json');
    const capsule = document().replay.split(' ').at(-1);
    writeFileSync(path('README.md'), 'mine');
    for (const command of ['shrink', 'explain']) {
      terminal = fakeTerminal();
      const livePlan: LivePlan = () => {
        throw new Error('nothing is lived');
      };
      const out = path('README.md/x.json');
      expect(await runProgram([command, capsule, '--out', out], terminal, { livePlan })).toBe(2);
      expect(terminal.stderr).toEqual([
        `--out ${out}: ${path('README.md')} is a file, not a folder; expected the name of a file in a folder that is there or can be made.`,
      ]);
    }
    expect(await tidemark('run', 'quickstart', '--trace', folder)).toBe(2);
    expect(terminal.stderr.join('\n')).toBe(`--trace ${folder}: it is a folder; expected the name of a file.`);
    expect(await tidemark('run', 'quickstart', '--keep-checkpoints', path('README.md/x'))).toBe(2);
    expect(terminal.stderr.join('\n')).toContain('--keep-checkpoints');
  });

  it('what is no capsule of this version, or no capsule at all, is refused in one line', async () => {
    await tidemark('run', 'standard', '--seed', '4', '--report', path('r'), '--json');
    const text = readFileSync(document().replay.split(' ').at(-1), 'utf8');
    const refused = async (name: string, edited: string): Promise<string> => {
      writeFileSync(path(name), edited);
      expect(await tidemark('replay', path(name))).toBe(2);
      expect(terminal.stderr).toHaveLength(1);
      return terminal.stderr[0]?.replace(`${folder}/`, '') ?? '';
    };
    expect(await refused('v.json', text.replace('"version": 1', '"version": 2'))).toBe(
      'v.json:3:14 version: 2 is not allowed here; expected 1, the version of this format',
    );
    expect(await refused('k.json', text.replace('tidemark-capsule', 'capsule'))).toMatch(
      /^k\.json:2:11 kind: "capsule" is not allowed here; expected 'tidemark-capsule'/,
    );
    const none = "expected a capsule or a plan, as 'run', 'sweep' and 'bugs add' write them.";
    expect(await refused('a.md', '# A title\n\n- a: b: c\n\t`x`: *y*\n')).toBe(`a.md:1:1 ${none}`);
    expect(await refused('a.json', '[1]')).toBe(`a.json:1:1 ${none}`);
    expect(await refused('p.json', '{ "name": "x", "version": "1.0.0" }')).toBe(`p.json:1:1 ${none}`);
    expect(await refused('u.json', text.replace(/"dataset": "[^"]*"/, '"dataset": "flights-20"'))).toMatch(
      /^u\.json:\d+:\d+ plan\.topics\.0\.dataset: there is no data set 'flights-20'; expected a data set: .*did you mean "flights-20k"/,
    );
  });

  it('a plan that passes is refused', async () => {
    await tidemark('run', 'quickstart', '--seed', '1', '--report', path('r'), '--json');
    const plan = JSON.parse(readFileSync(path('r/plan.json'), 'utf8'));
    writeFileSync(path('calm.json'), JSON.stringify({ ...plan, faults: [] }));
    expect(await tidemark('shrink', path('calm.json'))).toBe(2);
    expect(terminal.stderr.join('\n')).toMatch(/calm\.json: the plan passes; expected one that fails/);
  });

  it('explain keeps the shrunk capsule, says how to live it, and does not shrink again', async () => {
    await tidemark('run', 'standard', '--seed', '4', '--report', path('r'), '--json');
    const capsule: string = document().replay.split(' ').at(-1);
    const small = capsule.replace(/json$/, 'shrunk.json');
    expect(await tidemark('explain', capsule, '--runs', '2', '--out', path('e.md'))).toBe(0);
    expect(terminal.stdout.at(-1)).toBe(`#numbers are events of this life: tidemark replay ${small} --until NUMBER`);
    expect(readFileSync(path('e.md'), 'utf8')).toBe(terminal.stdout[0]);
    expect(JSON.parse(readFileSync(small, 'utf8')).shrunk.isMinimal).toBe(true);
    expect(await tidemark('explain', capsule, '--runs', '2', '--json')).toBe(0);
    expect(document().file).toBe(small);
    expect(terminal.stderr[0]).toBe(`${small} has the smallest plan of this failure: it is explained.`);
    expect(await tidemark('explain', small, '--runs', '2', '--json')).toBe(0);
    expect(document().file).toBe(small);
  });

  it('explain, interrupted: what was shrunk so far is kept', async () => {
    await tidemark('run', 'standard', '--seed', '4', '--report', path('r'), '--json');
    const capsule: string = document().replay.split(' ').at(-1);
    terminal = fakeTerminal();
    const pool = inlinePool(failsByCrash, { after: () => terminal.interrupt() });
    expect(await runProgram(['explain', capsule], terminal, { livePlan: failsByCrash, pool })).toBe(4);
    const small = capsule.replace(/json$/, 'shrunk.json');
    expect(terminal.stderr.at(-1)).toBe(
      `Interrupted: nothing is explained; ${small} keeps the smallest plan so far, which may not be minimal.`,
    );
    expect(existsSync(small)).toBe(true);
    const late = inlinePool(failsByCrash, { after: () => terminal.interrupt() });
    terminal = fakeTerminal();
    const argv = ['explain', capsule, '--unshrunk'];
    expect(await runProgram(argv, terminal, { livePlan: failsByCrash, pool: late })).toBe(4);
    expect(terminal.stderr.at(-1)).toBe(
      `Interrupted: there is no part of an explanation; ${capsule} keeps the plan that was being explained.`,
    );
  });

  it('a sweep that is interrupted while it shrinks keeps its failures, exit code as found', async () => {
    terminal = fakeTerminal();
    const after = ({ plan }: LifeJob): void => {
      if (plan !== undefined) terminal.interrupt();
    };
    const parts = { livePlan: failsByCrash, pool: inlinePool(failsByCrash, { after }) };
    const argv = ['sweep', 'quickstart', '--seeds', '1..3', '--out', path('o'), '--json'];
    expect(await runProgram(argv, terminal, parts)).toBe(1);
    expect(document()).toMatchObject({ interrupted: true, lives: 3 });
    expect(document().failures[0].capsule).toMatch(/json$/);
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
