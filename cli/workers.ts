/**
 * Worker threads: hands out jobs in chunks, collects what they report, replaces workers that die.
 *
 * Owns: threads and their messages. Does not own: what a job means (life-worker.ts) and the order of results (sweep).
 * I1: every job is answered exactly once. When a worker dies, the job it was at is tried once more, alone, and then reported
 *     as infrastructure trouble; the rest of its chunk is handed out again.
 * I2: workers are compiled JavaScript: Node 20 cannot start one from TypeScript.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { LifeJob, LifePool, LifePoolOptions, LifeResult } from './life-pool.ts';
import { UsageError } from './usage-error.ts';

type FromWorker =
  | { readonly kind: 'started' }
  | { readonly kind: 'result'; readonly index: number; readonly result: LifeResult }
  | { readonly kind: 'idle' };

/** What a worker is started with. */
export type WorkerSetup = Pick<LifePoolOptions, 'scenarios' | 'subtasks'>;

interface ToWorker {
  readonly jobs: readonly LifeJob[];
}

/** A life that reports nothing for so long hangs; milliseconds of wall clock. */
const LIFE_TIMEOUT_MS = 600_000;

/** Room for what several lives allocate, so that the collector finds most of it dead: 5 to 10 % of a sweep (measured). */
const YOUNG_GENERATION_MB = 192;

/** The compiled worker, also when this file runs from its source. */
function workerFile(): string {
  const beside = fileURLToPath(new URL('./life-worker.js', import.meta.url));
  const compiled = fileURLToPath(new URL('../dist/cli/life-worker.js', import.meta.url));
  const found = [beside, compiled].find((path) => existsSync(path));
  if (found === undefined) throw new UsageError("The compiled worker is missing: run 'npm run build' first.");
  return found;
}

/** `file`: the worker to start, for tests of the pool itself. */
export function threadPool(file: string = workerFile()): LifePool {
  return {
    run: async (options) => {
      const run = new PoolRun(options, file);
      await run.finished();
    },
  };
}

interface Member {
  readonly worker: Worker;
  /** Handed out and not answered, in order. */
  open: LifeJob[];
  timer: NodeJS.Timeout | undefined;
}

class PoolRun {
  readonly #options: LifePoolOptions;
  readonly #file: string;
  readonly #members = new Set<Member>();
  /** Jobs that must be lived alone because a worker died at them. */
  readonly #suspects: LifeJob[] = [];
  /** Jobs whose worker died before it came to them. */
  readonly #returned: LifeJob[] = [];
  readonly #tried = new Set<number>();
  /** Workers, or places for one, that wait for jobs to come. */
  #waiting = 0;
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(options: LifePoolOptions, file: string) {
    this.#options = options;
    this.#file = file;
  }

  async finished(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      for (let count = 0; count < this.#options.workers; count += 1) this.#start();
      this.#endIfDone();
    });
  }

  #start(): void {
    this.#whenJobs((jobs) => {
      if (jobs.length > 0) this.#startWith(jobs);
      else this.#endIfDone();
    });
  }

  #startWith(jobs: readonly LifeJob[]): void {
    const worker = new Worker(this.#file, {
      workerData: { scenarios: this.#options.scenarios, subtasks: this.#options.subtasks } satisfies WorkerSetup,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    const member: Member = { worker, open: [], timer: undefined };
    this.#members.add(member);
    worker.on('message', (message: FromWorker) => this.#guard(() => this.#heard(member, message)));
    worker.on('error', (error) => this.#guard(() => this.#died(member, error.message)));
    worker.on('exit', (code) => this.#guard(() => this.#died(member, `it ended with code ${code}`)));
    this.#hand(member, jobs);
  }

  #hand(member: Member, jobs: readonly LifeJob[]): void {
    member.open = [...jobs];
    member.worker.postMessage({ jobs } satisfies ToWorker);
    this.#watch(member);
  }

  /** At once where there are some; later where the sweep says that more may come. */
  #whenJobs(use: (jobs: readonly LifeJob[]) => void): void {
    const jobs = this.#nextJobs();
    if (!(jobs instanceof Promise)) return use(jobs);
    this.#waiting += 1;
    void jobs.then((later) =>
      this.#guard(() => {
        this.#waiting -= 1;
        use(later);
      }),
    );
  }

  #nextJobs(): readonly LifeJob[] | Promise<readonly LifeJob[]> {
    const suspect = this.#suspects.shift();
    if (suspect !== undefined) return [suspect];
    return this.#returned.length > 0 ? this.#returned.splice(0) : this.#options.next();
  }

  #heard(member: Member, message: FromWorker): void {
    // What a dead worker had still said is lived again by another one.
    if (!this.#members.has(member)) return;
    this.#watch(member);
    if (message.kind === 'result') {
      const job = member.open.find(({ index }) => index === message.index);
      member.open = member.open.filter((other) => other !== job);
      if (job !== undefined) this.#options.onLife(job, message.result);
      return;
    }
    if (message.kind === 'started') return;
    // Who has nothing to do cannot hang.
    clearTimeout(member.timer);
    this.#whenJobs((jobs) => {
      if (jobs.length === 0) this.#dismiss(member);
      else if (this.#members.has(member)) this.#hand(member, jobs);
      else {
        this.#returned.push(...jobs);
        this.#start();
      }
    });
  }

  #died(member: Member, why: string): void {
    if (!this.#members.has(member)) return;
    const [suspect, ...rest] = member.open;
    this.#returned.push(...rest);
    if (suspect !== undefined && !this.#tried.has(suspect.index)) {
      this.#tried.add(suspect.index);
      this.#suspects.push(suspect);
      this.#options.onNote(`A worker died at seed ${suspect.seed} (${why}); the seed is tried once more.`);
    } else if (suspect !== undefined) {
      this.#options.onLife(suspect, { kind: 'infrastructure', message: `Its worker died twice: ${why}` });
    }
    this.#dismiss(member);
    if (this.#suspects.length + this.#returned.length > 0) this.#start();
    this.#endIfDone();
  }

  #dismiss(member: Member): void {
    clearTimeout(member.timer);
    this.#members.delete(member);
    void member.worker.terminate();
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#members.size + this.#waiting > 0) return;
    if (this.#suspects.length + this.#returned.length > 0) this.#start();
    else this.#resolve();
  }

  #watch(member: Member): void {
    clearTimeout(member.timer);
    member.timer = setTimeout(
      () => this.#guard(() => this.#died(member, `no answer for ${LIFE_TIMEOUT_MS / 1_000} s`)),
      LIFE_TIMEOUT_MS,
    );
  }

  /** What a callback of the sweep throws ends the run; it must not get lost in an event. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      for (const member of this.#members) {
        clearTimeout(member.timer);
        void member.worker.terminate();
      }
      this.#members.clear();
      this.#reject(error);
    }
  }
}

/** The worker's side: answers each job as soon as it is lived. */
export function serveJobs(makeLive: (setup: WorkerSetup) => (job: LifeJob) => Promise<LifeResult>): void {
  const port = parentPort;
  if (isMainThread || port === null) return;
  const liveJob = makeLive(workerData as WorkerSetup);
  port.on('message', async ({ jobs }: ToWorker) => {
    for (const job of jobs) {
      const result = await liveJob(job);
      port.postMessage({ kind: 'result', index: job.index, result } satisfies FromWorker);
    }
    port.postMessage({ kind: 'idle' } satisfies FromWorker);
  });
  port.postMessage({ kind: 'started' } satisfies FromWorker);
}
