/**
 * Judge 7, progress: after the storm the job runs again, completes two more checkpoints, the newest of which covers the input, shows all its
 * output, and leaves no open transaction and no orphan file. A job whose input is bounded, or that was drained, must have finished instead, and its result be remembered.
 *
 * Owns the question when a life may end well. Asked after `checkpoint-completed`, `transaction-committed` and
 * `object-deleted`; the dear part (listing objects) comes last and only when all else holds.
 *
 * I1: the goal is judged from the `liveness` phase on; what was completed before does not count.
 * I2: a limit that was hit, or an error that ended the life, gives `inconclusive`, never `passed`.
 */
import type { JobGraph } from '../../engine/job/job-graph.ts';
import type { RestartCause } from '../../engine/protocol/engine-events.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { SimulationPlan } from '../plan.ts';
import { AdaptiveWidth, type NarrowStretch, WIDTH_KINDS } from './adaptive-width.ts';
import { CheckpointStarvation, leftOf, STARVATION_KINDS, type Stretch } from './checkpoint-starvation.ts';
import { currentResult } from './current-result.ts';
import { Findings } from './findings.ts';
import { type DurableState, type EndOfLife, isCutOff, type Judge } from './judge.ts';
import type { Margins } from './margins.ts';
import { longestDelayUs, QuietStretch } from './quiet-stretch.ts';
import { RemainingTries } from './remaining-tries.ts';
import { secondsText } from './seconds-text.ts';
import type { Verdict } from './verdict.ts';

const NAME = 'progress';
/** Completed checkpoints that prove recovery: the first may still end what the storm began. */
const CHECKPOINTS_DUE = 2;
/**
 * Restarts without a fault that what faults left behind explains: machines that are gone for good, tasks that hang, a leader that changed. After
 * the storm no shipped scenario needs more than 2; more than these are a loop.
 */
const RESTARTS_MAX = 8;

/** What progress asks of the output judge. */
export interface OutputProgress {
  isComplete(): boolean;
  /** Every record is visible or lost. */
  isDecided(): boolean;
  /** Names the first record that is not visible. */
  firstMissing(): string;
}

const OWN_CAUSES: ReadonlySet<RestartCause> = new Set<RestartCause>(['rescale', 'checkpoint-failures']);
const KINDS = [...new Set([...STARVATION_KINDS, ...WIDTH_KINDS])];
const TOUCHES: ReadonlySet<string> = new Set(['node-crashed', 'operation-requested', 'operation-answered', 'phase']);

export interface ProgressOptions {
  readonly graph: JobGraph;
  readonly plan: SimulationPlan;
  readonly durable: DurableState;
  readonly output: OutputProgress;
  /** The life may end when nothing is left that nobody needs; the finding is the retention judge's. */
  readonly retention: { firstOrphan(): string | undefined };
  /** Whether the newest checkpoint covers the input; absent: none is taken, and output that is complete says so. */
  readonly isInputCovered?: () => boolean;
  readonly margins?: Margins;
}

export class Progress implements Judge {
  readonly name = NAME;
  readonly kinds = KINDS;
  readonly anomalies =
    'no-job-running: the job does not run at the end. no-checkpoint-completed: fewer than two checkpoints completed after the ' +
    'storm. job-not-finished: all input is bounded or the job was drained, but it has not finished. result-not-clean: it has, but that is not durable, or not cleaned up after. ' +
    'output-incomplete: a record is not visible. input-not-covered: all is visible, and no checkpoint has come to the end of the input. open-transaction: a transaction is neither committed nor aborted. ' +
    'operation-unanswered: somebody asked for something and was told nothing. ' +
    'job-failed: the job gave ' +
    'up. restart-loop: the job, or regions of it, restarted again and again behind the last fault. ' +
    'checkpoint-starvation: nothing disturbs the job, and for longer than interval, pause and what is pending allow no checkpoint is triggered, in the storm or after. ' +
    'narrower-than-possible: nothing disturbs a job under the adaptive scheduler, and for longer than it may wait it has fewer subtasks than there are slots. ' +
    'rescaled-for-nothing: such a job restarted for another parallelism, and has the same. ' +
    'restarted-without-cause: nothing has disturbed the job for longer than a checkpoint, and a heartbeat or a deployment, may take, and it fails. ' +
    'Each means not live, unless a limit of the run was hit: limit, or a process threw an error: cut-off.';
  readonly #options: ProgressOptions;
  #live = false;
  #running = false;
  #finished = false;
  readonly #isBounded: boolean;
  #isDrained = false;
  #epoch = 0;
  #completed = 0;
  /** Since the last fault, and the most that ever were. */
  #restarts = 0;
  #restartsMost = 0;
  #lastStatusAt = 0;
  readonly #tries: RemainingTries;
  readonly #quiet: QuietStretch;
  readonly #starvation: CheckpointStarvation;
  /** The first, and the event that ended it. */
  #starved: { readonly stretch: Stretch; readonly at: number } | undefined;
  readonly #width: AdaptiveWidth;
  #narrow: { readonly stretch: NarrowStretch; readonly at: number } | undefined;
  /** Event at which the job runs again, as wide as before. */
  #rescaledForNothingAt: number | undefined;
  /** When a machine was lost, somebody asked for something, or the storm ended: what the plan does beside its faults. */
  #touchedUs = 0;
  /** A sign of life that was sent before may come so much later. */
  readonly #delayUs: number;
  #causeless: { readonly quietUs: number; readonly at: number; readonly cause: RestartCause } | undefined;
  /** Trigger ids of operations whose client waits. */
  readonly #unanswered = new Set<string>();

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#tries = new RemainingTries(options.plan.engine, options.margins);
    this.#quiet = new QuietStretch(options.plan);
    this.#delayUs = longestDelayUs(options.plan);
    this.#width = new AdaptiveWidth({ ...options, delayUs: this.#delayUs }, this.#quiet);
    this.#starvation = new CheckpointStarvation(options.plan, this.#quiet);
    const { topics } = options.plan;
    this.#isBounded = topics.length > 0 && topics.every(({ bounded }) => bounded);
  }

  observe(entry: HistoryEvent): void {
    const { event, index: at, atUs } = entry;
    this.#tries.observe(entry);
    this.#noteStretch(this.#starvation.stretch(atUs), at);
    this.#noteWidth(atUs, at);
    if (this.#quiet.observe(entry)) this.#restarts = 0;
    this.#starvation.observe(entry);
    if (this.#width.observe(entry)) this.#rescaledForNothingAt ??= at;
    if (TOUCHES.has(event.kind)) this.#touchedUs = atUs;
    if (event.kind === 'checkpoint-completed') {
      if (this.#live) this.#completed += 1;
    } else if (event.kind === 'operation-requested') {
      this.#unanswered.add(event.triggerId);
    } else if (event.kind === 'operation-answered') {
      this.#unanswered.delete(event.triggerId);
    } else if (event.kind === 'restart-scheduled') {
      this.#onRestart();
      this.#noteCause(event.cause, at, atUs);
    } else if (event.kind === 'phase') {
      if (event.phase !== 'liveness') return;
      this.#live = true;
      this.#restarts = 0;
    } else if (event.kind === 'job-status' && event.epoch >= this.#epoch) {
      this.#epoch = event.epoch;
      this.#running = event.status === 'running';
      this.#finished = event.status === 'finished';
      this.#lastStatusAt = at;
    }
  }

  /** Entries of memory: operations whose clients wait. */
  get remembered(): number {
    return this.#unanswered.size + this.#width.remembered;
  }

  /** Whether its input counts as ended (row C28). */
  drained(isDrained: boolean): void {
    this.#isDrained = isDrained;
  }

  get #mustFinish(): boolean {
    return this.#isBounded || this.#isDrained;
  }

  /** Whether the life may end well now. */
  satisfied(): boolean {
    const { output, durable } = this.#options;
    if (!this.#live || !this.#isWhereItShould() || !this.#hasShown(output) || this.#unanswered.size > 0) return false;
    if (durable.openTransactions().length > 0 || !this.#hasReadOn()) return false;
    return this.#options.retention.firstOrphan() === undefined;
  }

  /** A job that has finished keeps no checkpoint that could say so. */
  #hasReadOn(): boolean {
    return this.#mustFinish || this.#options.isInputCovered?.() !== false;
  }

  /** Where records may be lost, those that are will never be seen. */
  #hasShown(output: OutputProgress): boolean {
    return output.isComplete() || (this.#options.plan.expect === 'at-most-once' && output.isDecided());
  }

  #isWhereItShould(): boolean {
    if (this.#mustFinish) return this.#finished && this.isRemembered();
    return this.#running && this.#completed >= CHECKPOINTS_DUE;
  }

  /** Row F18: that the job has finished is durable, and what it left behind is cleaned up. */
  isRemembered(): boolean {
    const { durable, graph } = this.#options;
    return currentResult(durable, graph.jobId)?.state === 'clean';
  }

  finish(end: EndOfLife): Verdict[] {
    const findings = new Findings(NAME);
    this.#noteStretch(this.#starvation.stretch(end.atUs), end.historyLength - 1);
    this.#noteWidth(end.atUs, end.historyLength - 1);
    if (end.cause === 'limit') findings.inconclusive('limit', () => `The life was cut off: ${this.#limit(end)}`);
    else if (end.cause === 'actor-threw')
      findings.inconclusive(
        'cut-off',
        () => `The life ended with an error that a process threw, ${seconds(end)} s after it began`,
      );
    else if (end.cause === 'job-failed') findings.notLive('job-failed', [this.#lastStatusAt], () => 'The job gave up');
    else if (end.cause !== 'liveness-reached' || !this.satisfied()) this.#explain(findings);
    this.#explainStarvation(findings);
    this.#explainWidth(findings);
    this.#explainCause(findings);
    if (this.#restartsMost > RESTARTS_MAX && !isCutOff(end)) {
      findings.notLive(
        'restart-loop',
        [],
        () => `${String(this.#restartsMost)} restarts in a row while nothing fails any more`,
      );
    }
    this.#noteDistance(end);
    const where = this.#mustFinish ? 'has finished' : 'runs';
    return findings.verdicts(`The job ${where}, ${String(this.#completed)} checkpoints completed after the storm`);
  }

  #noteStretch(stretch: Stretch | undefined, at: number): void {
    if (stretch === undefined) return;
    const leftUs = leftOf(stretch);
    this.#options.margins?.near('progress/trigger-due', leftUs, at);
    if (leftUs < 0) this.#starved ??= { stretch, at };
  }

  #explainStarvation(findings: Findings): void {
    if (this.#starved === undefined) return;
    const { fromUs, untilUs, mostUs } = this.#starved.stretch;
    findings.notLive('checkpoint-starvation', [this.#starved.at], () => {
      return `From ${secondsText(fromUs)} to ${secondsText(untilUs)} nothing disturbs the job and no checkpoint is triggered; one is due within ${secondsText(mostUs)}`;
    });
  }

  #onRestart(): void {
    if (this.#quiet.sinceUs === undefined) return;
    this.#restarts += 1;
    this.#restartsMost = Math.max(this.#restartsMost, this.#restarts);
  }

  /** Checkpoints fail by themselves where a job is slow (checkpoint-limits.ts counts them). */
  #noteCause(cause: RestartCause, at: number, atUs: number): void {
    const { engine } = this.#options.plan;
    const quietUs = this.#quiet.sinceUs;
    if (OWN_CAUSES.has(cause) || quietUs === undefined) return;
    const forUs = atUs - Math.max(quietUs, this.#touchedUs);
    const { heartbeatTimeoutUs, deploymentTimeoutUs } = engine.runtime;
    // Whoever was lost before is missed by its heartbeats, or by what it was to deploy.
    const noticedUs = Math.max(heartbeatTimeoutUs, deploymentTimeoutUs);
    if (forUs <= engine.checkpoint.timeoutUs + noticedUs + this.#delayUs) return;
    this.#causeless ??= { quietUs: forUs, at, cause };
  }

  #noteWidth(atUs: number, at: number): void {
    const stretch = this.#width.narrow(atUs);
    if (stretch !== undefined) this.#narrow ??= { stretch, at };
  }

  #explainWidth(findings: Findings): void {
    if (this.#rescaledForNothingAt !== undefined)
      findings.notLive('rescaled-for-nothing', [this.#rescaledForNothingAt], () => {
        return 'The job restarted for another parallelism, and has the same';
      });
    if (this.#narrow === undefined) return;
    const { fromUs, untilUs, mostUs, width, possible } = this.#narrow.stretch;
    findings.notLive('narrower-than-possible', [this.#narrow.at], () => {
      const [from, until, most] = [secondsText(fromUs), secondsText(untilUs), secondsText(mostUs)];
      return `From ${from} to ${until} nothing disturbs the job, which has parallelism ${String(width)} and could have ${String(possible)}; it may wait ${most}`;
    });
  }

  #explainCause(findings: Findings): void {
    if (this.#causeless === undefined) return;
    const { quietUs, at, cause } = this.#causeless;
    findings.notLive('restarted-without-cause', [at], () => {
      return `The job fails (${cause}), and for ${secondsText(quietUs)} nothing had disturbed it`;
    });
  }

  #noteDistance({ cause, atUs }: EndOfLife): void {
    const { margins, plan } = this.#options;
    if (cause !== 'liveness-reached') return;
    margins?.near('progress/time-left', plan.liveness.stormUs + plan.liveness.withinUs - atUs, -1);
    margins?.near('progress/restarts-left', RESTARTS_MAX - this.#restartsMost, -1);
  }

  /** Exactly what is missing; several may be. */
  #explain(findings: Findings): void {
    const { output, durable } = this.#options;
    this.#explainStatus(findings);
    if (!output.isComplete())
      findings.notLive('output-incomplete', [], () => `${output.firstMissing()} is not visible`);
    else if (!this.#hasReadOn())
      findings.notLive('input-not-covered', [], () => 'The newest checkpoint does not cover the input');
    for (const { transaction, preCommitted } of durable.openTransactions()) {
      const state = preCommitted ? 'pre-committed' : 'open';
      findings.notLive('open-transaction', [], () => `Transaction ${transaction} is still ${state}`);
    }
    for (const id of this.#unanswered)
      findings.notLive('operation-unanswered', [], () => `Operation ${id} was never answered`);
  }

  #explainStatus(findings: Findings): void {
    const statusAt = [this.#lastStatusAt];
    if (this.#mustFinish) {
      if (!this.#finished) findings.notLive('job-not-finished', statusAt, () => 'The input ended and the job goes on');
      else if (!this.isRemembered())
        findings.notLive(
          'result-not-clean',
          statusAt,
          () => 'The finished job is not remembered, or not cleaned up after',
        );
      return;
    }
    if (!this.#running) findings.notLive('no-job-running', statusAt, () => 'The job does not run at the end');
    if (this.#completed < CHECKPOINTS_DUE) {
      const done = String(this.#completed);
      findings.notLive(
        'no-checkpoint-completed',
        [],
        () => `${done} of ${String(CHECKPOINTS_DUE)} checkpoints completed after the storm`,
      );
    }
  }

  #limit(end: EndOfLife): string {
    const { maxVirtualUs, maxEvents, maxQueueLength } = this.#options.plan.limits;
    if (end.atUs >= maxVirtualUs) return `it reached ${String(maxVirtualUs)} microseconds of virtual time`;
    return `it reached ${String(maxEvents)} events, or ${String(maxQueueLength)} waiting ones`;
  }
}

const seconds = ({ atUs }: EndOfLife): string => (atUs / 1_000_000).toFixed(3);
