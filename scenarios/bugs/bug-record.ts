/**
 * What a bug base remembers of a bug beside its plan and its story: how it fails, where it was first seen, what came of each later life.
 *
 * Owns: the form of `<name>.bug.json` and its decoding. Does not own: the plan (plan-file.ts), which bugs stay (pruning.ts), files (cli/bugs/).
 * I1: a record is appended to, never rewritten: a run that shows what the last one showed adds nothing.
 * I2: no clock decides anything; a day (`on`) is a note for people.
 */
import { z } from 'zod';
import type { FileProblem } from '../problem.ts';
import { record } from '../schema/scalars.ts';
import { inFileOrder, problemsOfIssue } from '../schema-problem.ts';
import { SourceDocument } from '../source-document.ts';

/** `open`: its plan fails, or failed when it was last lived. `fixed`: it is kept so that it does not come back; its plan has to pass. */
export const BUG_STATUSES = ['open', 'fixed'] as const;
export type BugStatus = (typeof BUG_STATUSES)[number];

/**
 * What came of living a bug's plan: it fails with the bug's signature, with another one, not at all; a limit was hit; or it could not be
 * lived.
 */
export const BUG_OUTCOMES = ['reproduces', 'fails-otherwise', 'gone', 'inconclusive', 'not-lived'] as const;
export type BugOutcome = (typeof BUG_OUTCOMES)[number];

export interface FirstSeen {
  /** Name of the scenario. */
  readonly scenario: string;
  readonly seed: string;
  /** Version of the package. */
  readonly engineVersion: string;
  /** Hash of the plan that failed first, and how many faults it had; the one that is kept may be smaller. */
  readonly planHash: string;
  readonly faults: number;
  /** Calendar day, YYYY-MM-DD. */
  readonly on?: string;
}

/** One life of the plan, by `tidemark bugs run`. */
export interface BugRun {
  readonly engineVersion: string;
  readonly outcome: BugOutcome;
  /** `judge/anomaly`; empty when it passed. */
  readonly signature: string;
  /** Digest of the life; empty when it could not be lived. */
  readonly digest: string;
  /** Calendar day, YYYY-MM-DD. */
  readonly on?: string;
}

export interface BugRecord {
  readonly kind: 'tidemark-bug';
  readonly version: 1;
  /** `judge/anomaly` of the failure: with the plan's engine variant, what makes it this bug. */
  readonly signature: string;
  readonly status: BugStatus;
  /** Whether the plan is known to be the smallest that fails so; absent: nobody noted it. */
  readonly isMinimal?: boolean;
  readonly firstSeen: FirstSeen;
  /** Oldest first. */
  readonly runs: readonly BugRun[];
}

const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, { error: 'expected a day as YYYY-MM-DD' });
const text = (what: string) => z.string({ error: `expected ${what}` });
const bugRecordSchema = record({
  kind: z.literal('tidemark-bug'),
  version: z.literal(1),
  signature: text("a judge and its anomaly, 'judge/anomaly'").regex(/^[^/]+\/[^/]+$/, {
    error: "expected a judge and its anomaly, 'judge/anomaly'",
  }),
  status: z.enum(BUG_STATUSES),
  isMinimal: z.boolean({ error: 'expected true or false' }).exactOptional(),
  firstSeen: record({
    scenario: text('the name of a scenario'),
    seed: text('a seed, as text'),
    engineVersion: text('a version'),
    planHash: text('the hash of a plan'),
    faults: z.int({ error: 'expected a whole number' }).min(0, { error: 'expected a whole number of at least 0' }),
    on: day.exactOptional(),
  }),
  runs: z.array(
    record({
      engineVersion: text('a version'),
      outcome: z.enum(BUG_OUTCOMES),
      signature: text("'judge/anomaly', or nothing"),
      digest: text('a digest, or nothing'),
      on: day.exactOptional(),
    }),
  ),
});

export type DecodedBugRecord =
  | { readonly ok: true; readonly record: BugRecord }
  | { readonly ok: false; readonly problems: readonly FileProblem[] };

export const encodeBugRecord = (bug: BugRecord): string => `${JSON.stringify(bug, null, 2)}\n`;

/** Reads a record; `file` is shown in messages. */
export function decodeBugRecord(source: string, file: string): DecodedBugRecord {
  const document = new SourceDocument(source, file);
  if (document.problems.length > 0) return { ok: false, problems: document.problems };
  const parsed = bugRecordSchema.safeParse(document.value);
  if (parsed.success) return { ok: true, record: parsed.data };
  const found = parsed.error.issues.flatMap((issue) => problemsOfIssue(issue, document.value));
  return { ok: false, problems: inFileOrder(found.map((problem) => document.locate(problem))) };
}

/** The record with one more run, or the record itself when nothing is new (I1). */
export function withRun(bug: BugRecord, run: BugRun): BugRecord {
  const last = bug.runs.at(-1);
  const isSame =
    last !== undefined &&
    last.engineVersion === run.engineVersion &&
    last.outcome === run.outcome &&
    last.signature === run.signature &&
    last.digest === run.digest;
  return isSame ? bug : { ...bug, runs: [...bug.runs, run] };
}
