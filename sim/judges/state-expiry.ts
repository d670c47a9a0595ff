/**
 * Judge of entries that expire (row S12): a counter goes on exactly if its last access is younger than its time to live.
 *
 * When a record is processed depends on the schedule, and a replay after a failure processes it later than before, so there is no one right
 * answer. But the visible accesses of a key follow each other as state does: checkpoint and output are cut alike. So each is judged by the
 * one before it, by the times that the job itself says, through any number of restores.
 *
 * The times that the job says are those of processing time, which never jumps (decision 0040); entries expire by wall clocks, which faults set
 * and which differ from node to node. By as much as they may have been wrong a life is given the benefit of the doubt (`clockErrorUs`).
 *
 * Owns the last visible access of each key. I1: order per key is what another judge asks for; here it is taken for granted.
 */
import type { StateKey } from '../../engine/job/functions.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import { Findings } from './findings.ts';
import type { CounterAccess, JobAudit } from './job-audit.ts';
import type { Judge } from './judge.ts';
import { Margins } from './margins.ts';
import type { SimulationPlan } from '../plan.ts';
import type { Verdict } from './verdict.ts';

const NAME = 'state-expiry';
const US_PER_MS = 1_000;
const PPM = 1_000_000;

export class StateExpiry implements Judge {
  readonly name = NAME;
  readonly kinds = ['transaction-committed', 'output-appended'] as const;
  readonly anomalies =
    'expired-state-alive: a counter goes on although its last access is older than its time to live. ' +
    'state-expired-early: it begins anew although its last access is younger. ' +
    'cleared-state-alive: it shows more than nothing when it has just been cleared.';
  readonly #expires: NonNullable<JobAudit['expires']>;
  readonly #findings = new Findings(NAME);
  readonly #last = new Map<StateKey, CounterAccess>();
  readonly #margins: Margins;
  readonly #doubtMs: number;
  #wentOn = 0;
  #expired = 0;

  constructor(expires: NonNullable<JobAudit['expires']>, margins: Margins = new Margins(), clockErrorUs = 0) {
    this.#expires = expires;
    this.#margins = margins;
    this.#doubtMs = clockErrorUs / US_PER_MS;
  }

  observe({ event, index: at }: HistoryEvent): void {
    if (event.kind !== 'transaction-committed' && event.kind !== 'output-appended') return;
    for (const value of event.values) this.#judge(this.#expires.access(value), at);
  }

  /** Entries of memory: as many as there are keys. */
  get remembered(): number {
    return this.#last.size;
  }

  finish(): Verdict[] {
    const counts = `${String(this.#wentOn)} times a counter went on, ${String(this.#expired)} times it had expired`;
    return this.#findings.verdicts(`Entries live as long as they should: ${counts}`);
  }

  #judge(access: CounterAccess, at: number): void {
    const before = this.#last.get(access.key);
    this.#last.set(access.key, this.#renewed(access, before));
    const shows = `the counter of ${String(access.key)} shows ${String(access.count)} after ${String(before?.count)}`;
    if (access.does === 'clear') {
      if (access.count !== 0) this.#findings.violated('cleared-state-alive', [at], () => shows);
      return;
    }
    if (before === undefined) return;
    const adds = access.does === 'read' ? 0 : 1;
    // Nothing was left that could go on; where clocks may go back, it may only have seemed so.
    if (before.count === 0) {
      if (access.count !== adds && this.#doubtMs === 0)
        this.#findings.violated('expired-state-alive', [at], () => shows);
      return;
    }
    const gapMs = access.atMs - before.atMs;
    const { ttlMs } = this.#expires;
    this.#margins.near('state-expiry/access-from-expiry', Math.round(Math.abs(gapMs - ttlMs) * US_PER_MS), at);
    if (access.count === before.count + adds) {
      this.#wentOn += 1;
      if (gapMs < ttlMs + this.#doubtMs) return;
      const say = (): string => `${shows}, ${String(gapMs)} ms later; it lives ${String(ttlMs)} ms`;
      this.#findings.violated('expired-state-alive', [at], say);
      return;
    }
    this.#expired += 1;
    if (access.count === adds && gapMs >= ttlMs - this.#doubtMs) return;
    this.#findings.violated('state-expired-early', [at], () => `${shows}, only ${String(gapMs)} ms later`);
  }

  /** The access that the next one is held against: a read that renews nothing leaves the time as it was. */
  #renewed(access: CounterAccess, before: CounterAccess | undefined): CounterAccess {
    if (access.does !== 'read' || this.#expires.renewsOnRead === true || before === undefined) return access;
    return { ...access, atMs: before.atMs };
  }
}

/** By how much two wall clocks of a life may come to disagree about the time between two moments, in microseconds. */
export function clockErrorUs({
  cluster,
  faults,
  liveness,
}: Pick<SimulationPlan, 'cluster' | 'faults' | 'liveness'>): number {
  const lifeUs = liveness.stormUs + liveness.withinUs;
  let errorUs = 0;
  for (const { offsetUs, driftPpm } of cluster.clocks ?? [])
    errorUs += Math.abs(offsetUs) + Math.ceil((Math.abs(driftPpm) * lifeUs) / PPM);
  for (const fault of faults) {
    if (fault.kind === 'clock-step') errorUs += Math.abs(fault.byUs);
    if (fault.kind === 'clock-drift') errorUs += Math.ceil((Math.abs(fault.driftPpm) * fault.forUs) / PPM);
  }
  return errorUs;
}
