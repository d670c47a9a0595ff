/** `tidemark mutants` with made-up lives: what counts as found, what is written, exit codes. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cliReference } from '../../../cli/cli-reference.ts';
import type { LivePlan } from '../../../cli/life.ts';
import { runProgram } from '../../../cli/program.ts';
import { MUTANTS } from '../../../scenarios/index.ts';
import { type FakeTerminal, fakeTerminal, inlinePool, madeUpLive } from './fake-terminal.ts';

let folder = '';
let terminal: FakeTerminal = fakeTerminal();
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-mutants-'));
  terminal = fakeTerminal();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);

/** Mutants fail with these seeds; the standard engine with those. */
function lives(mutantFails: readonly string[], standardFails: readonly string[] = []): LivePlan {
  return (plan, options) => madeUpLive(plan.variant === 'standard' ? standardFails : mutantFails)(plan, options);
}
async function mutants(argv: readonly string[], livePlan: LivePlan): Promise<number> {
  terminal = fakeTerminal();
  return await runProgram(['mutants', ...argv], terminal, { livePlan });
}
const document = () => JSON.parse(terminal.stdout.join('\n'));

describe('mutants', () => {
  it('the first seed whose life fails, with lives, events and findings until then', async () => {
    expect(await mutants(['ack-ignores-attempt', '--seeds', '5', '--json'], lives(['3', '4']))).toBe(0);
    const { mutants: found, seeds } = document();
    expect(seeds).toBe(5);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      slug: 'ack-ignores-attempt',
      bug: 'Hazelcast Jet #2503',
      own: {
        scenario: 'restart-during-metadata-write',
        lives: 3,
        events: 3_000,
        find: { seed: '3', verdict: 'violated', anomalies: ['exactly-once-output/output-lost'] },
      },
    });
    expect(found[0].elsewhere.map(({ scenario }: { scenario: string }) => scenario)).toEqual(['standard', 'swarm']);
  });

  it('a seed with which the standard engine fails too proves nothing', async () => {
    expect(await mutants(['offset-inclusive', '--seeds', '4', '--json'], lives(['2', '3'], ['2']))).toBe(0);
    expect(document().mutants[0].own.find.seed).toBe('3');
  });

  it('not found: said so, exit code 1', async () => {
    expect(await mutants(['offset-inclusive', '--seeds', '2'], lives([]))).toBe(1);
    expect(terminal.stdout.join('\n')).toMatch(/not in 2.*0 of 1 found within 2 seeds, 4 lives/s);
  });

  it.each([
    [['offset-inclusiv'], /no mutant 'offset-inclusiv': did you mean 'offset-inclusive'/],
    [['--seeds', '0'], /--seeds '0': expected a whole number/],
    [['offset-inclusive', '--out', 'x.md'], /--out writes the table of all mutants/],
    [['--strategy', 'randm'], /--strategy 'randm': expected one of random, swarm/],
    [['--strategy', 'random,random'], /named twice/],
    [['--strategy', 'random', '--seeds', '4'], /exclude each other/],
    [['--events', '1000'], /--events needs --strategy/],
    [['--shrink', '--strategy', 'pct'], /--shrink and --strategy exclude each other/],
    [['--shrink', '--seeds', '4'], /--shrink and --seeds exclude each other/],
    [['--faults', 'storm'], /--faults needs --strategy/],
    [['--faults', 'strom', '--strategy', 'random'], /strom/],
    [['--in', 'storm', '--shrink'], /--in and --shrink exclude each other/],
    [['--in', 'storm', '--strategy', 'pct'], /--in and --strategy exclude each other/],
    [['--in', 'strom'], /strom/],
    [['--rows', 'x.jsonl'], /--rows needs --shrink, --strategy or --in/],
  ])('%j is refused with a sentence', async (argv, message) => {
    expect(await mutants(argv, lives(['1']))).toBe(2);
    expect(terminal.stderr.join('\n')).toMatch(message);
  });

  it('--out writes the table between its marks, leaves the rest, and the same bytes again', async () => {
    writeFileSync(
      path('m.md'),
      'before `<!-- mutants -->`\n<!-- mutants -->\nan earlier table\n<!-- /mutants -->\nafter\n',
    );
    expect(await mutants(['--seeds', '1', '--out', path('m.md')], lives(['1']))).toBe(0);
    const written = readFileSync(path('m.md'), 'utf8');
    expect(written).toMatch(/^before `<!-- mutants -->`\n<!-- mutants -->\n\n\| mutant \|/);
    expect(written).toMatch(/<!-- \/mutants -->\nafter\n$/);
    expect(written).not.toContain('an earlier table');
    for (const { slug, bug, scenario } of MUTANTS) {
      const row = written.split('\n').find((line) => line.startsWith(`| \`${slug}\` `));
      expect(row).toContain(bug);
      expect(row).toContain(`\`${scenario}\``);
    }
    expect(await mutants(['--seeds', '1', '--out', path('m.md')], lives(['1']))).toBe(0);
    expect(readFileSync(path('m.md'), 'utf8')).toBe(written);
  });

  it('--out says in the table what was not found, makes a new file, and refuses one without a place', async () => {
    expect(await mutants(['--seeds', '1', '--out', path('new.md')], lives([]))).toBe(1);
    expect(readFileSync(path('new.md'), 'utf8')).toContain('**not found in 1**');
    writeFileSync(path('other.md'), 'mine\n');
    const never: LivePlan = () => {
      throw new Error('nothing is lived before the file is looked at');
    };
    expect(await mutants(['--out', path('other.md')], never)).toBe(2);
    expect(readFileSync(path('other.md'), 'utf8')).toBe('mine\n');
  });

  it('--strategy: each strategy hunts with the same budget, and the table says what it took', async () => {
    // Each life costs 1,000 events; the second repeat has seeds of its own.
    const live = lives(['3', '2-5']);
    const argv = ['ack-ignores-attempt', '--strategy', 'random,swarm', '--events', '4000', '--repeats', '2'];
    const parts = { livePlan: live, pool: inlinePool(live) };
    terminal = fakeTerminal();
    expect(await runProgram(['mutants', ...argv, '--json'], terminal, parts)).toBe(0);
    const [{ scores, find }] = document().mutants;
    expect(scores.map(({ strategy }: { strategy: string }) => strategy)).toEqual(['random', 'swarm']);
    for (const score of scores)
      expect(score).toMatchObject({ repeats: 2, kills: 1, lives: 7, events: 7_000, eventsToKill: [3_000] });
    expect(find).toMatchObject({ strategy: 'random', signature: 'exactly-once-output/output-lost' });
    terminal = fakeTerminal();
    expect(await runProgram(['mutants', ...argv], terminal, parts)).toBe(0);
    const text = terminal.stdout.join('\n');
    expect(text).toMatch(/^┌/);
    expect(text).toContain('│ 143 ‰, 3k │');
    expect(text).toMatch(/Live one again: tidemark replay out\/capsules\/\S+\.plan\.json$/);
    expect(text).toContain('1 of 1 is killed by at least one strategy within 4k events, 2 hunts each.');
    expect(text).not.toMatch(/\d s │/);
    terminal = fakeTerminal();
    expect(await runProgram(['mutants', ...argv, '--wall'], terminal, parts)).toBe(0);
    expect(terminal.stdout.join('\n')).toMatch(/143 ‰, 3k, \d+\.\d s │/);
  });

  it.each([
    ['--in', ['--in', 'quickstart', '--seeds', '3', '--rows', 'rows']],
    ['--shrink', ['--shrink', '--rows', 'rows']],
    ['--strategy', ['--strategy', 'random', '--events', '4000', '--repeats', '1', '--rows', 'rows', '--workers', '1']],
  ])('%s, interrupted: keeps the rows of those that were measured, says so, exit code 4', async (_, argv) => {
    const parts = (after: (slug: string) => unknown) => {
      const live = lives(['2']);
      const told: LivePlan = (plan, options) => {
        after(plan.variant);
        return live(plan, options);
      };
      return { livePlan: told, pool: inlinePool(told) };
    };
    const call = ['mutants', 'offset-inclusive', 'ack-ignores-attempt', ...argv].map((word) =>
      word === 'rows' ? path('rows.jsonl') : word,
    );
    terminal = fakeTerminal();
    const stops = parts((slug) => slug === 'ack-ignores-attempt' && terminal.interrupt());
    expect(await runProgram(call, terminal, stops)).toBe(4);
    expect(terminal.stderr.at(-1)).toBe(
      `Interrupted: 1 of 2 mutants is measured; ${path('rows.jsonl')} has them, and the same call goes on.`,
    );
    expect(terminal.stdout.join('\n')).toContain('offset-inclusive');
    const rows = (): string[] => readFileSync(path('rows.jsonl'), 'utf8').trimEnd().split('\n');
    expect(rows().map((row) => JSON.parse(row).slug)).toEqual(['offset-inclusive']);
    terminal = fakeTerminal();
    expect(
      await runProgram(
        call,
        terminal,
        parts(() => {}),
      ),
    ).toBe(0);
    expect(rows().map((row) => JSON.parse(row).slug)).toEqual(['offset-inclusive', 'ack-ignores-attempt']);
  });

  it('interrupted, the plain hunt tells what it found and leaves the document as it is', async () => {
    writeFileSync(path('m.md'), 'a\n<!-- mutants -->\n<!-- /mutants -->\n');
    const live = lives(['1']);
    terminal = fakeTerminal();
    const livePlan: LivePlan = (plan, options) => {
      if (plan.variant === MUTANTS[2]?.slug) terminal.interrupt();
      return live(plan, options);
    };
    expect(await runProgram(['mutants', '--out', path('m.md')], terminal, { livePlan })).toBe(4);
    expect(terminal.stdout.join('\n')).toContain('2 of 2 found within 100 seeds');
    expect(terminal.stderr.at(-1)).toContain(`${path('m.md')} is as it was`);
    expect(readFileSync(path('m.md'), 'utf8')).toBe('a\n<!-- mutants -->\n<!-- /mutants -->\n');
  });

  it('--strategy: a plan that the standard engine does not pass either is no kill; without a kill the exit code is 1', async () => {
    const live = lives(['3'], ['3']);
    const argv = [
      'mutants',
      'offset-inclusive',
      '--strategy',
      'random',
      '--events',
      '5000',
      '--repeats',
      '1',
      '--json',
    ];
    terminal = fakeTerminal();
    expect(await runProgram(argv, terminal, { livePlan: live, pool: inlinePool(live) })).toBe(1);
    expect(document().mutants[0].scores[0]).toMatchObject({ kills: 0, lives: 5 });
  });

  it('--strategy --rows: hunts only what is not in the file, and refuses figures of another budget', async () => {
    const live = lives(['3']);
    const parts = { livePlan: live, pool: inlinePool(live) };
    const hunt = ['--strategy', 'random', '--repeats', '1', '--rows', path('board.jsonl'), '--json'];
    const board = async (slugs: readonly string[], events: string): Promise<number> => {
      terminal = fakeTerminal();
      return await runProgram(['mutants', ...slugs, ...hunt, '--events', events], terminal, parts);
    };
    expect(await board(['offset-inclusive'], '4000')).toBe(0);
    const first = document();
    expect(await board(['offset-inclusive', 'ack-ignores-attempt'], '4000')).toBe(0);
    expect(document().mutants[0]).toEqual(first.mutants[0]);
    const written = readFileSync(path('board.jsonl'), 'utf8').trimEnd().split('\n');
    expect(written.map((line) => JSON.parse(line).slug)).toEqual(['offset-inclusive', 'ack-ignores-attempt']);
    expect(await board(['offset-inclusive'], '5000')).toBe(2);
    expect(terminal.stderr.join('\n')).toMatch(/line 1: was measured with .*--events 4000.*; expected .*--events 5000/);
  });

  describe('--in', () => {
    /** Lives of a mutant are those of the standard engine but with these seeds. */
    const live =
      (others: readonly string[], fails: readonly string[]): LivePlan =>
      (plan, options) => {
        const isMutant = plan.variant !== 'standard';
        const record = madeUpLive(isMutant ? fails : [])(plan, options);
        return { ...record, digest: isMutant && others.includes(plan.seed) ? 'another' : 'the same' };
      };

    it('hunts in one scenario, and counts the lives that are others than those of the standard engine', async () => {
      const argv = ['ack-ignores-attempt', 'offset-inclusive', '--in', 'quickstart', '--seeds', '4'];
      expect(await mutants([...argv, '--json'], live(['2', '3'], ['3']))).toBe(0);
      expect(document().mutants[0]).toEqual({
        slug: 'ack-ignores-attempt',
        home: 'restart-during-metadata-write',
        hunt: expect.objectContaining({ scenario: 'quickstart', lives: 3, events: 3_000 }),
        changed: 2,
      });
      expect(await mutants(argv, live(['2', '3'], ['3']))).toBe(0);
      expect(terminal.stdout.join('\n')).toContain('finds 2 of 2 within 4 lives each, half of those within 3');
    });

    it('tells what is out of its reach from what is out of the sight of its judges; into its place of a document', async () => {
      const argv = ['--in', 'quickstart', '--seeds', '3'];
      expect(await mutants(['offset-inclusive', ...argv], live([], []))).toBe(1);
      expect(terminal.stdout.join('\n')).toMatch(/│ none of 3 +│/);
      expect(await mutants(['offset-inclusive', ...argv], live(['2', '3'], []))).toBe(1);
      expect(terminal.stdout.join('\n')).toMatch(/│ 2 of 3 +│/);
      writeFileSync(path('m.md'), 'a\n<!-- one scenario -->\n<!-- /one scenario -->\nb\n');
      expect(await mutants([...argv, '--out', path('m.md'), '--rows', path('reach.jsonl')], lives(['1']))).toBe(0);
      const table = readFileSync(path('m.md'), 'utf8');
      expect(table).toContain(`finds ${MUTANTS.length} of ${MUTANTS.length} within 3 lives each`);
      expect(table).toMatch(/<!-- \/one scenario -->\nb\n$/);
      const never: LivePlan = () => {
        throw new Error('all of them are in the file');
      };
      expect(await mutants([...argv, '--rows', path('reach.jsonl'), '--json'], never)).toBe(0);
    });
  });

  describe('--shrink', () => {
    const slugs = ['ack-ignores-attempt', 'offset-inclusive'];
    async function shrunk(argv: readonly string[], live: LivePlan): Promise<number> {
      terminal = fakeTerminal();
      return await runProgram(['mutants', ...slugs, '--shrink', ...argv], terminal, {
        livePlan: live,
        pool: inlinePool(live),
      });
    }

    it('tells lives and events to the kill, what is left of the failure, and the times, with the middle and the most', async () => {
      // A life of seed 3 fails whatever its plan holds: no fault is needed.
      expect(await shrunk(['--json'], lives(['3']))).toBe(0);
      const [first, second] = document().mutants;
      expect(first).toMatchObject({
        slug: 'ack-ignores-attempt',
        lives: 3,
        events: 3_000,
        kill: { seed: '3', signature: 'exactly-once-output/output-lost' },
        shrunk: { faults: 0, isMinimal: true },
      });
      expect(second.kill.wallMs).toBeGreaterThan(0);
      expect(await shrunk([], lives(['3']))).toBe(0);
      const text = terminal.stdout.join('\n');
      expect(text).toMatch(/│ seconds of shrinking +│ \d+\.\d +│ \d+\.\d +│/);
      expect(text).toMatch(/2 of 2 are killed, 2 of the failures are proven minimal/);
    });

    it('--rows: what is in the file is not measured again, a line that was cut off is; another file is refused', async () => {
      expect(await shrunk(['--rows', path('rows.jsonl')], lives(['3']))).toBe(0);
      const [first = ''] = readFileSync(path('rows.jsonl'), 'utf8').split('\n');
      writeFileSync(path('rows.jsonl'), `${first}\n{"slug":"offset-incl`);
      expect(await shrunk(['--rows', path('rows.jsonl'), '--json'], lives(['2']))).toBe(0);
      expect(document().mutants.map(({ lives: count }: { lives: number }) => count)).toEqual([3, 2]);
      expect(readFileSync(path('rows.jsonl'), 'utf8').trimEnd().split('\n')).toHaveLength(2);
      writeFileSync(path('rows.jsonl'), '{"seed":"1"}\n');
      expect(await shrunk(['--rows', path('rows.jsonl')], lives(['3']))).toBe(2);
      expect(terminal.stderr.join('\n')).toMatch(/rows\.jsonl, line 1: expected a row/);
    });

    it('a mutant that nothing kills is said to live, exit code 1', async () => {
      expect(await shrunk([], madeUpLive([], { events: 1_000_000 }))).toBe(1);
      expect(terminal.stdout.join('\n')).toContain('0 of 2 are killed');
    });
  });

  it('docs/cli.md knows it', () => {
    expect(cliReference()).toContain('## tidemark mutants [slug...]');
  });
});
