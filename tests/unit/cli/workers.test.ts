import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LifeJob, LifeResult } from '../../../cli/life-pool.ts';
import { threadPool } from '../../../cli/workers.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-workers-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A worker that answers every job but does `trouble` first. */
function worker(name: string, trouble: string): string {
  const path = join(folder, name);
  const source = `
import { existsSync, writeFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
parentPort.on('message', ({ jobs }) => {
  for (const job of jobs) {
    ${trouble}
    parentPort.postMessage({ kind: 'result', index: job.index, result: { kind: 'infrastructure', message: 'lived ' + job.seed } });
  }
  parentPort.postMessage({ kind: 'idle' });
});
`;
  writeFileSync(path, source);
  return path;
}

async function run(
  file: string,
  count: number,
  onLife?: () => void,
): Promise<{ results: Map<number, LifeResult>; notes: string[]; answers: number }> {
  const jobs = Array.from({ length: count }, (_, index): LifeJob => ({ index, scenario: 0, seed: String(index + 1) }));
  const results = new Map<number, LifeResult>();
  const notes: string[] = [];
  let answers = 0;
  await threadPool(file).run({
    workers: 2,
    scenarios: [],
    subtasks: false,
    next: () => jobs.splice(0, 3),
    onLife: (job, result) => {
      answers += 1;
      results.set(job.index, result);
      onLife?.();
    },
    onNote: (note) => notes.push(note),
  });
  return { results, notes, answers };
}

describe('worker pool', () => {
  it('answers every job once', async () => {
    const { results, notes, answers } = await run(worker('fine.mjs', ''), 20);
    expect(results.size).toBe(20);
    expect(answers).toBe(20);
    expect(results.get(6)).toEqual({ kind: 'infrastructure', message: 'lived 7' });
    expect(notes).toEqual([]);
  });

  it('no jobs: ends at once', async () => {
    expect((await run(worker('none.mjs', ''), 0)).answers).toBe(0);
  });

  it('a worker that dies once: its seed is tried again, nothing is lost or doubled', async () => {
    const marker = JSON.stringify(join(folder, 'died'));
    const trouble = `if (job.seed === '5' && !existsSync(${marker})) { writeFileSync(${marker}, ''); process.exit(3); }`;
    const { results, notes, answers } = await run(worker('once.mjs', trouble), 12);
    expect(results.size).toBe(12);
    expect(answers).toBe(12);
    expect(results.get(4)).toEqual({ kind: 'infrastructure', message: 'lived 5' });
    expect(notes).toEqual([expect.stringMatching(/^A worker died at seed 5 .*code 3.*tried once more\.$/)]);
  });

  it('a seed at which workers die twice is reported as infrastructure, the others are lived', async () => {
    const { results, answers } = await run(worker('twice.mjs', `if (job.seed === '5') throw new Error('boom');`), 12);
    expect(answers).toBe(12);
    expect(results.get(4)).toEqual({ kind: 'infrastructure', message: 'Its worker died twice: boom' });
    expect(
      [...results.values()].filter((result) => result.kind === 'infrastructure' && result.message.startsWith('lived')),
    ).toHaveLength(11);
  });

  it('what the caller throws ends the run', async () => {
    const onLife = (): never => {
      throw new Error('the disk is full');
    };
    await expect(run(worker('throws.mjs', ''), 12, onLife)).rejects.toThrow('the disk is full');
  });
});
