/**
 * A bug base: a folder in which each bug is up to three files with one name.
 *
 *     <name>.plan.json   its plan, as `replay`, `shrink` and `explain` take it
 *     <name>.md          its story, which a person goes on writing
 *     <name>.bug.json    its signature, status, where it was first seen, what came of later runs (scenarios/bugs/bug-record.ts)
 *
 * Only the plan must be there. Without a record it is a regression: a bug that was fixed, whose plan has to pass. So a folder of plans with
 * stories, such as scenarios/regressions/, is a bug base, too. People may rename a bug: what it is stands in its record.
 *
 * I1: a file that cannot be decoded makes its bug a broken one, which says file, line and what was expected; the others are as they are.
 * I2: the plan of a bug changes only when a smaller one replaces it; story, first sight and history stay.
 */
import {
  type BugRecord,
  type BugRun,
  type BugStatus,
  decodeBugRecord,
  encodeBugRecord,
  withRun,
} from '../../scenarios/bugs/bug-record.ts';
import { bugKey } from '../../scenarios/bugs/pruning.ts';
import { decodeKnownPlan, encodePlan } from '../../scenarios/plan-file.ts';
import { formatProblem } from '../../scenarios/problem.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { exists, isDirectory, joinPath, namesIn, readText, removeFile, write } from '../files.ts';
import { shrunkFileOf } from '../shrunk-file.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { beginningOfStory, type StoryBeginning } from './bug-story.ts';

export interface Bug {
  readonly name: string;
  readonly plan: SimulationPlan;
  /** Absent: a regression. */
  readonly record?: BugRecord;
  /** Empty: there is none. */
  readonly story: string;
}

export interface BrokenBug {
  readonly name: string;
  /** For people: file, line, what was expected. */
  readonly problem: string;
}

export interface BugEntries {
  readonly bugs: readonly Bug[];
  readonly broken: readonly BrokenBug[];
}

export const DEFAULT_BUG_FOLDER = 'bugs';
/** What a folder without any bug may have and be a bug base. */
const IN_ANY_FOLDER = /^\.|^readme\b/i;
const ENDINGS = { plan: '.plan.json', record: '.bug.json', story: '.md' } as const;

export const statusOf = ({ record }: Bug): BugStatus => record?.status ?? 'fixed';
export const signatureOf = ({ record }: Bug): string => record?.signature ?? '';

export class BugBase {
  readonly folder: string;
  readonly #terminal: Pick<Terminal, 'today'>;

  constructor(folder: string, terminal: Pick<Terminal, 'today'>) {
    this.folder = folder;
    this.#terminal = terminal;
  }

  /** In the order of their names. */
  entries(): BugEntries {
    if (exists(this.folder) && !isDirectory(this.folder))
      throw new UsageError(`${this.folder} is a file; expected the folder of a bug base, or a new name.`);
    const names = namesIn(this.folder);
    const bugs: Bug[] = [];
    const broken: BrokenBug[] = [];
    for (const file of names) {
      if (!file.endsWith(ENDINGS.plan)) continue;
      const name = file.slice(0, -ENDINGS.plan.length);
      const entry = this.#read(name);
      if ('problem' in entry) broken.push(entry);
      else bugs.push(entry);
    }
    for (const file of names) {
      const name = file.slice(0, -ENDINGS.record.length);
      if (!file.endsWith(ENDINGS.record) || names.includes(`${name}${ENDINGS.plan}`)) continue;
      broken.push({
        name,
        problem: `${joinPath(this.folder, file)}: expected its plan beside it, ${name}${ENDINGS.plan}`,
      });
    }
    return { bugs, broken };
  }

  /** All bugs; none where there is no such folder. Refuses a base with broken ones. */
  wholeEntries(): readonly Bug[] {
    const { bugs, broken } = this.entries();
    if (broken.length > 0) throw new UsageError(broken.map(({ problem }) => problem).join('\n'));
    return bugs;
  }

  /** The open bug that a failure is. */
  openBug(signature: string, plan: SimulationPlan): Bug | undefined {
    const key = bugKey(signature, plan);
    return this.wholeEntries().find((bug) => statusOf(bug) === 'open' && bugKey(signatureOf(bug), bug.plan) === key);
  }

  add(beginning: StoryBeginning): Bug {
    const { plan, life, firstSeen, isMinimal } = beginning;
    const { signature } = life.judgement;
    const name = this.#freeName(signature, plan);
    const record: BugRecord = {
      kind: 'tidemark-bug',
      version: 1,
      signature,
      status: 'open',
      isMinimal,
      firstSeen: { ...firstSeen, on: this.#terminal.today() },
      runs: [],
    };
    const bug = { name, plan, record, story: beginningOfStory(beginning) };
    write(this.path(name, 'plan'), encodePlan(plan));
    write(this.path(name, 'story'), bug.story);
    write(this.path(name, 'record'), encodeBugRecord(record));
    return bug;
  }

  /** Puts a smaller plan in the place of a bug's own. */
  replacePlan(bug: Bug, { plan, isMinimal }: { readonly plan: SimulationPlan; readonly isMinimal: boolean }): void {
    write(this.path(bug.name, 'plan'), encodePlan(plan));
    this.#changed(bug, (record) => ({ ...record, isMinimal }));
  }

  /** Adds to the history of a bug; a regression has none. Answers the bug as it is then. */
  note(bug: Bug, run: BugRun): Bug {
    return this.#changed(bug, (record) => withRun(record, { ...run, on: this.#terminal.today() }));
  }

  markFixed(bug: Bug): Bug {
    return this.#changed(bug, (record) => ({ ...record, status: 'fixed' }));
  }

  remove({ name }: Bug): void {
    for (const part of ['record', 'story', 'plan'] as const) removeFile(this.path(name, part));
    // What `explain` kept of it.
    removeFile(shrunkFileOf(this.path(name, 'plan')));
  }

  path(name: string, part: keyof typeof ENDINGS): string {
    return joinPath(this.folder, `${name}${ENDINGS[part]}`);
  }

  #changed(bug: Bug, change: (record: BugRecord) => BugRecord): Bug {
    if (bug.record === undefined) return bug;
    const record = change(bug.record);
    if (record !== bug.record) write(this.path(bug.name, 'record'), encodeBugRecord(record));
    return { ...bug, record };
  }

  #read(name: string): Bug | BrokenBug {
    const [planFile, recordFile, storyFile] = [
      this.path(name, 'plan'),
      this.path(name, 'record'),
      this.path(name, 'story'),
    ];
    const plan = decodeKnownPlan(readText(planFile), planFile);
    if (!plan.ok) return { name, problem: plan.problems.map(formatProblem).join('\n') };
    const story = exists(storyFile) ? readText(storyFile) : '';
    if (!exists(recordFile)) return { name, plan: plan.plan, story };
    const record = decodeBugRecord(readText(recordFile), recordFile);
    if (!record.ok) return { name, problem: record.problems.map(formatProblem).join('\n') };
    return { name, plan: plan.plan, record: record.record, story };
  }

  /** Named after how it fails; numbered where that is taken. */
  #freeName(signature: string, { variant }: SimulationPlan): string {
    const base = ownName(signature, variant);
    const taken = namesIn(this.folder);
    for (let number = 1; ; number += 1) {
      const name = number === 1 ? base : `${base}-${number}`;
      if (!Object.values(ENDINGS).some((ending) => taken.includes(`${name}${ending}`))) return name;
    }
  }
}

const ownName = (signature: string, variant: string): string =>
  `${signature}${variant === 'standard' ? '' : `-on-${variant}`}`.replace(/[^A-Za-z0-9]+/g, '-');

/** Nobody has renamed it. */
export function isNamedByBase(bug: Bug): boolean {
  const base = ownName(signatureOf(bug), bug.plan.variant);
  return bug.name === base || (bug.name.startsWith(`${base}-`) && /^\d+$/.test(bug.name.slice(base.length + 1)));
}

/** The bug base that is named by a folder; one that lists or lives bugs has to be there. */
export function existingBase(folder: string | undefined, terminal: Terminal): BugBase {
  const path = folder ?? DEFAULT_BUG_FOLDER;
  if (!exists(path)) {
    throw new UsageError(
      `${path}: there is no such folder; expected a bug base. '${terminal.invocation} bugs add' and 'sweep --bugs' make one.`,
    );
  }
  const base = new BugBase(path, terminal);
  const { bugs, broken } = base.entries();
  const names = namesIn(path).filter((name) => !IN_ANY_FOLDER.test(name));
  if (bugs.length + broken.length === 0 && names.length > 0) {
    throw new UsageError(
      `${path}: it holds no bug but other files, such as ${names[0]}; expected a bug base, whose bugs are NAME.plan.json, or an empty folder.`,
    );
  }
  return base;
}
