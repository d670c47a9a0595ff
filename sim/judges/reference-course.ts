/**
 * The reference led through what a job has come through: its versions, each fed its part of the input, and the ends it was drained to.
 *
 * An upgrade (rows S13, S24, X17; Flink: RestoreUpgradedJobITCase): what the states of a version hold is handed on as the next version's audit
 * says, in values, never in bytes or descriptions: the engine's rules of evolution have no part in it. Timers go on as they are.
 * A drain (row C28; Flink: stop --drain): every timer fires, as if event time had come to its end, operators do their last work, and if the
 * job is started again from there, event time begins anew (row B22). A record of a window that had come out makes it come out again, with
 * that record and those after it. Operators do their last work once in their life (decision 0015).
 *
 * Owns nothing. Called by the judges of output and of cuts.
 */
import { assert } from '../../engine/foundation/assert.ts';
import type { FiredTimersLog, HasFired } from './fired-timers.ts';
import type { ReferenceJob, OnOutput, RestoredOperatorState } from './reference-job.ts';
import { type Cut, type InputIndex, ReferenceRun, type ReferenceRunOptions } from './reference-run.ts';
import type { Course, CurrentCourse, JobVersion, JobVersions, Station } from './run-history.ts';

export interface ReferenceCourseOptions {
  readonly versions: JobVersions;
  readonly index: InputIndex;
  /** Which timers have fired before a snapshot; absent: no operator of the job has timers. */
  readonly fired?: FiredTimersLog | undefined;
}

/** From where event time has begun anew since the last station, because tasks were restored; what had fired before. */
export interface BegunAnew {
  readonly cut: Cut;
  readonly hasFired: HasFired;
}

/** What is watched, and what was given up, on the way. */
type Followed = Pick<ReferenceRunOptions, 'onOutput' | 'lost'>;

interface FollowedToTheEnd extends Followed {
  readonly begun?: BegunAnew | undefined;
}

const NO_ANSWER = 'a version says what it makes of the state of another';

export class ReferenceCourse {
  readonly #options: ReferenceCourseOptions;

  constructor(options: ReferenceCourseOptions) {
    this.#options = options;
  }

  /** A run that has come through all stations, and stands at the last of them. */
  follow({ first, stations }: Course, { onOutput, lost }: Followed = {}): ReferenceRun {
    let run = new ReferenceRun(this.#version(first).graph, this.#options.index, { onOutput, lost });
    let fromId = 0;
    let hasFinished = false;
    for (const station of stations) {
      run.advance(station.at);
      const { isDrained, checkpointId } = station;
      if (isDrained) run.finish('all', hasFinished ? 'timers' : 'timers-and-last-work');
      else run.fireTimers(this.#options.fired?.before(checkpointId, fromId));
      hasFinished ||= isDrained;
      run.beginEventTimeAnew();
      if (station.from !== station.to) run = this.#upgraded(run, station, onOutput);
      fromId = checkpointId;
    }
    return run;
  }

  /** All that comes out in the end. */
  toTheEnd(course: CurrentCourse, { begun, ...followed }: FollowedToTheEnd): void {
    const run = this.follow(course, followed);
    const lastWork = course.stations.some(({ isDrained }) => isDrained) ? 'timers' : 'timers-and-last-work';
    if (course.endsAt !== undefined) {
      run.advance(course.endsAt);
      return run.finish('all', lastWork);
    }
    if (begun !== undefined) {
      const behind = course.stations.at(-1)?.at;
      run.advance(begun.cut.map((offset, slot) => Math.max(offset, behind?.[slot] ?? 0)));
      run.fireTimers(begun.hasFired);
      run.beginEventTimeAnew();
    }
    run.advance(this.#options.index.end());
    run.finish('bounded', lastWork);
  }

  /** Which timers have fired before a checkpoint since the last station; undefined: there are no timers. */
  firedBefore(checkpointId: number, { stations }: Pick<Course, 'stations'>): HasFired | undefined {
    return this.#options.fired?.before(checkpointId, stations.at(-1)?.checkpointId);
  }

  #upgraded(before: ReferenceRun, { from, to, at }: Station, onOutput: OnOutput | undefined): ReferenceRun {
    const next = this.#version(to);
    const restored = operatorStateFor(next, before.job, from);
    const after = new ReferenceRun(next.graph, this.#options.index, { onOutput, from: at, restored });
    handOnKeyed(before.job, after.job, next, from);
    return after;
  }

  #version(number: number): JobVersion {
    const version = this.#options.versions.get(number);
    assert(version !== undefined, 'a version that was submitted is one of the job', { number });
    return version;
  }
}

function handOnKeyed(before: ReferenceJob, after: ReferenceJob, { audit }: JobVersion, from: number): void {
  for (const [operator, state] of after.keyedStates) {
    const older = before.keyedStates.get(operator);
    for (const { name, key, content } of older?.contents() ?? []) {
      if (!state.declares(name)) continue;
      if (older?.isOfTimers(name) === true) {
        state.adopt(name, key, content);
        continue;
      }
      assert(audit.upgraded !== undefined, NO_ANSWER, { operator, name });
      state.adopt(name, key, audit.upgraded({ from, operator, state: name, content }));
    }
  }
}

/** Of functions that the next version has, too: what it makes of the elements of their lists and the entries of their broadcast maps. */
function operatorStateFor({ graph, audit }: JobVersion, before: ReferenceJob, from: number): RestoredOperatorState {
  const restored = new Map<string, ReadonlyMap<string, readonly unknown[]>>();
  const kept = new Set(graph.vertices.flatMap(({ operators }) => operators.map(({ uid }) => uid)));
  for (const [operator, state] of before.operatorStates) {
    if (!kept.has(operator)) continue;
    const contents = new Map<string, readonly unknown[]>();
    for (const [name, content] of state.contents()) {
      assert(audit.upgraded !== undefined, NO_ANSWER, { operator, name });
      contents.set(name, audit.upgraded({ from, operator, state: name, content }) as readonly unknown[]);
    }
    restored.set(operator, contents);
  }
  return restored;
}
