/** A worker thread of a sweep: compiles the plan of each seed, lives it, answers figures and, for failures, the plan. */
import { lifeMaker } from './life-maker.ts';
import { serveJobs } from './workers.ts';

serveJobs(lifeMaker);
