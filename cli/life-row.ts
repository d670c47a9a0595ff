/**
 * One line of `lives.jsonl`: what remains of a life in a sweep. All other result files can be made from these lines.
 *
 * Owns: the row and its decoding. Does not own: the files (result-store.ts).
 */
import type { LifeFigures } from '../reports/index.ts';
import type { Life } from './life.ts';
import { rounded } from './run-document.ts';

export interface LifeRow extends LifeFigures {
  readonly version: 1;
  /** Of this package; lives of another version are not resumed. */
  readonly engineVersion: string;
  readonly wallMs: number;
  /** False when the life, lived again, took another course. */
  readonly deterministic: boolean;
  /** File of the capsule, relative to the result folder; empty when the life passed. */
  readonly capsule: string;
}

export interface RowParts {
  readonly expect: LifeFigures['expect'];
  readonly swarm: LifeFigures['swarm'];
  /** Absent: nobody asked. */
  readonly patterns?: LifeFigures['patterns'];
  readonly engineVersion: string;
  readonly capsule: string;
}

export function lifeRow(life: Life, { expect, swarm, patterns = {}, engineVersion, capsule }: RowParts): LifeRow {
  const { history: _history, rungs: _rungs, verdict: _verdict, signature: _signature, ...figures } = life.record;
  return {
    version: 1,
    engineVersion,
    ...figures,
    ...life.judgement,
    expect,
    swarm,
    patterns,
    wallMs: rounded(life.wallMs),
    deterministic: life.otherDigest === '',
    capsule,
  };
}

/** A row from a line of a file; undefined when it is none of this version. */
export function decodeLifeRow(line: string): LifeRow | undefined {
  try {
    const value = JSON.parse(line) as Partial<LifeRow> | null;
    if (value === null || value.version !== 1 || typeof value.digest !== 'string') return undefined;
    // Rows of an earlier build lack what was added since.
    return {
      ...({ subtaskRecords: [], restoreRecords: [], swarm: [], patterns: {}, margins: {} } satisfies Partial<LifeRow>),
      ...(value as LifeRow),
    };
  } catch {
    return undefined;
  }
}
