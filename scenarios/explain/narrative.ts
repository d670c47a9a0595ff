/**
 * A failing life in sentences, for people who know Flink: what was done to it, what each checkpoint came to, and what is wrong in the end.
 *
 * Owns: which events are worth a sentence. Does not own: the words (event-text.ts), judging; the last sentences are the judges' own findings.
 * I1: every sentence names its history index, so that a reader finds it in the trace.
 * I2: an event that a finding or somebody else points at has a sentence of its own, which says who points at it.
 */
import type { HistoryEvent } from '../../sim/history/history-event.ts';
import { isFinding, type Verdict } from '../../sim/judges/verdict.ts';
import { anyEventText, detailText, eventText, type Wording } from './event-text.ts';
import { withoutRepetition } from './repetition.ts';
import { withoutRoutine } from './routine.ts';
import type { Sentence } from './sentence.ts';

export interface NarrativeInput extends Wording {
  readonly history: readonly HistoryEvent[];
  readonly verdicts: readonly Verdict[];
  /** Events shown in any case, by history index, and what they are: the decisive one, the critical pair. */
  readonly marked: ReadonlyMap<number, readonly string[]>;
}

/** Checkpoints that are told task by task. */
const DETAILED_MAX = 3;

/** Events of one kind in a row are one sentence. */
interface Run {
  readonly key: string;
  readonly first: HistoryEvent;
  readonly text: string;
  readonly marks: readonly string[];
  count: number;
}

export function narrative(input: NarrativeInput): Sentence[] {
  const { history, verdicts } = input;
  const failing = verdicts.filter(isFinding);
  const marks = marksOf(failing, input.marked);
  const detailed = checkpointsIn(failing, history);
  const consequences = consequencesOf(history, marks);
  const textOf = (entry: HistoryEvent): string | undefined => {
    if (consequences.silent.has(entry.index)) return undefined;
    const base = marks.has(entry.index) ? anyEventText(entry, input) : eventText(entry, input);
    const text = detailed.has(checkpointOf(entry)) ? (base ?? detailText(entry, input)) : base;
    return consequences.text(entry, text, input);
  };
  const sentences: Sentence[] = [];
  let run: Run | undefined;
  const close = (): void => {
    if (run !== undefined) sentences.push(ofRun(run));
    run = undefined;
  };
  const isTold = (entry: HistoryEvent): boolean => marks.has(entry.index) || detailed.has(checkpointOf(entry));
  for (const entry of withoutRoutine(history, isTold, (one) => textOf(one) === undefined)) {
    if ('begin' in entry) {
      close();
      sentences.push({ at: entry.begin.index, atUs: entry.begin.atUs, text: `${routineText(entry)}.` });
      continue;
    }
    const text = textOf(entry);
    if (text === undefined) continue;
    const own = marks.get(entry.index) ?? [];
    const key = own.length > 0 ? `only ${entry.index}` : runKey(entry);
    if (run?.key === key) {
      run.count += 1;
      continue;
    }
    close();
    run = { key, first: entry, text, marks: own, count: 1 };
  }
  close();
  const told = withoutRepetition(sentences);
  const end = history.at(-1)?.atUs ?? 0;
  for (const { judge, anomaly, message, at } of failing)
    told.push({ at: at.at(-1) ?? -1, atUs: end, text: `${judge} finds ${anomaly}: ${message}.` });
  return told;
}

function ofRun({ first, text, marks, count }: Run): Sentence {
  const more = count === 1 ? '' : ` (and ${count - 1} more alike)`;
  const sentence = { at: first.index, atUs: first.atUs, text: `${text}${more}.` };
  return marks.length === 0 ? sentence : { ...sentence, marks };
}

const routineText = ({ first, last }: { readonly first: number; readonly last: number }): string =>
  first === last
    ? `Checkpoint ${first} is triggered, acknowledged and completed`
    : `Checkpoints ${first} to ${last} are triggered, acknowledged and completed`;

function marksOf(
  failing: readonly Verdict[],
  marked: ReadonlyMap<number, readonly string[]>,
): ReadonlyMap<number, readonly string[]> {
  const marks = new Map(marked);
  for (const { judge, anomaly, at } of failing)
    at.forEach((index, place) => {
      const mark = place === at.length - 1 ? `${judge}/${anomaly}` : `held against ${judge}/${anomaly}`;
      marks.set(index, [...(marks.get(index) ?? []), mark]);
    });
  return marks;
}

/** What the newest checkpoint has in the end follows from earlier ones. */
const NAMED_CHECKPOINT = /(?<!newest )(?:checkpoint |chk-)(\d+)/gi;

/** The checkpoints that findings are about: named in their words, or whose event they point at. */
function checkpointsIn(failing: readonly Verdict[], history: readonly HistoryEvent[]): ReadonlySet<number> {
  const ids = failing.flatMap(({ at, message }) => [
    ...[...message.matchAll(NAMED_CHECKPOINT)].map((match) => Number(match[1])),
    ...at.flatMap((index) => {
      const entry = history[index];
      return entry === undefined ? [] : [checkpointOf(entry)];
    }),
  ]);
  return new Set([...new Set(ids.filter((id) => id > 0))].slice(0, DETAILED_MAX));
}

/** The checkpoint that an event is of, or whose file it is about; 0: of none. */
function checkpointOf({ event }: HistoryEvent): number {
  if ('checkpointId' in event) return event.checkpointId;
  if (!('path' in event)) return 0;
  return Number(/\/chk-(\d+)\//.exec(event.path)?.[1] ?? 0);
}

const SINGLY: ReadonlySet<string> = new Set([
  'phase',
  'acknowledge-sent',
  'object-stored',
  'writes-lost',
  'output-vanished',
]);

/** Alike: of one kind, checkpoint and node; what a task does for a checkpoint is its own. */
function runKey({ index, node, event }: HistoryEvent): string {
  if (SINGLY.has(event.kind)) return `${index}`;
  const { checkpointId, message } = { checkpointId: '', message: '', ...event };
  return `${event.kind}/${String(checkpointId)}/${'vertex' in event ? '' : node}/${String(message)}`;
}

interface Consequences {
  /** Said in the sentence of something else. */
  readonly silent: ReadonlySet<number>;
  /** The text with what it stands for as well. */
  text(entry: HistoryEvent, own: string | undefined, wording: Wording): string | undefined;
}

/** What a fault does in the moment in which it begins is one sentence with it; and so is what takes nodes away for good after the storm. */
function consequencesOf(history: readonly HistoryEvent[], marks: ReadonlyMap<number, readonly string[]>): Consequences {
  const silent = new Set<number>();
  const does = new Map<number, HistoryEvent>();
  const forGood = new Set<number>();
  let liveness = -1;
  for (const [place, entry] of history.entries()) {
    const { event, atUs } = entry;
    if (event.kind === 'phase' && event.phase === 'liveness') liveness = atUs;
    if (event.kind === 'node-crashed' && atUs === liveness) forGood.add(entry.index);
    if (event.kind !== 'fault-started') continue;
    for (let next = place + 1; next < history.length; next += 1) {
      const other = history[next];
      if (other === undefined || other.atUs !== atUs) break;
      if (other.event.kind === 'fault-started') break;
      const isOwn = 'fault' in other.event && other.event.fault === event.fault;
      const isDone = AT_ONCE.has(other.event.kind) && !does.has(entry.index);
      if ((!isOwn && !isDone) || marks.has(other.index)) continue;
      silent.add(other.index);
      if (isDone) does.set(entry.index, other);
    }
  }
  return {
    silent,
    text: (entry, own, wording) => {
      if (forGood.has(entry.index)) return `${entry.node} is taken away for good: what is left has to suffice`;
      const done = does.get(entry.index);
      if (done === undefined || entry.event.kind !== 'fault-started') return own;
      return `Fault ${entry.event.fault}: ${anyEventText(done, wording)}`;
    },
  };
}

const AT_ONCE: ReadonlySet<string> = new Set(['node-crashed', 'node-paused', 'operation-requested', 'process-exited']);
