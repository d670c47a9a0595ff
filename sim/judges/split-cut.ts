/**
 * Where a checkpoint of a source with splits cuts each partition, from durable bytes: what the readers' state and the enumerator's
 * state hold (row K1).
 *
 * Shares no code with enumerator and reader. A partition that was discovered up to `next` was cut into ranges, and the newest of them,
 * the one that ends at `next`, must lie in exactly one place: not assigned, or with one reader, finished or not. If nobody has it, its
 * records are read by nobody after a restore; if two have it, they are read twice.
 *
 * Of a partition that has ended there may be no split any more.
 *
 * Of a chain of sources a split must say which one it is of, or the wrong one would be asked for its records.
 *
 * I1: the cut of a partition is the least position of what is still to be read; finished splits have nothing to be read.
 */
import { ENDED, type LogSplit } from '../../engine/protocol/operator-events.ts';

/** Splits of one source in one checkpoint. */
export interface SplitPlaces {
  /** Of the reader of each subtask that has state. */
  readonly readers: readonly { readonly subtask: number; readonly splits: readonly LogSplit[] }[];
  readonly enumerator: {
    readonly discovered: readonly { readonly partition: number; readonly next: number }[];
    readonly unassigned: readonly LogSplit[];
  };
  /** Of a chain of sources (row B24), which one a partition is of. Absent: there is one source. */
  readonly sourceOfPartition?: ReadonlyMap<number, number>;
}

export interface SplitProblem {
  readonly anomaly: 'split-lost' | 'split-twice' | 'split-of-another-source';
  readonly message: string;
}

/** A position of the log; `end`: everything was read. */
export type SplitPosition = Pick<LogSplit, 'offset' | 'sub'> | 'end';

export interface SplitCut {
  /** By partition; a partition with a lost split has none. */
  readonly positions: ReadonlyMap<number, SplitPosition>;
  readonly problems: readonly SplitProblem[];
}

interface Place {
  readonly split: LogSplit;
  readonly where: string;
}

export function splitCut({ readers, enumerator, sourceOfPartition }: SplitPlaces): SplitCut {
  const places: Place[] = enumerator.unassigned.map((split) => ({ split, where: 'the enumerator' }));
  for (const { subtask, splits } of readers) {
    for (const split of splits) places.push({ split, where: `reader ${String(subtask)}` });
  }
  const problems = doubles(places);
  const positions = new Map<number, SplitPosition>();
  for (const { partition, next } of enumerator.discovered) {
    const held = places.map(({ split }) => split).filter((split) => split.partition === partition);
    const newest = held.filter(({ end }) => end === next);
    if (newest.length === 0 && next !== ENDED) {
      const until = next < 0 ? 'its end' : `offset ${String(next)}`;
      problems.push({
        anomaly: 'split-lost',
        message: `the split of partition ${String(partition)} up to ${until} is assigned, but in no reader's state`,
      });
      continue;
    }
    const unread = held.filter(({ offset, end }) => end < 0 || offset < end);
    const [first] = unread.sort((a, b) => a.offset - b.offset || a.sub - b.sub);
    if (first !== undefined) positions.set(partition, { offset: first.offset, sub: first.sub });
    else positions.set(partition, next === ENDED ? 'end' : { offset: Math.max(0, next), sub: 0 });
  }
  for (const { split, where } of places) {
    const own = sourceOfPartition?.get(split.partition);
    if (split.source === own) continue;
    problems.push({
      anomaly: 'split-of-another-source',
      message: `split ${split.splitId} is at ${where} as one of source ${String(split.source)}, and is of source ${String(own)}`,
    });
  }
  for (const { split, where } of places) {
    if (enumerator.discovered.some(({ partition }) => partition === split.partition)) continue;
    problems.push({
      anomaly: 'split-twice',
      message: `split ${split.splitId} is at ${where}, and its partition is yet to be discovered`,
    });
  }
  return { positions, problems };
}

function doubles(places: readonly Place[]): SplitProblem[] {
  const first = new Map<string, string>();
  const problems: SplitProblem[] = [];
  for (const { split, where } of places) {
    const before = first.get(split.splitId);
    first.set(split.splitId, before ?? where);
    if (before === undefined) continue;
    problems.push({ anomaly: 'split-twice', message: `split ${split.splitId} is at ${before} and at ${where}` });
  }
  return problems;
}
