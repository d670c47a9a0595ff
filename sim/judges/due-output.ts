/**
 * What must be visible in the end, which depends on the course of a life: whether the job is upgraded or drained, goes on after that, where
 * event time has begun anew, and which records were lost by design.
 *
 * Owns the latest expectation. It is folded anew only where the course has changed: at a drain and at the run behind it, where records
 * are lost, and, in a job whose timers wait for input that does not end, when somebody asks for the end while output is missing.
 */
import { ExpectedOutput } from './expected-output.ts';
import type { LostRecords } from './lost-records.ts';
import type { JobAudit } from './job-audit.ts';
import type { ReferenceCourse } from './reference-course.ts';
import type { InputIndex } from './reference-run.ts';
import type { RestoredTime } from './restored-time.ts';
import type { CurrentCourse, JobVersions } from './run-history.ts';

export interface DueOutputOptions {
  readonly expected: ExpectedOutput;
  readonly versions: JobVersions;
  readonly audit: JobAudit;
  readonly index: InputIndex;
  readonly along: ReferenceCourse;
  /** Absent: all timers fire in the end, because the input ends or there are none. */
  readonly restored?: RestoredTime | undefined;
  readonly changed: (expected: ExpectedOutput, course: CurrentCourse) => void;
}

export class DueOutput {
  readonly #options: DueOutputOptions;
  #course: CurrentCourse;
  #lost: LostRecords | undefined;

  constructor(options: DueOutputOptions) {
    this.#options = options;
    const [first] = options.versions.keys();
    this.#course = { first: first ?? 1, stations: [] };
  }

  follow(course: CurrentCourse): void {
    this.#course = course;
    this.#fold();
  }

  /** Rows X26, F1. */
  lose(lost: LostRecords): void {
    this.#lost = lost;
    this.#fold();
  }

  /** The life may end now, and output is missing. */
  settle(): void {
    if (this.#options.restored?.takeMoved() === true) this.#fold();
  }

  #fold(): void {
    const { expected, restored, along, changed, ...rest } = this.#options;
    const course = this.#course;
    const begun = restored?.begun((id) => along.firedBefore(id, course) ?? (() => false));
    const lost = this.#lost;
    const hasNoCourse = course.stations.length === 0 && course.endsAt === undefined;
    const isPlain = hasNoCourse && begun === undefined && lost === undefined;
    changed(isPlain ? expected : new ExpectedOutput({ ...rest, along, course, begun, lost }), course);
  }
}
