/** `tidemark bugs` with made-up lives: one fails if a fault of a kind the engine is `broken` by is in it. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BugBase } from '../../../cli/bugs/bug-base.ts';
import { isTold } from '../../../cli/bugs/bug-story.ts';
import type { LivePlan } from '../../../cli/life.ts';
import { runProgram } from '../../../cli/program.ts';
import { type FakeTerminal, fakeTerminal, inlinePool, madeUpLive } from './fake-terminal.ts';

const LOST = 'exactly-once-output/output-lost';
const NAME = 'exactly-once-output-output-lost';

let folder = '';
let terminal: FakeTerminal = fakeTerminal();
/** Kinds of faults that this engine does not survive. */
let broken: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-bugs-'));
  terminal = fakeTerminal();
  broken = ['crash'];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);
const read = (name: string): string => readFileSync(path(name), 'utf8');
const json = (name: string) => JSON.parse(read(name));

const live: LivePlan = (plan, options) =>
  madeUpLive(plan.faults.some(({ kind }) => broken.includes(kind)) ? [plan.seed] : [])(plan, options);

async function tidemark(...argv: string[]): Promise<number> {
  terminal = fakeTerminal();
  return await runProgram(argv, terminal, { livePlan: live, pool: inlinePool(live) });
}
const document = () => JSON.parse(terminal.stdout.join('\n'));
const said = (): string => terminal.stdout.join('\n');

async function capsule(seed: string): Promise<string> {
  await tidemark('run', 'standard', '--seed', seed, '--report', path(`r${seed}`), '--json');
  return document().replay.split(' ').at(-1);
}

describe('bugs add', () => {
  it('keeps the smallest plan, a record and the beginning of a story', async () => {
    const failing = await capsule('4');
    expect(await tidemark('bugs', 'add', failing, path('bugs'))).toBe(0);
    expect(said()).toMatch(new RegExp(`^${NAME} is new: ${LOST}, 1 fault\\. Its story waits for you in `));
    expect(json(`bugs/${NAME}.plan.json`).faults).toHaveLength(1);
    const { plan, planHash } = JSON.parse(readFileSync(failing, 'utf8'));
    expect(json(`bugs/${NAME}.bug.json`)).toEqual({
      kind: 'tidemark-bug',
      version: 1,
      signature: LOST,
      status: 'open',
      isMinimal: true,
      firstSeen: {
        scenario: 'standard',
        seed: '4',
        engineVersion: expect.any(String),
        planHash,
        faults: plan.faults.length,
        on: '2026-01-31',
      },
      runs: [],
    });
    const story = read(`bugs/${NAME}.md`);
    expect(story).toContain('Record 7 is lost');
    expect(isTold(story)).toBe(false);
    expect(await tidemark('replay', path(`bugs/${NAME}.plan.json`))).toBe(1);
  });

  it('a known signature is not there twice, but a smaller plan takes the place of a larger one', async () => {
    const [first, second] = [await capsule('4'), await capsule('5')];
    await tidemark('bugs', 'add', first, path('bugs'), '--unshrunk');
    const before = json(`bugs/${NAME}.plan.json`).faults.length;
    await tidemark('bugs', 'add', second, path('bugs'), '--json');
    expect(document()).toMatchObject({ name: NAME, kind: 'smaller', signature: LOST });
    expect(json(`bugs/${NAME}.plan.json`).faults.length).toBeLessThan(before);
    await tidemark('bugs', 'add', first, path('bugs'), '--unshrunk', '--json');
    expect(document()).toMatchObject({ name: NAME, kind: 'known' });
    expect(json(`bugs/${NAME}.plan.json`).faults).toHaveLength(1);
    expect(readdirSync(path('bugs'))).toHaveLength(3);
  });

  it('says of a plan that is not proven minimal that it is not, and so does list', async () => {
    expect(await tidemark('bugs', 'add', await capsule('4'), path('bugs'), '--events', '1')).toBe(0);
    expect(said()).toMatch(
      /Its plan is not proven minimal: .*its budget was spent.*bugs add .*plan\.json .*--events N/,
    );
    await tidemark('bugs', 'list', path('bugs'));
    expect(said()).toContain(', not minimal');
    await tidemark('bugs', 'list', path('bugs'), '--json');
    expect(document().bugs[0].isMinimal).toBe(false);
    expect(await tidemark('bugs', 'add', path(`bugs/${NAME}.plan.json`), path('bugs'))).toBe(0);
    expect(said()).not.toContain('minimal');
    await tidemark('bugs', 'list', path('bugs'));
    expect(said()).not.toContain('not minimal');
    expect(json(`bugs/${NAME}.bug.json`)).toMatchObject({ isMinimal: true, firstSeen: { seed: '4' } });
  });

  it('a plan that passes is refused', async () => {
    const failing = await capsule('4');
    broken = [];
    expect(await tidemark('bugs', 'add', failing, path('bugs'))).toBe(2);
    expect(terminal.stderr.join('\n')).toMatch(/the plan's life is passed; expected one that fails/);
    expect(existsSync(path('bugs'))).toBe(false);
  });
});

describe('bugs run', () => {
  it('says of each whether it reproduces, and keeps a history without repeats', async () => {
    await tidemark('bugs', 'add', await capsule('4'), path('bugs'));
    expect(await tidemark('bugs', 'run', path('bugs'))).toBe(1);
    expect(said()).toContain('Of 1 bug: 1 reproduces, 0 fail otherwise, 0 gone.');
    await tidemark('bugs', 'run', path('bugs'));
    expect(said()).toContain(`explain ${path(`bugs/${NAME}.plan.json`)} --unshrunk`);
    broken = [];
    expect(await tidemark('bugs', 'run', path('bugs'), '--json')).toBe(0);
    expect(document().bugs[0]).toMatchObject({ name: NAME, status: 'open', run: { outcome: 'gone', signature: '' } });
    const { runs } = json(`bugs/${NAME}.bug.json`);
    expect(runs.map(({ outcome, on }: { outcome: string; on: string }) => `${outcome} ${on}`)).toEqual([
      'reproduces 2026-01-31',
      'gone 2026-01-31',
    ]);
  });

  it('a failure with another signature is not the same bug', async () => {
    await tidemark('bugs', 'add', await capsule('4'), path('bugs'));
    writeFileSync(path(`bugs/${NAME}.bug.json`), read(`bugs/${NAME}.bug.json`).replace(LOST, 'retention/orphan-file'));
    expect(await tidemark('bugs', 'run', path('bugs'))).toBe(1);
    expect(said()).toContain(`fails with ${LOST}`);
  });

  it('plans without records are regressions: they have to pass, and nothing is written', async () => {
    await tidemark('bugs', 'add', await capsule('4'), path('bugs'));
    rmSync(path(`bugs/${NAME}.bug.json`));
    expect(await tidemark('bugs', 'run', path('bugs'))).toBe(1);
    expect(said()).toMatch(/fixed .*fails with exactly-once-output\/output-lost/);
    broken = [];
    expect(await tidemark('bugs', 'run', path('bugs'))).toBe(0);
    expect(readdirSync(path('bugs'))).toEqual([`${NAME}.md`, `${NAME}.plan.json`]);
  });

  it('what cannot be read is told with file and line, and the others are lived', async () => {
    await tidemark('bugs', 'add', await capsule('4'), path('bugs'));
    writeFileSync(path('bugs/older.plan.json'), read(`bugs/${NAME}.plan.json`).replace('"topics"', '"topic"'));
    writeFileSync(path('bugs/lonely.bug.json'), read(`bugs/${NAME}.bug.json`));
    expect(await tidemark('bugs', 'run', path('bugs'))).toBe(2);
    expect(said()).toContain('1 reproduces');
    expect(said()).toMatch(/older +│ \? +│ \? +│ cannot be read/);
    expect(terminal.stderr.join('\n')).toMatch(/older\.plan\.json:\d+:\d+ topic: unknown key/);
    expect(terminal.stderr.join('\n')).toMatch(/lonely\.bug\.json: expected its plan beside it, lonely\.plan\.json/);
  });

  it('interrupted, notes the runs of those that were lived', async () => {
    await tidemark('bugs', 'add', await capsule('4'), path('bugs'));
    const plan = json(`bugs/${NAME}.plan.json`);
    for (const name of ['a', 'b', 'z'])
      writeFileSync(path(`bugs/${name}.plan.json`), JSON.stringify({ ...plan, seed: name, faults: [] }));
    terminal = fakeTerminal();
    const pool = inlinePool(live, { after: ({ seed }) => seed === '4' && terminal.interrupt() });
    expect(await runProgram(['bugs', 'run', path('bugs')], terminal, { livePlan: live, pool })).toBe(1);
    expect(terminal.stderr.join('\n')).toMatch(/Interrupted: 3 of 4 bugs were lived, which is noted in the history/);
    expect(json(`bugs/${NAME}.bug.json`).runs).toHaveLength(1);
    terminal = fakeTerminal();
    expect(await runProgram(['bugs', 'prune', path('bugs')], terminal, { livePlan: live, pool })).toBe(4);
    expect(terminal.stderr.at(-1)).toBe('Interrupted: nothing is pruned, and no file was changed.');
    expect(readdirSync(path('bugs'))).toHaveLength(6);
  });

  it('a folder of other files is no bug base; an empty one is one without bugs', async () => {
    mkdirSync(path('docs'));
    expect(await tidemark('bugs', 'list', path('docs'))).toBe(0);
    expect(said()).toMatch(/docs: no bugs/);
    writeFileSync(path('docs/cli.md'), '');
    for (const command of ['list', 'run', 'prune']) {
      expect(await tidemark('bugs', command, path('docs'))).toBe(2);
      expect(terminal.stderr.join('\n')).toMatch(
        /docs: it holds no bug but other files, such as cli\.md; expected a bug base/,
      );
    }
  });

  it('a plan of a job that there is none of is told with file and key', async () => {
    await tidemark('bugs', 'add', await capsule('4'), path('bugs'));
    const text = read(`bugs/${NAME}.plan.json`).replace(/"use": "[^"]*"/, '"use": "keyed-cuont"');
    writeFileSync(path('bugs/other.plan.json'), text);
    expect(await tidemark('bugs', 'run', path('bugs'))).toBe(2);
    expect(terminal.stderr.join('\n')).toMatch(
      /other\.plan\.json:\d+:\d+ job\.use: there is no job 'keyed-cuont'.*did you mean "keyed-count"/,
    );
  });

  it('a folder that is not there is refused', async () => {
    expect(await tidemark('bugs', 'run', path('nowhere'))).toBe(2);
    expect(terminal.stderr.join('\n')).toMatch(/nowhere: there is no such folder; expected a bug base/);
    expect(await tidemark('bugs', 'crawl')).toBe(2);
    expect(terminal.stderr.join('\n')).toMatch(/unknown command 'crawl'/);
  });
});

describe('bugs prune', () => {
  it('says what it removes, and removes it only without --dry-run', async () => {
    await tidemark('bugs', 'add', await capsule('4'), path('bugs'));
    broken = [];
    expect(await tidemark('bugs', 'prune', path('bugs'), '--dry-run')).toBe(0);
    expect(said()).toContain(`${NAME} would be removed: it no longer reproduces.`);
    expect(readdirSync(path('bugs'))).toHaveLength(3);
    expect(json(`bugs/${NAME}.bug.json`).runs).toEqual([]);
    expect(await tidemark('bugs', 'prune', path('bugs'))).toBe(0);
    expect(said()).toContain(`${NAME} removed: it no longer reproduces.`);
    expect(readdirSync(path('bugs'))).toEqual([]);
  });

  it('a bug that is gone and whose story is told is fixed, and told when it is back', async () => {
    await tidemark('bugs', 'add', await capsule('4'), path('bugs'));
    writeFileSync(path(`bugs/${NAME}.md`), '# Points that were lost\n\nA crash, then silence.\n');
    broken = [];
    await tidemark('bugs', 'prune', path('bugs'));
    expect(said()).toMatch(/kept as fixed: it no longer reproduces; its story is told/);
    expect(json(`bugs/${NAME}.bug.json`)).toMatchObject({ status: 'fixed', runs: [{ outcome: 'gone' }] });
    broken = ['crash'];
    expect(await tidemark('bugs', 'run', path('bugs'))).toBe(1);
    expect(said()).toContain('is back');
    await tidemark('bugs', 'list', path('bugs'));
    expect(said()).toMatch(/fixed .*Points that were lost/);
  });

  it('of two equal ones the one that was there first stays', async () => {
    await tidemark('bugs', 'add', await capsule('4'), path('bugs'));
    for (const ending of ['plan.json', 'bug.json', 'md'])
      writeFileSync(path(`bugs/dup.${ending}`), read(`bugs/${NAME}.${ending}`));
    await tidemark('bugs', 'prune', path('bugs'));
    expect(said()).toContain(`dup removed: it fails like ${NAME}, whose plan is the same, and was there first.`);
    expect(said()).toContain('1 of 2 bugs removed.');
    expect(readdirSync(path('bugs'))).toHaveLength(3);
  });

  it('of two with one signature the smaller plan stays', async () => {
    await tidemark('bugs', 'add', await capsule('4'), path('bugs'));
    for (const ending of ['plan.json', 'bug.json', 'md'])
      writeFileSync(path(`bugs/copy.${ending}`), read(`bugs/${NAME}.${ending}`));
    const large = JSON.parse(readFileSync(await capsule('5'), 'utf8')).plan;
    writeFileSync(path('bugs/copy.plan.json'), JSON.stringify(large));
    await tidemark('bugs', 'prune', path('bugs'), '--json');
    expect(document().bugs).toMatchObject([
      { name: 'copy', action: 'remove' },
      { name: NAME, action: 'keep' },
    ]);
    expect(readdirSync(path('bugs')).some((name) => name.startsWith('copy'))).toBe(false);
  });
});

describe('sweep --bugs', () => {
  it('adds each signature once, and does not shrink again what is known', async () => {
    const argv = ['sweep', 'quickstart', '--seeds', '1..3', '--bugs', path('bugs'), '--json'];
    expect(await tidemark(...argv, '--out', path('o'))).toBe(1);
    const [first, ...others] = document().failures;
    expect(first).toMatchObject({ signature: LOST, bug: NAME, isNewBug: true, shrunk: expect.any(String) });
    for (const other of others) expect(other.bug).toBeUndefined();
    expect(json(`bugs/${NAME}.plan.json`).faults).toHaveLength(1);
    await tidemark(...argv, '--out', path('p'));
    const [again] = document().failures;
    expect(again).toMatchObject({ bug: NAME, isNewBug: false });
    expect(again.shrunk).toBeUndefined();
    expect(readdirSync(path('bugs'))).toHaveLength(3);
  });

  it('a base that cannot be read is told before the first life', async () => {
    await tidemark('bugs', 'add', await capsule('4'), path('bugs'));
    writeFileSync(path(`bugs/${NAME}.bug.json`), '{');
    expect(await tidemark('sweep', 'quickstart', '--seeds', '1..3', '--bugs', path('bugs'))).toBe(2);
    expect(terminal.stderr.join('\n')).toContain(`${NAME}.bug.json:`);
    expect(terminal.stdout).toEqual([]);
  });
});

describe('a bug base that is a file', () => {
  it('is told before the first life', async () => {
    writeFileSync(path('bugs'), 'my notes');
    expect(await tidemark('sweep', 'quickstart', '--seeds', '1..3', '--bugs', path('bugs'))).toBe(2);
    expect(terminal.stderr.join('\n')).toContain('--bugs ');
    expect(terminal.stderr.join('\n')).toContain('bugs: it is a file; expected the name of a folder');
    expect(terminal.stdout).toEqual([]);
  });
});

describe('scenarios/regressions', () => {
  it('is a bug base: every plan decodes, every story is told', () => {
    const bugs = new BugBase('scenarios/regressions', terminal).wholeEntries();
    expect(bugs.length).toBeGreaterThan(10);
    for (const { name, story } of bugs) expect(isTold(story), name).toBe(true);
  });
});
