/** The compiled command as a process: exit codes, streams, threads. Everything else is tested in-process. */
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MAIN = join(process.cwd(), 'dist/cli/main.js');

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let folder = '';
beforeAll(() => {
  expect(existsSync(MAIN), "run 'npm run build' first").toBe(true);
  folder = mkdtempSync(join(tmpdir(), 'tidemark-spawned-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function tidemark(...argv: readonly string[]): Promise<Ended> {
  return await new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...argv], { cwd: folder, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe('the tidemark command', () => {
  it('a life that passes: exit code 0, and the same digest twice', async () => {
    const first = await tidemark('run', 'quickstart', '--seed', 'a-commit-hash', '--json');
    const second = await tidemark('run', 'quickstart', '--seed', 'a-commit-hash', '--json');
    expect(first.code, first.stderr).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({ seed: 'a-commit-hash', verdict: 'passed' });
    expect(JSON.parse(first.stdout).digest).toBe(JSON.parse(second.stdout).digest);
  });

  it('the README shows what its first life prints, but for the wall clock and the place of the scenario', async () => {
    const readme = readFileSync(join(process.cwd(), 'README.md'), 'utf8');
    const shown = /\$ node dist\/cli\/main\.js (run .*)\n((?: {4}.*\n)+)/.exec(readme);
    const { stdout } = await tidemark(...(shown?.[1] ?? '').split(' '));
    const told = (text: string): string[] =>
      text.split('\n').flatMap((line) => (/^ *scenario |(simulated|wall) time/.test(line) ? [] : [line.trim()]));
    // How wide a table is follows from the figures of the wall clock, too.
    const words = (text: string): string[] => told(text).map((line) => line.replace(/[─┬┼┴]+|\s+/g, ' '));
    expect(words(shown?.[2] ?? '')).toEqual(words(stdout));
  });

  it('a wrong option: exit code 2, a sentence on standard error, nothing on standard output', async () => {
    const { code, stdout, stderr } = await tidemark('sweep', 'quickstart', '--seeds', '9..1');
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toBe("--seeds '9..1': the range is empty; expected A..B with A not above B, for example 1..9.\n");
  });

  it('a sweep has the same digest and the same CSV bytes for any number of workers', async () => {
    const sweep = async (workers: string): Promise<unknown[]> => {
      const out = join(folder, `workers-${workers}`);
      const { code, stdout, stderr } = await tidemark(
        'sweep',
        'quickstart',
        '--seeds',
        '1..24',
        '--workers',
        workers,
        '--out',
        out,
        '--json',
      );
      expect(code, stderr).toBe(0);
      const { digest, lives, passed } = JSON.parse(stdout);
      return [
        digest,
        lives,
        passed,
        ...['lives.csv', 'checkpoints.csv', 'faults.csv'].map((name) => readFileSync(join(out, name), 'utf8')),
      ];
    };
    const [one, three] = [await sweep('1'), await sweep('3')];
    expect(one[1]).toBe(24);
    expect(three).toEqual(one);
  });

  it('--trace has a line per event, and judging and tracing change no digest', async () => {
    const traced = await tidemark('run', 'quickstart', '--trace', 'life.trace', '--json');
    const plain = await tidemark('run', 'quickstart', '--json');
    expect(JSON.parse(traced.stdout).digest).toBe(JSON.parse(plain.stdout).digest);
    const lines = readFileSync(join(folder, 'life.trace'), 'utf8').trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(100);
    expect(lines[0]).toMatch(/^#000000 +\d+\.\d{6}s \S+ +\S+/);
    expect(lines.every((line, index) => line.startsWith(`#${String(index).padStart(6, '0')} `))).toBe(true);
  });

  it('the negative control passes, and duplicates are seen', async () => {
    const { code, stdout, stderr } = await tidemark('sweep', 'negative-control', '--seeds', '1..6', '--json');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).livesWithDuplicates).toBeGreaterThan(0);
  });

  it('Ctrl-C ends a sweep in order, and --resume goes on', async () => {
    const out = join(folder, 'interrupted');
    const argv = ['sweep', 'quickstart', '--seeds', '1..400', '--workers', '2', '--out', out];
    const child = spawn(process.execPath, [MAIN, ...argv], { cwd: folder, stdio: 'ignore' });
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
    const lives = (): number =>
      existsSync(join(out, 'lives.jsonl')) ? readFileSync(join(out, 'lives.jsonl'), 'utf8').split('\n').length - 1 : 0;
    while (lives() < 5 && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    expect([0, 4]).toContain(await ended);
    const before = lives();
    expect(before).toBeGreaterThanOrEqual(5);
    const resumed = await tidemark(
      'sweep',
      'quickstart',
      '--seeds',
      `1..${before + 3}`,
      '--out',
      out,
      '--resume',
      '--json',
    );
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(JSON.parse(resumed.stdout)).toMatchObject({ resumed: before, lives: before + 3 });
    expect(lives()).toBe(before + 3);
  });

  it('Ctrl-C: shrink keeps the smallest plan so far, crashpoints what was lived; both say so, exit code 4', async () => {
    const failing = await tidemark('run', 'standard', '--variant', 'offset-inclusive', '--report', 'failing', '--json');
    expect(failing.code, failing.stderr).toBe(1);
    const capsule = JSON.parse(failing.stdout).replay.split(' ').at(-1);
    const interrupted = async (argv: readonly string[], since: string): Promise<Ended> => {
      const child = spawn(process.execPath, [MAIN, ...argv], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
      let [stdout, stderr, isSent] = ['', '', false];
      child.stdout.on('data', (text) => {
        stdout += text;
        // Once: a second one ends it at once.
        if (!isSent && stdout.includes(since)) setTimeout(() => child.kill('SIGINT'), 1_000);
        isSent ||= stdout.includes(since);
      });
      child.stderr.on('data', (text) => (stderr += text));
      const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
      return { code: code ?? -1, stdout, stderr };
    };
    const shrunk = await interrupted(['shrink', capsule, '--out', 'some.json'], ' faults\n');
    expect(shrunk.code, shrunk.stderr).toBe(4);
    expect(shrunk.stdout).toContain('Interrupted: some.json keeps the smallest plan so far');
    expect(JSON.parse(readFileSync(join(folder, 'some.json'), 'utf8')).shrunk.ended).toBe('interrupted');
    const crashes = await interrupted(['crashpoints', 'quickstart', '--double', '--out', 'crashes'], 'its faults\n');
    expect(crashes.code, crashes.stderr).toBe(4);
    expect(`${crashes.stdout}${crashes.stderr}`).toMatch(
      /Interrupted: (?:these are the \d+ cases? lived until then|no crash was lived yet; nothing is kept)/,
    );
  });

  it('a reader that goes away early is no error', async () => {
    const child = spawn(process.execPath, [MAIN, 'schema'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    const code = await new Promise<number | null>((resolve) => child.on('exit', resolve));
    expect(code).toBe(0);
  });
});
