/**
 * A failing life in sentences, for people who know Flink: what was done to it, what each checkpoint came to, and what is wrong in the end.
 *
 * Owns: which events are worth a sentence, and the words. Does not own: judging; the last sentences are the judges' own findings.
 * I1: every sentence names its history index, so that a reader finds it in the trace.
 */
import { faultLabel } from '../../sim/faults/fault.ts';
import type { HistoryEvent } from '../../sim/history/history-event.ts';
import type { Verdict } from '../../sim/judges/verdict.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { VertexName } from './vertex-name.ts';

export interface Sentence {
  /** History index; -1: of no single event. */
  readonly at: number;
  readonly atUs: number;
  readonly text: string;
}

export interface NarrativeInput {
  readonly plan: SimulationPlan;
  readonly history: readonly HistoryEvent[];
  readonly verdicts: readonly Verdict[];
  readonly vertexName: VertexName;
  /** Events shown in any case: the decisive one, the critical pair. */
  readonly marked: ReadonlySet<number>;
}

/** Every so many events of one kind in a row become one sentence. */
interface Run {
  readonly key: string;
  readonly first: HistoryEvent;
  count: number;
}

export function narrative(input: NarrativeInput): Sentence[] {
  const sentences: Sentence[] = [];
  const shown = new Set(input.verdicts.flatMap(({ at }) => at));
  let run: Run | undefined;
  const close = (): void => {
    if (run === undefined) return;
    const more = run.count === 1 ? '' : ` (and ${run.count - 1} more alike)`;
    sentences.push(said(run.first, `${textOf(run.first, input) ?? plainText(run.first)}${more}.`));
    run = undefined;
  };
  for (const entry of withoutRoutine(input.history, (index) => shown.has(index) || input.marked.has(index))) {
    if (!('index' in entry)) {
      close();
      sentences.push(entry);
      continue;
    }
    const isShown = shown.has(entry.index) || input.marked.has(entry.index);
    const text = textOf(entry, input);
    if (text === undefined && !isShown) continue;
    const key = isShown ? `only ${entry.index}` : runKey(entry);
    if (run !== undefined && run.key === key) {
      run.count += 1;
      continue;
    }
    close();
    run = { key, first: entry, count: 1 };
  }
  close();
  const end = input.history.at(-1)?.atUs ?? 0;
  for (const { judge, anomaly, message, outcome, at } of input.verdicts) {
    if (outcome === 'passed') continue;
    sentences.push({ at: at[0] ?? -1, atUs: end, text: `${judge} finds ${anomaly}: ${message}.` });
  }
  return sentences;
}

/** A stretch of the life in which checkpoints did nothing but what they should is one sentence. */
type Told = HistoryEvent | Sentence;

/** Complete checkpoints in a row before they count as routine. */
const ROUTINE_CHECKPOINTS = 2;

function withoutRoutine(history: readonly HistoryEvent[], isShown: (index: number) => boolean): Told[] {
  const told: Told[] = [];
  let stretch: HistoryEvent[] = [];
  const close = (): void => {
    const ids = stretch.flatMap(({ event }) => (event.kind === 'checkpoint-completed' ? [event.checkpointId] : []));
    const [first, last] = [ids[0], ids.at(-1)];
    const begin = stretch[0];
    if (first === undefined || last === undefined || begin === undefined || ids.length < ROUTINE_CHECKPOINTS) {
      told.push(...stretch);
    } else {
      told.push(
        said(
          begin,
          `Checkpoints ${first} to ${last} are triggered, acknowledged, completed and committed as they should be.`,
        ),
      );
    }
    stretch = [];
  };
  for (const entry of history) {
    if (ROUTINE.has(entry.event.kind) && !isShown(entry.index)) {
      // A stretch begins with a trigger: what is left of an earlier checkpoint is told.
      if (stretch.length === 0 && entry.event.kind !== 'checkpoint-triggered') told.push(entry);
      else stretch.push(entry);
      continue;
    }
    close();
    told.push(entry);
  }
  close();
  return told;
}

/** What happens in every checkpoint, and between them. */
const ROUTINE: ReadonlySet<string> = new Set([
  'checkpoint-triggered',
  'coordinator-snapshot-taken',
  'operator-event-sent',
  'trigger-received',
  'barrier-received',
  'alignment-started',
  'alignment-done',
  'barrier-sent',
  'snapshot-taken',
  'state-write-sent',
  'object-stored',
  'object-deleted',
  'acknowledge-sent',
  'acknowledge-received',
  'all-acknowledged',
  'metadata-write-sent',
  'pointer-write-sent',
  'coordination-updated',
  'checkpoint-completed',
  'checkpoint-subsumed',
  'notify-complete-sent',
  'notify-complete-received',
  'transaction-opened',
  'transaction-pre-committed',
  'commit-sent',
  'transaction-committed',
  'message-discarded',
  'probe',
]);

const said = ({ index, atUs }: HistoryEvent, text: string): Sentence => ({ at: index, atUs, text });
/** Alike: of one kind, checkpoint and node. */
const runKey = ({ node, event }: HistoryEvent): string =>
  `${event.kind}/${'checkpointId' in event ? event.checkpointId : ''}/${'vertex' in event ? '' : node}/${'message' in event ? event.message : ''}`;

const plainText = ({ node, event }: HistoryEvent): string =>
  event.kind === 'coordination-updated' ? `${event.by} changes '${event.key}'` : `At ${node}: ${event.kind}`;

/** Undefined: not worth a sentence. */
function textOf(entry: HistoryEvent, input: NarrativeInput): string | undefined {
  return worldText(entry, input) ?? checkpointText(entry, input) ?? jobText(entry, input);
}

function worldText({ node, event }: HistoryEvent, { plan }: NarrativeInput): string | undefined {
  switch (event.kind) {
    case 'phase':
      return { storm: 'The life begins', liveness: 'The storm is over, all faults are undone', end: 'The life ends' }[
        event.phase
      ];
    case 'fault-started':
    case 'fault-effective': {
      const fault = plan.faults.find(({ id }) => id === event.fault);
      const name = fault === undefined ? event.faultKind : faultLabel(fault);
      return `Fault ${event.fault} (${name}) ${event.kind === 'fault-started' ? 'begins' : 'changes something'}`;
    }
    case 'fault-ended':
      return `Fault ${event.fault} (${event.faultKind}) ends`;
    case 'node-crashed':
      return `${node} crashes`;
    case 'node-started':
      return event.incarnation > 1 ? `${node} starts again, as process ${event.incarnation}` : undefined;
    case 'node-paused':
      return `${node} stands still`;
    case 'node-resumed':
      return `${node} goes on`;
    case 'process-exited':
      return `${node} ends its own process: ${event.why}`;
    case 'message-dropped':
      return `A message ${event.message} from ${node} to ${event.to} is lost (${event.why})`;
    case 'connection-reset':
      return `The connection of ${node} and ${event.peer} is reset`;
    case 'actor-threw':
      return `The engine on ${node} breaks its own assumption: ${event.fact}`;
    case 'session-ended':
      return `Session ${event.session} of ${event.owner} ends (${event.why})`;
    default:
      return undefined;
  }
}

function checkpointText({ event }: HistoryEvent, { vertexName }: NarrativeInput): string | undefined {
  switch (event.kind) {
    case 'checkpoint-triggered':
      return `${event.savepoint === undefined ? 'Checkpoint' : 'Savepoint'} ${event.checkpointId} is triggered; ${event.tasks.length} subtasks have to acknowledge it`;
    case 'all-acknowledged':
      return `Checkpoint ${event.checkpointId} is acknowledged by all`;
    case 'decline-sent':
      return `${vertexName(event.vertex)}/${event.subtask} declines checkpoint ${event.checkpointId}: ${event.reason}`;
    case 'metadata-write-sent':
      return `The metadata of checkpoint ${event.checkpointId} are sent to ${event.path}`;
    case 'object-stored':
      return event.path.endsWith('/_metadata') ? `${event.path} is durable` : undefined;
    case 'object-deleted':
      return `${event.path} is deleted`;
    case 'pointer-write-sent':
      return `The pointer to checkpoint ${event.checkpointId} is sent`;
    case 'checkpoint-completed':
      return `Checkpoint ${event.checkpointId} is complete for leader epoch ${event.epoch}`;
    case 'checkpoint-aborted':
      return `Checkpoint ${event.checkpointId} is aborted (${event.reason}) with ${event.acknowledged} of ${event.required} acknowledgements`;
    case 'commit-sent':
      return `${vertexName(event.vertex)}/${event.subtask} asks to commit transaction ${event.transaction} of checkpoint ${event.checkpointId}`;
    case 'commit-failed':
      return `The commit of transaction ${event.transaction} fails: ${event.outcome}`;
    case 'transaction-committed':
      return `Transaction ${event.transaction} of ${event.producer} is committed with ${event.values.length} records, asked by epoch ${event.committedBy}`;
    case 'transaction-aborted':
      return `Transaction ${event.transaction} of ${event.producer} is aborted (${event.why})${event.preCommitted ? ', though it was pre-committed' : ''}`;
    default:
      return undefined;
  }
}

function jobText({ node, event }: HistoryEvent, { vertexName }: NarrativeInput): string | undefined {
  switch (event.kind) {
    case 'leadership-acquired':
      return `${node} leads, epoch ${event.epoch}`;
    case 'leadership-lost':
      return `${node} leads no more (epoch ${event.epoch})`;
    case 'job-status':
      return `The job is ${event.status} (epoch ${event.epoch}, attempt ${event.jobAttempt})`;
    case 'restart-scheduled':
      return `A restart is due in ${event.delayUs / 1_000} ms: ${event.cause}`;
    case 'restore-chosen':
      return event.checkpointId === 0
        ? 'The job begins without a checkpoint'
        : `Checkpoint ${event.checkpointId} is chosen to be restored`;
    case 'task-state':
      return event.failure === undefined
        ? undefined
        : `${vertexName(event.vertex)}/${event.subtask} is ${event.state}: ${event.failure}`;
    case 'coordination-updated':
      // Leases are renewed and ids taken all the time; who leads is told where it is acquired.
      return event.key.endsWith('/checkpoints')
        ? `The pointer of ${event.by} is durable, version ${event.version}`
        : undefined;
    case 'operation-requested':
      return `The client asks for ${event.operation}`;
    case 'operation-answered':
      return `The client is told that ${event.operation} is ${event.outcome}${event.reason === '' ? '' : `: ${event.reason}`}`;
    default:
      return undefined;
  }
}
