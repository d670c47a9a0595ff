/**
 * The JSON document of one life (`run --json`, `replay --json`). Scripts read it; fields are added, never renamed.
 */
import type { SimulationPlan } from '../sim/plan.ts';
import type { RunRecord } from '../sim/run-record.ts';
import type { Life } from './life.ts';

export interface RunDocument
  extends Pick<
    RunRecord,
    | 'scenario'
    | 'seed'
    | 'planHash'
    | 'digest'
    | 'verdict'
    | 'verdicts'
    | 'signature'
    | 'events'
    | 'records'
    | 'checkpoints'
    | 'faults'
    | 'restarts'
    | 'failovers'
    | 'latency'
    | 'probes'
    | 'margins'
  > {
  readonly expect: SimulationPlan['expect'];
  readonly variant: string;
  /** Something was seen twice; no failure where the scenario expects at-least-once. */
  readonly duplicates: boolean;
  readonly virtualMs: number;
  readonly wallMs: number;
  /** Simulated time in units of wall time. */
  readonly simulatedToWall: number;
  /** False when the life, lived again, took another course. */
  readonly deterministic: boolean;
  readonly replay: string;
}

const US_PER_MS = 1_000;

export function runDocument(plan: SimulationPlan, life: Life, replay: string): RunDocument {
  const { record, judgement, wallMs } = life;
  const virtualMs = record.virtualUs / US_PER_MS;
  return {
    scenario: record.scenario,
    seed: record.seed,
    planHash: record.planHash,
    digest: record.digest,
    verdict: judgement.verdict,
    verdicts: record.verdicts,
    signature: judgement.signature,
    expect: plan.expect,
    variant: plan.variant,
    duplicates: judgement.duplicates,
    virtualMs,
    wallMs: rounded(wallMs),
    events: record.events,
    simulatedToWall: ratio(virtualMs, wallMs),
    records: record.records,
    checkpoints: record.checkpoints,
    faults: record.faults,
    restarts: record.restarts,
    failovers: record.failovers,
    latency: record.latency,
    probes: record.probes,
    margins: record.margins,
    deterministic: life.otherDigest === '',
    replay,
  };
}

/** Milliseconds of wall clock with three decimals: more would be noise. */
export const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;
export const ratio = (virtualMs: number, wallMs: number): number => (wallMs > 0 ? Math.round(virtualMs / wallMs) : 0);
