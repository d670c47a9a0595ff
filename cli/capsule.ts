/**
 * A capsule: a failing life as one JSON file, enough to live it again on any machine and with later versions.
 *
 * Owns: the format and its decoding. `replay` also takes a bare plan.
 * I1: what comes from a file is unknown until decoded here.
 */
import { decodePlanIn, strangersIn } from '../scenarios/plan-file.ts';
import { formatProblem } from '../scenarios/problem.ts';
import { SourceDocument } from '../scenarios/source-document.ts';
import type { CertificateEntry } from '../scenarios/shrink/certificate.ts';
import type { ShrinkEnd } from '../scenarios/shrink/shrinker.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import type { RunRecord } from '../sim/run-record.ts';
import { readText } from './files.ts';
import type { Life } from './life.ts';
import { UsageError } from './usage-error.ts';

const KIND = 'tidemark-capsule';
const EXPECTED = "expected a capsule or a plan, as 'run', 'sweep' and 'bugs add' write them";

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
  /** Why shrinking ended. */
  readonly ended: ShrinkEnd;
  /** It ended as nothing smaller fails so, and everything that is left is necessary. */
  readonly isMinimal: boolean;
  readonly certificate: readonly CertificateEntry[];
}

/** What `replay` works with: the plan, and what the capsule remembers of its life. */
export interface Replayable {
  readonly plan: SimulationPlan;
  /** It was shrunk already. */
  readonly isShrunk: boolean;
  /** It is known that no smaller plan fails in the same way. */
  readonly isMinimal: boolean;
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

/** A capsule or a bare plan from a file, of a job and data sets that are known here. */
export const readReplayable = (file: string): Replayable => decode(file, readText(file), strangersIn);

/** A capsule or a bare plan from the text of a file; whose job it is of, who lives it may know. */
export const decodeReplayable = (file: string, text: string): Replayable => decode(file, text, () => []);

function decode(file: string, text: string, refused: typeof strangersIn): Replayable {
  const source = new SourceDocument(text, file);
  const { value } = source;
  // Of a file that is something else altogether, what is wrong with it as YAML says nothing.
  if (source.problems.length > 0 && !/^\s*\{/.test(text)) throw new UsageError(`${file}:1:1 ${EXPECTED}.`);
  if (source.problems.length > 0) throw new UsageError(source.problems.map(formatProblem).join('\n'));
  if (!isRecord(value) || !('kind' in value || 'engine' in value || 'topics' in value))
    throw new UsageError(`${file}:1:1 ${EXPECTED}.`);
  const isCapsule = value['kind'] === KIND;
  if (!isCapsule && 'kind' in value) throw new UsageError(wrongKey(source, 'kind', `'${KIND}', or none in a plan`));
  if (isCapsule && value['version'] !== 1)
    throw new UsageError(wrongKey(source, 'version', '1, the version of this format'));
  const path = isCapsule ? ['plan'] : [];
  const decoded = decodePlanIn(source, path);
  const problems = decoded.ok ? refused(decoded.plan, source, path) : decoded.problems;
  if (!decoded.ok || problems.length > 0) throw new UsageError(problems.map(formatProblem).join('\n'));
  if (!isCapsule) return { plan: decoded.plan, isShrunk: false, isMinimal: false };
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
    isMinimal: isRecord(shrunk) && shrunk['isMinimal'] === true,
    ...(from === undefined ? {} : { from }),
    ...(isTestedWith(testedWith) ? { testedWith } : {}),
    remembered: { engineVersion, digest, rungs },
  };
}

function wrongKey(source: SourceDocument, key: string, expected: string): string {
  const found = source.valueAt([key]);
  const message = found === undefined ? 'it is missing' : `${JSON.stringify(found)} is not allowed here`;
  return formatProblem(source.locate({ path: [key], onKey: false, message, expected }));
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
