/**
 * The trace: one aligned line per history event, for people and `grep`. docs/trace-format.md is its legend.
 *
 *     #000042      1.250000s  jobmanager-1    checkpoint-triggered      checkpointId=3 epoch=1 ...
 *
 * I1: equal events give equal lines; fields stand in the order of the event.
 */
import type { HistoryEvent } from '../sim/history/history-event.ts';

const INDEX_WIDTH = 6;
const SECONDS_WIDTH = 12;
const NODE_WIDTH = 18;
const KIND_WIDTH = 26;
const US_PER_SECOND = 1_000_000;
/** Longer lists are shortened: a trace line is for reading. */
const LIST_ITEMS_MAX = 8;

export function traceLine({ index, atUs, node, event }: HistoryEvent): string {
  const { kind, ...fields } = event;
  const head = [
    `#${String(index).padStart(INDEX_WIDTH, '0')}`,
    `${seconds(atUs).padStart(SECONDS_WIDTH)}s`,
    node.padEnd(NODE_WIDTH),
    kind.padEnd(KIND_WIDTH),
  ].join(' ');
  const tail = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${shown(value)}`)
    .join(' ');
  return `${head} ${tail}`.trimEnd();
}

/** Seconds with all six decimals, without floating point. */
function seconds(atUs: number): string {
  return `${Math.floor(atUs / US_PER_SECOND)}.${String(atUs % US_PER_SECOND).padStart(6, '0')}`;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) {
    const items = value.slice(0, LIST_ITEMS_MAX).map(shown).join(',');
    return value.length > LIST_ITEMS_MAX ? `[${items},...${value.length}]` : `[${items}]`;
  }
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value) ?? 'undefined';
}
