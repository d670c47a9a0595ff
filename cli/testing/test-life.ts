/** A life in somebody's own test: the plan, what came of it, and on demand the smallest plan that fails in the same way. */
import { type Inquiring, type LifeAnswer, type LifeCase, NOTHING_SEEN } from '../../scenarios/inquiry.ts';
import type { JobDefinition } from '../../scenarios/jobs/job-definition.ts';
import { type DatasetLoader, live, type LiveOptions } from '../../scenarios/live.ts';
import { shrink } from '../../scenarios/shrink/shrinker.ts';
import type { Choices } from '../../sim/kernel/choice.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { decodeReplayable, type Replayable } from '../capsule.ts';
import { readText } from '../files.ts';
import { JobError } from './job-error.ts';
import { ALL_RIGHT, type Question } from './question.ts';
import { JobNotes } from './watched-calls.ts';
import { watchedJob } from './watched-job.ts';

export interface TestWorld {
  readonly loadDataset: DatasetLoader;
  /** The jobs that plans may name. */
  readonly jobs: readonly JobDefinition[];
}

export interface TestLife {
  readonly plan: SimulationPlan;
  readonly record: RunRecord;
  /** `judge/anomaly`; empty when it passed. */
  readonly signature: string;
  readonly world: TestWorld;
  /** The job's own code threw, which no fault did: where, and what. Absent: it did not. */
  readonly thrown?: string;
}

/** Events lived for a smaller plan: a few seconds, so that a failing test does not time out. */
const SHRINK_EVENTS = 2_000_000;

/**
 * Lives a plan; it is the caller's to judge it, for example with the matchers. Throws `JobError` when the job's own code is wrong: a life
 * would only say that something in the cluster broke.
 */
export function liveTest(plan: SimulationPlan, world: TestWorld): TestLife {
  const watched = watchedWorld(world);
  const record = liveWatched(plan, watched);
  const thrown = watched.notes.summary();
  const signature = ALL_RIGHT.signature(plan, record);
  return { plan, record, signature, world, ...(thrown === undefined ? {} : { thrown }) };
}

interface WatchedWorld extends TestWorld {
  readonly notes: JobNotes;
}

/** One set of watched jobs for each of jobs, so that what lives share is prepared once. */
const watchedJobs = new WeakMap<TestWorld['jobs'], Omit<WatchedWorld, 'loadDataset'>>();

function watchedWorld({ jobs, loadDataset }: TestWorld): WatchedWorld {
  const known = watchedJobs.get(jobs);
  if (known !== undefined) return { ...known, loadDataset };
  const notes = new JobNotes();
  const watched = { notes, jobs: jobs.map((job) => watchedJob(job, notes)) };
  watchedJobs.set(jobs, watched);
  return { ...watched, loadDataset };
}

function liveWatched(
  plan: SimulationPlan,
  { notes, ...world }: WatchedWorld,
  options: Omit<LiveOptions, keyof TestWorld> = {},
): RunRecord {
  notes.begin(plan.job.use);
  let record: RunRecord;
  try {
    record = live(plan, { ...world, ...options });
  } catch (error) {
    throw notes.complaintOf(error) ?? error;
  }
  if (notes.complaint !== undefined) throw notes.complaint;
  return record;
}

/** The smallest plan that fails in the same way, lived. */
export const shrunkLife = (life: TestLife): TestLife => smallestLife(life, ALL_RIGHT).life;

/** The same, of a failure by any question, and whether the search came to its end. */
export function smallestLife(
  { plan, record, world }: TestLife,
  question: Question,
): { readonly life: TestLife; readonly isMinimal: boolean } {
  const signature = question.signature(plan, record);
  const search = shrink(plan, signature, { maxEvents: SHRINK_EVENTS, jobs: world.jobs });
  const result = answered(search, (one, keepHistory) => answer(one, { world, question, keepHistory }));
  return { life: liveTest(result.plan, world), isMinimal: result.isMinimal };
}

/** The plan of a capsule, or of a plan file. */
export const readPlan = (file: string): SimulationPlan => readReplayable(file).plan;

export const readReplayable = (file: string): Replayable => decodeReplayable(file, readText(file));

/** Of a life in which the job's own code is wrong; no judge says so. */
const JOB_ERROR = 'job/error';

function answered<Result>(
  search: Inquiring<Result>,
  lived: (one: LifeCase, keepHistory: boolean) => LifeAnswer,
): Result {
  let step = search.next();
  while (step.done !== true) {
    const inquiry = step.value;
    step = search.next(
      inquiry.kind === 'look' ? [lived(inquiry.life, true)] : inquiry.cases.map((one) => lived(one, false)),
    );
  }
  return step.value;
}

interface Answering {
  readonly world: TestWorld;
  readonly question: Question;
  readonly keepHistory: boolean;
}

function answer({ plan, branch, wantsChoices }: LifeCase, { world, question, keepHistory }: Answering): LifeAnswer {
  let choices: Choices | undefined;
  const watchChoices = (made: Choices): void => {
    choices = made;
  };
  const options = { keepHistory, branch, watchChoices, recordChoices: wantsChoices };
  let record: RunRecord;
  try {
    record = liveWatched(plan, watchedWorld(world), options);
  } catch (error) {
    // With fewer records a function may meet what it never meets else: no smaller plan of the same failure.
    if (error instanceof JobError) return { ...NOTHING_SEEN, signature: JOB_ERROR, events: 0 };
    throw error;
  }
  const { events, history } = record;
  const signature = question.signature(plan, record);
  const verdicts = question.wrong(record);
  const seen = { history, verdicts, sites: choices?.askedSites() ?? [], choices: choices?.takenChoices() ?? [] };
  return { ...NOTHING_SEEN, ...seen, signature, events };
}
