/**
 * A capsule: a failing life as one JSON file, enough to live it again on any machine and with later versions.
 *
 * Owns: the format and its decoding. `replay` also takes a bare plan.
 * I1: what comes from a file is unknown until decoded here.
 */
import { decodePlanIn } from '../scenarios/plan-file.ts';
import { formatProblem } from '../scenarios/problem.ts';
import { SourceDocument } from '../scenarios/source-document.ts';
import type { CertificateEntry } from '../scenarios/shrink/certificate.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import type { RunRecord } from '../sim/run-record.ts';
import type { Life } from './life.ts';
import { UsageError } from './usage-error.ts';

export interface Capsule {
  readonly kind: 'tidemark-capsule';
  readonly version: 1;
  /** Version of the engine that lived it: only the same one must give the same digest. */
  readonly engineVersion: string;
  readonly planHash: string;
  readonly digest: string;
  readonly rungs: RunRecord['rungs'];
  readonly verdict: string;
  readonly signature: string;
  readonly verdicts: RunRecord['verdicts'];
  /** Trace lines up to the violation, for people. */
  readonly excerpt: readonly string[];
  readonly plan: SimulationPlan;
  /** Of a plan that was shrunk. */
  readonly shrunk?: ShrunkNote;
  /** Of a life in somebody's own test. */
  readonly testedWith?: TestedWith;
}

/** Job and rows that are not in a plan, as hashes. */
export interface TestedWith {
  readonly job: string;
  readonly input: string;
}

/** Where a shrunk plan comes from, and the proof that nothing of it can be left out. */
export interface ShrunkNote {
  /** Hash of the plan that failed first. */
  readonly from: string;
  readonly faultsBefore: number;
  readonly lives: number;
  readonly events: number;
  /** False: the budget ended before nothing smaller was found. */
  readonly isMinimal: boolean;
  readonly certificate: readonly CertificateEntry[];
}

/** What `replay` works with: the plan, and what the capsule remembers of its life. */
export interface Replayable {
  readonly plan: SimulationPlan;
  /** It is a smallest plan already. */
  readonly isShrunk: boolean;
  /** Of a shrunk plan: hash and number of faults of the plan that failed first. */
  readonly from?: { readonly planHash: string; readonly faults: number };
  /** Of a life in somebody's own test, by a version that says so. */
  readonly testedWith?: TestedWith;
  /** Absent for a bare plan. */
  readonly remembered?: { readonly engineVersion: string; readonly digest: string; readonly rungs: RunRecord['rungs'] };
}

export function capsuleOf(plan: SimulationPlan, life: Life, engineVersion: string): Capsule {
  const { record, judgement, excerpt } = life;
  return {
    kind: 'tidemark-capsule',
    version: 1,
    engineVersion,
    planHash: record.planHash,
    digest: record.digest,
    rungs: record.rungs,
    verdict: judgement.verdict,
    signature: judgement.signature,
    verdicts: record.verdicts,
    excerpt,
    plan,
  };
}

/** A capsule or a bare plan from the text of a file. */
export function decodeReplayable(file: string, text: string): Replayable {
  const source = new SourceDocument(text, file);
  if (source.problems.length > 0) throw new UsageError(source.problems.map(formatProblem).join('\n'));
  const { value } = source;
  const isCapsule = isRecord(value) && value['kind'] === 'tidemark-capsule';
  const decoded = decodePlanIn(source, isCapsule ? ['plan'] : []);
  if (!decoded.ok) throw new UsageError(decoded.problems.map(formatProblem).join('\n'));
  if (!isCapsule) return { plan: decoded.plan, isShrunk: false };
  const { engineVersion, digest, rungs } = value;
  if (typeof engineVersion !== 'string' || typeof digest !== 'string' || !isLadder(rungs)) {
    throw new UsageError(
      `${file}: the capsule lacks engineVersion, digest or rungs; write it again with 'tidemark run'.`,
    );
  }
  const { shrunk, testedWith } = value;
  const from = isRecord(shrunk) ? originOf(shrunk) : undefined;
  return {
    plan: decoded.plan,
    isShrunk: isRecord(shrunk),
    ...(from === undefined ? {} : { from }),
    ...(isTestedWith(testedWith) ? { testedWith } : {}),
    remembered: { engineVersion, digest, rungs },
  };
}

function originOf({ from, faultsBefore }: Readonly<Record<string, unknown>>): Replayable['from'] {
  return typeof from === 'string' && typeof faultsBefore === 'number'
    ? { planHash: from, faults: faultsBefore }
    : undefined;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isTestedWith = (value: unknown): value is TestedWith =>
  isRecord(value) && typeof value['job'] === 'string' && typeof value['input'] === 'string';

function isLadder(value: unknown): value is RunRecord['rungs'] {
  return (
    Array.isArray(value) &&
    value.every(
      (rung: unknown) => isRecord(rung) && typeof rung['event'] === 'number' && typeof rung['digest'] === 'string',
    )
  );
}
