/**
 * The result folder of a sweep: lives.jsonl is the truth, the CSV files and timeline.log follow it, capsules lie below it.
 *
 * I1: a life is appended when it is known, whole lines at a time; what was appended stays.
 * I2: a fresh sweep into a used folder keeps the earlier lives.jsonl under another name.
 * I3: a resumed sweep writes the CSV files anew from lives.jsonl, so that an interruption between two files leaves no gap.
 */
import { csvHeader, csvRows, type CsvTable, CSV_TABLES, SUBTASKS_FILE, timelineLines } from '../reports/index.ts';
import { encodePlan } from '../scenarios/plan-file.ts';
import { planHash } from '../scenarios/plan-hash.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import type { Capsule } from './capsule.ts';
import { type Appender, appender, exists, joinPath, readLines, rename, write } from './files.ts';
import { decodeLifeRow, type LifeRow } from './life-row.ts';

export const LIVES_FILE = 'lives.jsonl';
export const TIMELINE_FILE = 'timeline.log';
const CAPSULES_FOLDER = 'capsules';

export interface ResultStoreOptions {
  readonly folder: string;
  /** Go on with what lies there. */
  readonly resume: boolean;
  /** Do not keep an earlier lives.jsonl: the folder is of one life that can be lived again. */
  readonly replace?: boolean;
  /** Also the table of subtasks: the lives were asked for them. */
  readonly subtasks?: boolean;
  /** Whether a stored life still counts. */
  readonly keeps?: (row: LifeRow) => boolean;
  /** Told of each stored life that counts. */
  readonly onRow?: (row: LifeRow) => void;
}

export class ResultStore {
  readonly folder: string;
  readonly #lives: Appender;
  readonly #tables: readonly { readonly table: CsvTable; readonly file: Appender }[];
  readonly #fresh: boolean;
  #timeline: Appender | undefined;

  constructor(options: ResultStoreOptions) {
    const { folder, resume, replace = false, subtasks = false, keeps = () => true, onRow = () => {} } = options;
    this.folder = folder;
    this.#fresh = !resume;
    const livesPath = joinPath(folder, LIVES_FILE);
    const earlier = exists(livesPath) && !replace ? freeName(folder) : '';
    // Lives that no longer count stay in the earlier file, as all do when a sweep begins anew.
    const isStale = resume && earlier !== '' && holds(rowsOf(livesPath), (row) => !keeps(row));
    if (earlier !== '' && (!resume || isStale)) rename(livesPath, earlier);
    this.#lives = appender(livesPath, replace);
    const tables = CSV_TABLES.filter(({ file }) => subtasks || file !== SUBTASKS_FILE);
    this.#tables = tables.map((table) => ({ table, file: appender(joinPath(folder, table.file), true) }));
    for (const { table, file } of this.#tables) file.append(csvHeader(table));
    if (!resume) return;
    for (const row of rowsOf(isStale ? earlier : livesPath)) {
      if (!keeps(row)) continue;
      if (isStale) this.#lives.append(`${JSON.stringify(row)}\n`);
      this.#appendTables(row);
      onRow(row);
    }
  }

  append(row: LifeRow): void {
    this.#lives.append(`${JSON.stringify(row)}\n`);
    this.#appendTables(row);
    if (row.timeline.length === 0) return;
    this.#timeline ??= appender(joinPath(this.folder, TIMELINE_FILE), this.#fresh);
    this.#timeline.append(timelineLines(row.timeline));
  }

  close(): void {
    this.#lives.close();
    for (const { file } of this.#tables) file.close();
    this.#timeline?.close();
  }

  #appendTables(row: LifeRow): void {
    for (const { table, file } of this.#tables) {
      const rows = csvRows(table, [row]);
      if (rows !== '') file.append(rows);
    }
  }
}

/** The lives of a result folder. */
export function storedRows(folder: string): Generator<LifeRow> {
  return rowsOf(joinPath(folder, LIVES_FILE));
}

/** A line that was cut off by an interruption is skipped. */
function* rowsOf(path: string): Generator<LifeRow> {
  for (const line of readLines(path)) {
    const row = decodeLifeRow(line);
    if (row !== undefined) yield row;
  }
}

/** Writes a capsule below a folder and answers its name relative to it. */
export function writeCapsule(folder: string, capsule: Capsule): string {
  const name = `${CAPSULES_FOLDER}/${nameOf(capsule.plan, capsule.planHash)}.json`;
  write(joinPath(folder, name), `${JSON.stringify(capsule, null, 2)}\n`);
  return name;
}

/** The same of a plan whose life broke off: there is nothing of it to be put into a capsule. */
export function writeUnlived(folder: string, plan: SimulationPlan): string {
  const name = `${CAPSULES_FOLDER}/${nameOf(plan, planHash(plan))}.plan.json`;
  write(joinPath(folder, name), encodePlan(plan));
  return name;
}

const nameOf = ({ scenario, seed }: SimulationPlan, hash: string): string =>
  `${fileSafe(scenario)}-${fileSafe(seed)}-${hash.slice(0, 8)}`;

/** Any text as part of a file name; the plan hash behind it keeps different ones apart. */
const fileSafe = (text: string): string => text.replace(/[^A-Za-z0-9._-]+/g, '_').slice(0, 60);

/** Whether any row is so, looking at no more than needed. */
function holds(rows: Iterable<LifeRow>, condition: (row: LifeRow) => boolean): boolean {
  for (const row of rows) if (condition(row)) return true;
  return false;
}

function freeName(folder: string): string {
  for (let number = 1; ; number += 1) {
    const path = joinPath(folder, `lives.earlier-${number}.jsonl`);
    if (!exists(path)) return path;
  }
}
