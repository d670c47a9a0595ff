/**
 * What a life has shown, small enough to be compared with thousands of others: cells of the protocol it was in, a signature of its timeline,
 * and the points at which a fault could strike it.
 *
 * Owns: the measure. Does not own: what is new (corpus.ts).
 *
 * A cell is what happens at a role of node, behind what happened there before, while the newest checkpoint is at a point of its life and a
 * kind of fault was the last to begin. The signature is a MinHash (Broder 1997) of what follows what at each role, three at a time: the
 * share of equal lanes of two lives estimates how much of their timelines they have in common.
 */
import { pointOf } from '../../sim/faults/checkpoint-point.ts';
import type { HistoryEvent } from '../../sim/history/history-event.ts';
import type { PointTrigger } from '../crashpoints/crash-point.ts';

/** Plain JSON. */
export interface Coverage {
  /** 32-bit hashes, each once. */
  readonly cells: readonly number[];
  /** One hash per lane. */
  readonly timeline: readonly number[];
  /** Each point of each checkpoint and vertex once, in order. */
  readonly points: readonly PointTrigger[];
  /** Length of the history. */
  readonly historyLength: number;
}

export const LANES = 32;

/** What comes by the clock and says nothing of how the life goes. */
const CLOCKWORK: ReadonlySet<string> = new Set(['output-appended', 'phase', 'operator-event-sent']);
/** What an event is beside its kind. */
const DETAILS = ['status', 'state', 'reason', 'why', 'probe', 'message', 'outcome'] as const;

export function coverageOf(history: readonly HistoryEvent[]): Coverage {
  const cells = new Set<number>();
  const tokens = new Set<number>();
  const points = new Map<string, PointTrigger>();
  const last = new Map<string, readonly [string, string]>();
  let phase = '';
  let newest = 0;
  let fault = '';
  for (const entry of history) {
    const { event, node } = entry;
    if (CLOCKWORK.has(event.kind) || isRenewal(entry)) continue;
    if (event.kind === 'fault-started') fault = event.faultKind;
    const passed = pointOf(entry);
    if (passed !== undefined && passed.checkpoint >= newest) {
      newest = passed.checkpoint;
      phase = passed.point;
    }
    if (passed !== undefined) notePoint(points, passed);
    const role = node.replace(/-\d+$/, '');
    const name = eventName(entry);
    const [before, first] = last.get(node) ?? ['', ''];
    last.set(node, [name, before]);
    cells.add(hashText(`${role} ${before} ${name} ${phase} ${fault}`));
    tokens.add(hashText(`${role} ${first} ${before} ${name}`));
  }
  return { cells: [...cells], timeline: minHash(tokens), points: [...points.values()], historyLength: history.length };
}

/** How much of two timelines is the same: 0 to 1, in steps of a lane. */
export function likeness(one: Coverage, other: Coverage): number {
  let equal = 0;
  for (const [lane, value] of one.timeline.entries()) if (other.timeline[lane] === value) equal += 1;
  return equal / LANES;
}

/** Leases are renewed by the clock. */
const isRenewal = ({ event }: HistoryEvent): boolean =>
  event.kind === 'coordination-updated' && event.key.endsWith('/leader');

function eventName({ event }: HistoryEvent): string {
  const facts: Readonly<Record<string, unknown>> = { ...event };
  const details = DETAILS.flatMap((key) => (typeof facts[key] === 'string' ? [facts[key]] : []));
  return [event.kind, ...details].join('/');
}

function notePoint(points: Map<string, PointTrigger>, passed: NonNullable<ReturnType<typeof pointOf>>): void {
  const { point, checkpoint, vertex, subtask } = passed;
  const key = `${point} ${checkpoint} ${vertex ?? ''}`;
  if (points.has(key)) return;
  points.set(key, {
    point,
    ...(checkpoint === 0 ? {} : { checkpoint }),
    ...(vertex === undefined ? {} : { vertex }),
    ...(subtask === undefined ? {} : { subtask }),
    occurrence: 1,
  });
}

function minHash(tokens: ReadonlySet<number>): number[] {
  const lanes = new Array<number>(LANES).fill(0xffff_ffff);
  for (const token of tokens) {
    for (let lane = 0; lane < LANES; lane += 1) {
      const value = mixed(token ^ Math.imul(lane + 1, 0x9e37_79b1));
      if (value < (lanes[lane] ?? 0)) lanes[lane] = value;
    }
  }
  return lanes;
}

/** FNV-1a. */
function hashText(text: string): number {
  let hash = 0x811c_9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193);
  return mixed(hash);
}

/** The finalizer of MurmurHash3: every bit of the input moves every bit of the output. */
function mixed(word: number): number {
  let hash = word ^ (word >>> 16);
  hash = Math.imul(hash, 0x85eb_ca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
