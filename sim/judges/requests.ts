/**
 * What clients ask of the job is done as it was asked last, and they are told what came of it (rows C28, F6, F18; Flink: the REST API's trigger ids,
 * FLIP-291).
 *
 * Reads what is durable: how wide the job is to be, which request began a run, which ended one. Does not own: that an answer comes (progress.ts),
 * what a snapshot is worth that was handed out (savepoints.ts).
 *
 * I1: a request that comes late, or again, changes nothing: numbers of rescales only rise, and with them what cleaning up must know;
 * I2: what is told is compared with the record of the moment of telling, which is never younger than the answer;
 * I3: the width is judged at the end of a life that ended well, and where it is one number: not with an adaptive scheduler, nor where a subtask
 *     has finished, which keeps a job as wide as it was (row C22);
 * I4: whose the snapshot is that a run begins from, and whether the run may use its files, is what the plan says of the request that began it.
 */
import type { JobGraph } from '../../engine/job/job-graph.ts';
import { withParallelism } from '../../engine/job/scaled-graph.ts';
import {
  type CheckpointPointer,
  decodePointer,
  FIRST_RUN,
  type JobRun,
  pointerKey,
} from '../../engine/protocol/checkpoint-pointer.ts';
import { decodeRequirements, requirementsKey, type StoredRequirements } from '../../engine/protocol/job-scale.ts';
import type { ClaimMode } from '../../engine/protocol/client-operations.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import { Findings } from './findings.ts';
import { EPISODES_KEPT, forgetOldest } from './forget-oldest.ts';
import type { Fault } from '../faults/fault.ts';
import type { EndOfLife, Judge } from './judge.ts';
import type { Margins } from './margins.ts';
import type { Verdict } from './verdict.ts';

const NAME = 'requests';
const KINDS = ['coordination-updated', 'operation-answered', 'task-deployed', 'task-state'] as const;

type Seen = Extract<HistoryEvent['event'], { readonly kind: (typeof KINDS)[number] }>;
type Of<K extends Seen['kind']> = Extract<Seen, { readonly kind: K }>;

export interface RequestsOptions {
  readonly jobId: string;
  readonly isAdaptive: boolean;
  /** Of the version that runs now. */
  readonly graph: () => JobGraph;
  /** By trigger id of the stop or cancel: how the run behind it is to begin. */
  readonly claims: ReadonlyMap<string, ClaimMode>;
  readonly margins?: Margins;
}

export class Requests implements Judge {
  readonly name = NAME;
  readonly kinds = KINDS;
  readonly anomalies =
    'rescale-went-back: an older request takes the place of a newer one in the record of how wide the job is to be, or the record forgets how ' +
    'wide it ever was. rescale-not-carried-out: the job runs at the end, and not as wide as was asked for last. told-failed-though-begun: a ' +
    'client is told that its job could not be started again, and it was. told-done-though-not: a client is told of a start, or of a stop with ' +
    'savepoint, that no record shows. claimed-otherwise: a run owns what it begins from, or uses its files, unlike what was asked for.';
  readonly #options: RequestsOptions;
  readonly #findings = new Findings(NAME);
  readonly #keys: { readonly pointer: string; readonly requirements: string };
  /** By trigger id of the requests that began a run, or ended one as they should: the newest record that says so, and when the first was made. */
  readonly #recorded = new Map<string, { readonly at: number; readonly sinceUs: number }>();
  #run: JobRun | undefined;
  #required: { readonly value: StoredRequirements; readonly at: number } | undefined;
  /** Of the newest deployment of the whole job: parallelism by vertex. */
  #width: number[] = [];
  #deployment = '';
  #hasFinished = false;
  #answers = 0;

  constructor(options: RequestsOptions) {
    this.#options = options;
    this.#keys = { pointer: pointerKey(options.jobId), requirements: requirementsKey(options.jobId) };
  }

  observe({ event, index, atUs }: HistoryEvent): void {
    const seen = event as Seen;
    switch (seen.kind) {
      case 'coordination-updated':
        if (seen.key === this.#keys.pointer) return this.#onPointer(seen.value, index, atUs);
        if (seen.key === this.#keys.requirements) return this.#onRequirements(seen.value, index);
        return;
      case 'operation-answered':
        return this.#onAnswered(seen, index, atUs);
      case 'task-deployed':
        return this.#onDeployed(seen);
      case 'task-state':
        this.#hasFinished ||= seen.state === 'finished';
        return;
      default:
    }
  }

  /** Entries of memory; bounded, whatever the length of the life. */
  get remembered(): number {
    return this.#recorded.size + this.#width.length;
  }

  finish(end: EndOfLife): Verdict[] {
    if (end.cause === 'liveness-reached') this.#judgeWidth(end);
    return this.#findings.verdicts(`${String(this.#answers)} answers agree with what is recorded`);
  }

  #onPointer(value: string, index: number, atUs: number): void {
    const pointer = decodePointer(value);
    const { job } = pointer;
    if (job !== undefined && job.run > (this.#run ?? FIRST_RUN).run) this.#judgeClaim(pointer, job, index);
    this.#run = job;
    if (job === undefined) return;
    if (job.by !== '') this.#record(job.by, index, atUs);
    if (job.ended?.status === 'finished' && job.ended.by !== '') this.#record(job.ended.by, index, atUs);
    forgetOldest(this.#recorded, EPISODES_KEPT);
  }

  #record(triggerId: string, at: number, atUs: number): void {
    this.#recorded.set(triggerId, { at, sinceUs: this.#recorded.get(triggerId)?.sinceUs ?? atUs });
  }

  /** I4. What follows the trigger id of the stop or cancel tells its steps apart. */
  #judgeClaim({ completed }: CheckpointPointer, { run, by, fullFirst }: JobRun, at: number): void {
    const [restored] = completed;
    const claim = this.#options.claims.get(by.split('/')[0] ?? '');
    if (restored === undefined || claim === undefined) return;
    const owner = claim === 'claim' ? 'claimed' : 'user';
    if (restored.owner === owner && fullFirst === (claim === 'no-claim')) return;
    this.#findings.violated('claimed-otherwise', [at], () => {
      const first = fullFirst ? 'a full one' : 'any';
      return `Run ${String(run)} was asked for with ${claim}: the snapshot is ${String(restored.owner)}, its first checkpoint ${first}`;
    });
  }

  /** I1. The empty text: the job is over, and all of it is forgotten. */
  #onRequirements(value: string, at: number): void {
    const before = this.#required;
    this.#required = value === '' ? undefined : { value: decodeRequirements(value), at };
    const now = this.#required?.value;
    if (before === undefined || now === undefined) return;
    const { request, highestParallelism, upper } = before.value;
    const isOtherAnswer = now.request === request && now.upper !== upper;
    if (now.request >= request && now.highestParallelism >= highestParallelism && !isOtherAnswer) return;
    this.#findings.violated('rescale-went-back', [before.at, at], () => {
      const what = (of: StoredRequirements): string =>
        `request ${String(of.request)} for ${String(of.upper)} (never wider than ${String(of.highestParallelism)})`;
      return `The record says ${what(now)}, after it said ${what(before.value)}`;
    });
  }

  /** I2. */
  #onAnswered({ operation, triggerId, outcome, reason }: Of<'operation-answered'>, at: number, atUs: number): void {
    const isStart = operation === 'resume';
    if (!isStart && operation !== 'stop-with-savepoint') return;
    this.#answers += 1;
    const recorded = this.#recorded.get(triggerId);
    if (outcome === 'done' && recorded !== undefined)
      this.#options.margins?.near('requests/told-after-recorded', atUs - recorded.sinceUs, at);
    if (outcome === 'done' && recorded === undefined)
      this.#findings.violated(
        'told-done-though-not',
        [at],
        () => `${operation} ${triggerId} is done, and no record says so`,
      );
    const isItsRun = this.#run?.by === triggerId && this.#run.ended?.status !== 'failed';
    if (outcome !== 'failed' || !isStart || !isItsRun || recorded === undefined) return;
    this.#findings.violated('told-failed-though-begun', [recorded.at, at], () => {
      return `Request ${triggerId} began run ${String(this.#run?.run)}, and its client is told: ${reason}`;
    });
  }

  #onDeployed({ epoch, jobAttempt, vertex, parallelism }: Of<'task-deployed'>): void {
    const deployment = `${String(epoch)}/${String(jobAttempt)}`;
    if (deployment !== this.#deployment) this.#width = [];
    this.#deployment = deployment;
    this.#width[vertex] = parallelism;
  }

  /** I3. */
  #judgeWidth({ historyLength }: EndOfLife): void {
    const { isAdaptive, graph } = this.#options;
    const required = this.#required;
    if (isAdaptive || this.#hasFinished || required === undefined || required.value.request === 0) return;
    const due = withParallelism(graph(), required.value.upper).vertices.map(({ parallelism }) => parallelism);
    if (due.every((parallelism, vertex) => this.#width[vertex] === parallelism)) return;
    this.#findings.notLive('rescale-not-carried-out', [required.at, historyLength - 1], () => {
      return `Request ${String(required.value.request)} asks for ${String(required.value.upper)}: vertices of ${due.join(', ')} subtasks, and they have ${this.#width.join(', ')}`;
    });
  }
}

/** Of what somebody does to the job, as the plan has it: the id of a fault is the trigger id of its request. */
export const claimsAskedFor = (faults: readonly Fault[]): ReadonlyMap<string, ClaimMode> =>
  new Map(
    faults.flatMap((fault) =>
      fault.kind === 'operation' && 'thenResume' in fault.command && fault.command.thenResume !== undefined
        ? [[fault.id, fault.command.thenResume.claimMode] as const]
        : [],
    ),
  );
