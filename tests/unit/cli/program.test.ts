import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LifeJob } from '../../../cli/life-pool.ts';
import { runProgram } from '../../../cli/program.ts';
import { type FakeTerminal, fakeTerminal, inlinePool, madeUpLive } from './fake-terminal.ts';

let folder = '';
let terminal: FakeTerminal = fakeTerminal();
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-cli-'));
  terminal = fakeTerminal();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = (name: string): string => join(folder, name);
const said = (): string => terminal.stderr.join('\n');
const document = (): Record<string, never> => JSON.parse(terminal.stdout.join('\n'));
const csv = (name: string): Record<string, string>[] => parse(readFileSync(path(name), 'utf8'), { columns: true });

interface Call {
  readonly failing?: readonly string[];
  readonly reversed?: boolean;
  readonly lived?: LifeJob[];
  readonly after?: (job: LifeJob) => void;
}
async function tidemark(argv: readonly string[], { failing = [], ...pool }: Call = {}): Promise<number> {
  terminal = fakeTerminal();
  const livePlan = madeUpLive(failing);
  return await runProgram(argv, terminal, { livePlan, pool: inlinePool(livePlan, pool) });
}

describe('usage', () => {
  it.each([
    [['run', 'quickstart', '--sed', '1'], /unknown option '--sed'/],
    [['rum'], /unknown command 'rum'/],
    [['run'], /missing required argument 'scenario'/],
    [['run', 'quickstart', 'standard'], /too many arguments/],
    [['run', 'nowhere.yaml'], /nowhere\.yaml: there is no such file/],
    [['run', 'quickstar'], /no scenario 'quickstar'.*Did you mean 'quickstart'/s],
    [['run', 'quickstart', '--seed', ''], /not empty/],
    [['sweep', 'quickstart', '--seeds', '5..1'], /the range is empty/],
    [['sweep', 'quickstart', '--seeds', '1..2', '--for', '1s'], /--seeds and --for exclude each other/],
    [['sweep', 'quickstart', '--resume'], /--resume needs --out/],
    [['sweep', 'quickstart', '--seeds', '1..2', '--shard', '3/3'], /no seed of 1\.\.2 belongs to it/],
    [['crashpoints', 'quickstart', '--shard', '1/2'], /--shard is of second crashes: expected --double beside it/],
    [['sweep', 'quickstart', '--workers', '0'], /--workers '0': expected a whole number/],
    [['replay', 'nowhere.json'], /Cannot read nowhere\.json/],
    [['report', '.'], /has no lives\.jsonl/],
    [
      ['crashpoints', 'quickstart', '--variant', 'nosuch'],
      /^--variant nosuch: there is no such engine variant; expected/,
    ],
    [['run', 'quickstart', '--variant', 'ofset-inclusive'], /Did you mean 'offset-inclusive'\?$/],
    [['run', 'quickstart', '--variant', 'No'], /^--variant No: that is no name of an engine/],
    [['bench', 'speed'], /no suite 'speed': expected overhead or kernel/],
  ])('%j is refused with a sentence and exit code 2', async (argv, message) => {
    expect(await tidemark(argv)).toBe(2);
    expect(said()).toMatch(message);
    expect(said()).not.toMatch(/^\s+at /m);
    expect(terminal.stdout).toEqual([]);
  });

  it('help and version are no errors', async () => {
    expect(await tidemark(['--help'])).toBe(0);
    expect(terminal.stdout.join('\n')).toContain('sweep');
    expect(await tidemark(['sweep', '--help'])).toBe(0);
    expect(terminal.stdout.join('\n')).toMatch(/--seeds <A\.\.B>.*Example:/s);
    expect(await tidemark(['--version'])).toBe(0);
    expect(terminal.stdout).toEqual([expect.stringMatching(/^\d+\.\d+\.\d+/)]);
  });

  it('a malformed scenario names file, line, column and what was expected', async () => {
    writeFileSync(
      path('bad.yaml'),
      'name: x\njob: { use: keyed-count, parallelism: 2 }\ninput: { dataset: flights, records: 10, rate: 5 }\n',
    );
    expect(await tidemark(['run', path('bad.yaml')])).toBe(2);
    expect(said()).toMatch(/bad\.yaml:3:\d+ .*expected/);
  });

  it('one malformed scenario of several refuses the sweep before it starts and leaves results alone', async () => {
    writeFileSync(path('bad.yaml'), 'name: 7: 8\n');
    expect(await tidemark(['sweep', 'quickstart', '--seeds', '1..3', '--out', path('o')])).toBe(0);
    const before = readFileSync(path('o/lives.jsonl'), 'utf8');
    const lived: LifeJob[] = [];
    expect(
      await tidemark(['sweep', 'quickstart', path('bad.yaml'), '--seeds', '1..3', '--out', path('o')], { lived }),
    ).toBe(2);
    expect(lived).toEqual([]);
    expect(readFileSync(path('o/lives.jsonl'), 'utf8')).toBe(before);
  });
});

describe('run', () => {
  it('says what was resolved first, and the replay command last when it fails', async () => {
    expect(
      await tidemark(['run', 'quickstart', '--seed', 'abc 1', '--report', path('r')], { failing: ['abc 1'] }),
    ).toBe(1);
    expect(terminal.stdout[0]).toMatch(/^scenario quickstart /);
    expect(terminal.stdout[1]).toBe('seed abc 1');
    expect(terminal.stdout[2]).toMatch(/^plan [0-9a-f]{16}$/);
    const last = terminal.stdout.at(-1) ?? '';
    expect(last).toMatch(/^tidemark replay .*capsules\/quickstart-abc_1-[0-9a-f]{8}\.json$/);
    expect(await tidemark(last.split(' ').slice(1), { failing: ['abc 1'] })).toBe(1);
  });

  it('--json prints one document with the promised fields and nothing else', async () => {
    expect(await tidemark(['run', 'quickstart', '--json'])).toBe(0);
    expect(document()).toMatchObject({
      scenario: 'quickstart',
      seed: '1',
      planHash: expect.stringMatching(/^[0-9a-f]{16}$/),
      digest: expect.any(String),
      verdict: 'passed',
      verdicts: [{ judge: expect.any(String), outcome: 'passed', message: expect.any(String), at: [] }],
      virtualMs: 20_000,
      wallMs: expect.any(Number),
      events: 1_000,
      simulatedToWall: expect.any(Number),
      records: { in: 100, out: 100, replayed: 7 },
      checkpoints: { triggered: 3, completed: 2, aborted: 1, expired: 0, declined: 1 },
      faults: { 'crash/taskmanager': { planned: 2, effective: 1 } },
      restarts: 1,
      failovers: 0,
    });
  });

  it('--report writes page, CSV files, plan and timeline.log', async () => {
    expect(await tidemark(['run', 'quickstart', '--report', path('r')])).toBe(0);
    for (const name of [
      'report.html',
      'summary.md',
      'lives.csv',
      'checkpoints.csv',
      'faults.csv',
      'plan.json',
      'timeline.log',
    ])
      expect(existsSync(path(`r/${name}`)), name).toBe(true);
    expect(readFileSync(path('r/timeline.log'), 'utf8')).toMatch(
      /^my_task, start=\d{13}, end=\d{13}, duration=1000\.0 ms\n$/,
    );
    expect(await tidemark(['replay', path('r/plan.json')])).toBe(0);
  });

  it('--statistics writes the checkpoint statistics in the shapes of Flink, also of a replay', async () => {
    expect(await tidemark(['run', 'quickstart', '--statistics', path('s.json'), '--report', path('r')])).toBe(0);
    const statistics = JSON.parse(readFileSync(path('s.json'), 'utf8'));
    expect(statistics.checkpoints.counts).toMatchObject({ total: 3, completed: 2, failed: 1 });
    expect(statistics.subtasks['2']['1'].subtasks[1]).toEqual({ index: 1, status: 'pending_or_failed' });
    expect(csv('r/subtasks.csv')).toHaveLength(6);
    expect(await tidemark(['replay', path('r/plan.json'), '--statistics', path('again.json')])).toBe(0);
    expect(readFileSync(path('again.json'), 'utf8')).toBe(readFileSync(path('s.json'), 'utf8'));
  });

  it.each([
    ['alone', []],
    ['with its history kept', ['--trace', 't']],
  ])('a life that takes another course when lived again is not deterministic, %s: exit code 5', async (_, more) => {
    let count = 0;
    const base = madeUpLive(['1']);
    const livePlan: typeof base = (plan, options) => {
      count += 1;
      return { ...base(plan, options), digest: String(count) };
    };
    const argv = ['run', 'quickstart', '--report', path('r'), ...more.map((one) => (one === 't' ? path('t') : one))];
    expect(await runProgram(argv, terminal, { livePlan })).toBe(5);
    expect(terminal.stdout.join('\n')).toContain('not deterministic');
  });

  it('not-live and inconclusive have codes of their own', async () => {
    for (const [verdict, code] of [
      ['not-live', 3],
      ['inconclusive', 4],
    ] as const) {
      const livePlan = madeUpLive([], {
        verdict,
        verdicts: [{ judge: 'progress', outcome: verdict, message: 'm', anomaly: 'a', at: [] }],
      });
      expect(await runProgram(['run', 'quickstart', '--report', path('r')], terminal, { livePlan })).toBe(code);
    }
  });

  it('a defect of the program itself is exit code 70', async () => {
    const livePlan = (): never => {
      throw new TypeError('a bug');
    };
    expect(await runProgram(['run', 'quickstart'], terminal, { livePlan })).toBe(70);
    expect(said()).toContain('a bug');
  });

  it('duplicates do not fail a scenario that expects at-least-once; a loss does', async () => {
    const duplicate = {
      judge: 'exactly-once-output',
      outcome: 'violated',
      message: 'twice',
      anomaly: 'output-duplicated',
      at: [1],
    } as const;
    const lost = { ...duplicate, anomaly: 'output-lost' } as const;
    const livePlan = madeUpLive([], { verdict: 'violated', verdicts: [duplicate] });
    expect(await runProgram(['run', 'negative-control', '--json'], terminal, { livePlan })).toBe(0);
    expect(document()).toMatchObject({ verdict: 'passed', duplicates: true, signature: '' });
    const losing = madeUpLive([], { verdict: 'violated', verdicts: [duplicate, lost] });
    terminal = fakeTerminal();
    expect(
      await runProgram(['run', 'negative-control', '--json', '--report', path('r')], terminal, { livePlan: losing }),
    ).toBe(1);
    expect(document()).toMatchObject({ verdict: 'violated', signature: 'exactly-once-output/output-lost' });
    expect(await runProgram(['run', 'quickstart', '--report', path('r')], terminal, { livePlan })).toBe(1);
  });
});

describe('replay', () => {
  it('compares the digest with the capsule: exit code 5 when it differs', async () => {
    await tidemark(['run', 'quickstart', '--report', path('r')], { failing: ['1'] });
    const [capsule = ''] = [...(terminal.stdout.at(-1) ?? '').matchAll(/\S+\.json$/g)].map(([name]) => name);
    expect(await tidemark(['replay', capsule, '--json'], { failing: ['1'] })).toBe(1);
    const changed = readFileSync(capsule, 'utf8').replace(
      /"digest": "[0-9a-f]{16}",\n {2}"rungs"/,
      '"digest": "ffffffffffffffff",\n  "rungs"',
    );
    writeFileSync(path('changed.json'), changed);
    expect(await tidemark(['replay', path('changed.json')], { failing: ['1'] })).toBe(5);
    expect(said()).toContain('Not deterministic');
    writeFileSync(path('older.json'), changed.replace(/"engineVersion": "[^"]*"/, '"engineVersion": "0.0.1"'));
    expect(await tidemark(['replay', path('older.json')], { failing: ['1'] })).toBe(1);
    expect(said()).toContain('made by version 0.0.1');
    // It passes now: nobody knows where the two lives part, and nobody says so.
    terminal = fakeTerminal();
    const passing = madeUpLive([], { rungs: [] });
    expect(await runProgram(['replay', path('changed.json')], terminal, { livePlan: passing })).toBe(5);
    expect(said()).toContain('Not deterministic');
    expect(said()).not.toContain('They part');
  });

  it.each([
    ['not json {', /:1:\d+/],
    ['[1,2]', /expected/],
    ['{"kind":"tidemark-capsule"}', /version: it is missing; expected 1/],
    ['{"kind":"tidemark-capsule","version":1}', /plan/],
  ])('%j is refused', async (text, message) => {
    writeFileSync(path('x.json'), text);
    expect(await tidemark(['replay', path('x.json')])).toBe(2);
    expect(said()).toMatch(message);
  });
});

describe('sweep', () => {
  it('--json has the promised fields', async () => {
    expect(
      await tidemark(['sweep', 'quickstart', '--seeds', '1..10', '--json', '--out', path('o')], { failing: ['4'] }),
    ).toBe(1);
    expect(document()).toMatchObject({
      scenario: 'quickstart',
      seeds: { from: 1, to: 10, count: 10 },
      passed: 9,
      violated: 1,
      notLive: 0,
      inconclusive: 0,
      failures: [
        {
          seed: '4',
          verdict: 'violated',
          signature: 'exactly-once-output/output-lost',
          capsule: expect.stringContaining('capsules/quickstart-4-'),
        },
      ],
      wallMs: expect.any(Number),
      livesPerSecond: expect.any(Number),
      virtualMs: 200_000,
      events: 10_000,
      records: { in: 1_000, out: 1_000, replayed: 70 },
      checkpointsCompleted: 20,
      faults: { 'crash/taskmanager': { planned: 20, effective: 10 } },
      digest: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
  });

  it('--require-reached names what never occurred and is inconclusive', async () => {
    expect(await tidemark(['sweep', 'quickstart', '--seeds', '1..2', '--require-reached'])).toBe(4);
    const told = terminal.stdout.join('\n');
    expect(told).toMatch(/Never reached: probe alignment-timed-out \(barriers\)\. An alignment took too long/);
    expect(told).toContain('Never effective: fault crash/jobmanager.');
    expect(told).not.toContain('fault crash/taskmanager.');
    expect(await tidemark(['sweep', 'quickstart', '--seeds', '1..2', '--json'])).toBe(0);
    expect(document()).toMatchObject({ unreached: { probes: expect.arrayContaining(['alignment-timed-out']) } });
  });

  it('digest and files are the same for any number of workers and any order of answers', async () => {
    const results: unknown[] = [];
    for (const [index, options] of [
      ['1', false],
      ['3', false],
      ['4', true],
    ].entries()) {
      const out = path(`o${index}`);
      await tidemark(
        [
          'sweep',
          'quickstart',
          'standard',
          '--seeds',
          '1..25',
          '--json',
          '--workers',
          String(options[0]),
          '--out',
          out,
        ],
        { reversed: options[1] === true },
      );
      const { digest, scenarios } = document();
      const files = ['lives.csv', 'checkpoints.csv', 'faults.csv', 'probes.csv'].map((name) =>
        readFileSync(join(out, name), 'utf8'),
      );
      results.push({ digest, scenarios, files });
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });

  it('shards are disjoint and cover the seeds', async () => {
    const seeds: string[] = [];
    for (const shard of ['1/3', '2/3', '3/3']) {
      const lived: LifeJob[] = [];
      expect(await tidemark(['sweep', 'quickstart', '--seeds', '5..14', '--shard', shard], { lived })).toBe(0);
      expect(lived.length).toBeGreaterThanOrEqual(3);
      seeds.push(...lived.map(({ seed }) => seed));
    }
    expect(seeds.map(Number).toSorted((a, b) => a - b)).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
  });

  it('--faults: the job of one scenario under the faults of another; one that is never restarted is left out, with the reason', async () => {
    const planOf = async (...more: string[]): Promise<string> => {
      terminal.stdout.length = 0;
      expect(await tidemark(['sweep', 'quickstart', '--seeds', '1..1', ...more])).toBe(0);
      return /plan ([0-9a-f]{16})/.exec(terminal.stdout.join('\n'))?.[1] ?? '';
    };
    const own = await planOf();
    const struck = await planOf('--faults', 'storm');
    expect(terminal.stdout.join('\n')).toContain('faults of storm');
    expect(struck).not.toBe(own);
    expect(await tidemark(['sweep', 'quickstart', 'calm', '--faults', 'storm', '--seeds', '1..1'])).toBe(0);
    expect(terminal.stderr.join('\n')).toContain('calm is not for the faults of storm: a job that is never restarted');
    expect(await tidemark(['sweep', 'calm', '--faults', 'storm', '--seeds', '1..1'])).toBe(2);
    expect(await tidemark(['sweep', 'quickstart', '--faults', 'nowhere', '--seeds', '1..1'])).toBe(2);
  });

  it('an interrupted sweep loses nothing, and --resume gives what an uninterrupted one gives', async () => {
    const argv = ['sweep', 'quickstart', '--seeds', '1..30', '--unshrunk', '--json', '--out'];
    expect(await tidemark([...argv, path('whole')], { failing: ['2', '29'] })).toBe(1);
    const whole = document();
    const first = await tidemark([...argv, path('parts')], {
      failing: ['2', '29'],
      after: ({ seed }) => seed === '11' && terminal.interrupt(),
    });
    expect(first).toBe(1);
    expect(document()).toMatchObject({ interrupted: true });
    const before = csv('parts/lives.csv').length;
    expect(before).toBeGreaterThanOrEqual(11);
    expect(before).toBeLessThan(30);
    const lived: LifeJob[] = [];
    expect(await tidemark([...argv, path('parts'), '--resume'], { failing: ['2', '29'], lived })).toBe(1);
    expect(lived).toHaveLength(30 - before);
    const { wallMs: _w, livesPerSecond: _l, resumed, failures, ...rest } = document() as Record<string, unknown>;
    expect(whole).toMatchObject(rest);
    expect(resumed).toBe(before);
    expect(failures).toHaveLength(2);
    for (const name of ['lives.csv', 'checkpoints.csv', 'faults.csv'])
      expect(readFileSync(path(`parts/${name}`), 'utf8'), name).toBe(readFileSync(path(`whole/${name}`), 'utf8'));
  });

  it('--subtasks keeps the parts of subtasks; without it there is no such file, and --resume lives what lacks them', async () => {
    const argv = ['sweep', 'quickstart', '--seeds', '1..3', '--out', path('o')];
    await tidemark(argv);
    expect(existsSync(path('o/subtasks.csv'))).toBe(false);
    const lived: LifeJob[] = [];
    expect(await tidemark([...argv, '--subtasks', '--resume'], { lived })).toBe(0);
    expect(lived).toHaveLength(3);
    expect(csv('o/subtasks.csv')).toHaveLength(18);
    expect(await tidemark([...argv, '--subtasks', '--resume'], { lived })).toBe(0);
    expect(lived).toHaveLength(3);
    expect(csv('o/subtasks.csv')).toHaveLength(18);
    expect(await tidemark(['report', path('o')])).toBe(0);
    expect(readFileSync(path('o/report.html'), 'utf8')).toContain('class="subtasks"');
  });

  it('--resume after a line was cut off lives that seed again', async () => {
    const argv = ['sweep', 'quickstart', '--seeds', '1..3', '--out', path('o')];
    await tidemark(argv);
    const whole = readFileSync(path('o/lives.jsonl'), 'utf8');
    writeFileSync(path('o/lives.jsonl'), whole.slice(0, -40));
    const lived: LifeJob[] = [];
    expect(await tidemark([...argv, '--resume'], { lived })).toBe(0);
    expect(lived.map(({ seed }) => seed)).toEqual(['3']);
    expect(csv('o/lives.csv').map(({ seed }) => seed)).toEqual(['1', '2', '3']);
  });

  it('--resume lives seeds again whose plan has changed, and keeps the old lines in another file', async () => {
    const scenario = (records: number): string =>
      `name: mine\njob: { use: keyed-count, parallelism: 2 }\ninput: { dataset: flights-20k, records: ${records}, rate: 50/s }\n`;
    const argv = ['sweep', path('mine.yaml'), '--seeds', '1..3', '--out', path('o')];
    writeFileSync(path('mine.yaml'), scenario(100));
    await tidemark(argv);
    writeFileSync(path('mine.yaml'), scenario(200));
    const lived: LifeJob[] = [];
    await tidemark([...argv, '--resume'], { lived });
    expect(lived).toHaveLength(3);
    expect(csv('o/lives.csv')).toHaveLength(3);
    expect(readFileSync(path('o/lives.earlier-1.jsonl'), 'utf8').trim().split('\n')).toHaveLength(3);
  });

  it('a fresh sweep into a used folder keeps the earlier lives', async () => {
    const argv = ['sweep', 'quickstart', '--seeds', '1..2', '--out', path('o')];
    await tidemark(argv);
    const earlier = readFileSync(path('o/lives.jsonl'), 'utf8');
    await tidemark(argv);
    expect(readFileSync(path('o/lives.earlier-1.jsonl'), 'utf8')).toBe(earlier);
    expect(csv('o/lives.csv')).toHaveLength(2);
  });

  it('--for lives whole seeds until time is up', async () => {
    expect(await tidemark(['sweep', 'quickstart', '--for', '20ms', '--json'])).toBe(0);
    const { seeds, lives } = document() as unknown as {
      seeds: { from: number; to: number; count: number };
      lives: number;
    };
    expect(seeds.from).toBe(1);
    expect(seeds.count).toBe(lives);
    expect(seeds.to).toBe(lives);
    expect(lives).toBeGreaterThan(0);
  });

  it('a worker that could not live a seed is told and makes the sweep an internal error, not a pass', async () => {
    const pool = {
      run: async ({ next, onLife }: Parameters<ReturnType<typeof inlinePool>['run']>[0]) => {
        for (const job of await next()) onLife(job, { kind: 'infrastructure', message: 'it died' });
      },
    };
    const argv = ['sweep', 'quickstart', '--seeds', '1..1', '--out', path('o'), '--json'];
    expect(await runProgram(argv, terminal, { pool })).toBe(70);
    const [unlived] = document()['infrastructure'] as unknown as readonly [{ plan: string }];
    expect(unlived).toMatchObject({ scenario: 'quickstart', seed: '1', message: 'it died' });
    expect(document()).toMatchObject({ passed: 0 });
    expect(terminal.stderr.join('\n')).toContain(`quickstart, seed 1, could not be lived (plan: ${unlived.plan})`);
    // The plan is kept, so that it can be lived by itself.
    expect(await tidemark(['replay', unlived.plan])).toBe(0);
  });

  it('report makes a page of its folder', async () => {
    await tidemark(['sweep', 'quickstart', '--seeds', '1..5', '--out', path('o')], { failing: ['3'] });
    expect(await tidemark(['report', path('o')])).toBe(0);
    expect(readFileSync(path('o/report.html'), 'utf8')).toContain('tidemark replay');
    expect(readFileSync(path('o/summary.md'), 'utf8')).toContain('## Failing lives (1)');
  });
});

describe('list, schema, init', () => {
  it('list names what can be run', async () => {
    expect(await tidemark(['list', '--json'])).toBe(0);
    expect((document() as unknown as { scenarios: { name: string }[] }).scenarios.map(({ name }) => name)).toContain(
      'standard',
    );
    expect(await tidemark(['list'])).toBe(0);
  });

  it('schema is a JSON Schema', async () => {
    expect(await tidemark(['schema'])).toBe(0);
    expect(document()).toMatchObject({ type: 'object', properties: { job: expect.anything() } });
  });

  it('init writes a scenario that runs, once', async () => {
    expect(await tidemark(['init', path('new.yaml')])).toBe(0);
    expect(existsSync(path('scenario.schema.json'))).toBe(true);
    expect(await tidemark(['run', path('new.yaml')])).toBe(0);
    expect(await tidemark(['init', path('new.yaml')])).toBe(2);
  });
});
