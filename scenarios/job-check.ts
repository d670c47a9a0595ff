/**
 * Whether the job of a scenario can be built with its parameters and topics; if not, which parameter is to blame.
 *
 * A job says in words of its own what it cannot be built with (`InvalidJob`), and only when it is built. So that is tried while the file is
 * read, where what is wrong still has a line.
 *
 * I1: one job is built once, however many draws of a swarm share it.
 */
import { InvalidJob } from '../engine/api/invalid-job.ts';
import { buildJob } from './build-job.ts';
import { canonicalJson } from './canonical-json.ts';
import { type PlannedJob, plannedJob } from './compile.ts';
import { givenUpProblems } from './given-up-problems.ts';
import { jobNamed } from './job-catalog.ts';
import type { JobDefinition } from './jobs/job-definition.ts';
import { qualify } from './qualify.ts';
import type { ScenarioInput, SectionProblem } from './schema.ts';

export class JobCheck {
  readonly #jobs: readonly JobDefinition[];
  readonly #known = new Map<string, readonly SectionProblem[]>();

  constructor(jobs: readonly JobDefinition[]) {
    this.#jobs = jobs;
  }

  /** Of an input without any other problem, with every parameter of its job. */
  problemsOf(input: ScenarioInput): readonly SectionProblem[] {
    const planned = plannedJob(qualify(input, []));
    const key = canonicalJson({ ...planned, sink: planned.sink ?? null });
    const known = this.#known.get(key) ?? this.#problemsOf(planned);
    this.#known.set(key, known);
    if (known.length > 0) return known;
    const { withoutChannelStateOf, firstId } = input.checkpointing;
    return givenUpProblems({
      use: input.job.use,
      withoutChannelStateOf,
      firstId,
      commands: input.faults.map(({ action }) => (action.kind === 'operation' ? action.command : undefined)),
      build: () => buildJob(planned, this.#jobs),
      path: ['checkpointing', 'withoutChannelStateOf'],
      resumePath: (fault) => ['faults', fault, 'thenResume'],
    });
  }

  #problemsOf(planned: PlannedJob): readonly SectionProblem[] {
    const message = refusalOf(planned, this.#jobs);
    if (message === undefined) return [];
    const { use, parameters } = planned.job;
    const definition = jobNamed(use, this.#jobs);
    for (const { name, default: standard } of definition?.parameters ?? []) {
      const mended = { ...planned.job, parameters: { ...parameters, [name]: standard } };
      if (parameters[name] === standard || refusalOf({ ...planned, job: mended }, this.#jobs) !== undefined) continue;
      const expected = `another value of ${name}; its default is ${JSON.stringify(standard)}`;
      return [{ path: ['job', 'parameters', name], message, expected }];
    }
    return [{ path: ['job'], message, expected: 'parameters, inputs and a sink that make a job' }];
  }
}

/** Why a job cannot be built, in its own words; undefined: it can. */
export function refusalOf(planned: PlannedJob, jobs?: readonly JobDefinition[]): string | undefined {
  try {
    buildJob(planned, jobs);
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof InvalidJob)) throw thrown;
    return thrown.message.replace(/\.$/, '');
  }
}
