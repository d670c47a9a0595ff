/**
 * What happened in an event, in words of people who know Flink.
 *
 * Owns: the words. Does not own: which events are worth telling (narrative.ts).
 * I1: a sentence says what the event shows and no more: that a file was stored, not that it is durable.
 */
import { isMetadata } from '../../engine/protocol/savepoint-paths.ts';
import { faultLabel } from '../../sim/faults/fault.ts';
import type { HistoryEvent } from '../../sim/history/history-event.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { VertexName } from './vertex-name.ts';

export interface Wording {
  readonly plan: Pick<SimulationPlan, 'faults'>;
  readonly vertexName: VertexName;
}

/** Undefined: not worth a sentence of its own. */
export function eventText(entry: HistoryEvent, wording: Wording): string | undefined {
  return worldText(entry, wording) ?? durableText(entry) ?? checkpointText(entry, wording) ?? jobText(entry, wording);
}

/** Of any event, also of one that is not worth a sentence: somebody points at it. */
export function anyEventText(entry: HistoryEvent, wording: Wording): string {
  return eventText(entry, wording) ?? detailText(entry, wording) ?? plainText(entry, wording);
}

/** What a task does for a checkpoint: told of the checkpoints that the findings are about. */
export function detailText({ event }: HistoryEvent, { vertexName }: Wording): string | undefined {
  switch (event.kind) {
    case 'acknowledge-sent': {
      const { stateBytes, recordsInFlight, unaligned } = event.metrics;
      const inFlight = unaligned || recordsInFlight > 0 ? `, ${countOf(recordsInFlight, 'record')} in flight` : '';
      return `${vertexName(event.vertex)}/${event.subtask} acknowledges checkpoint ${event.checkpointId}: ${countOf(stateBytes, 'byte')} of state${inFlight}`;
    }
    case 'object-stored':
      return `${event.path} is stored, ${countOf(event.bytes, 'byte')}`;
    default:
      return undefined;
  }
}

function plainText({ node, event }: HistoryEvent, { vertexName }: Wording): string {
  if (event.kind === 'coordination-updated') return `${event.by} changes '${event.key}'`;
  const what = event.kind.replaceAll('-', ' ');
  const task = 'vertex' in event ? ` of ${vertexName(event.vertex)}/${event.subtask}` : '';
  const checkpoint = 'checkpointId' in event ? ` for checkpoint ${event.checkpointId}` : '';
  const [name] = ['path', 'transaction', 'message'].flatMap((field) =>
    Object.entries(event).filter(([key]) => key === field),
  );
  return `${node}: ${what}${task}${checkpoint}${name === undefined ? '' : ` (${String(name[1])})`}`;
}

const countOf = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

function worldText({ node, event }: HistoryEvent, { plan }: Wording): string | undefined {
  switch (event.kind) {
    case 'phase':
      return { storm: 'The life begins', liveness: 'The storm is over, all faults are undone', end: 'The life ends' }[
        event.phase
      ];
    case 'fault-started':
    case 'fault-effective':
    case 'fault-ended': {
      const fault = plan.faults.find(({ id }) => id === event.fault);
      const name = fault === undefined ? event.faultKind : faultLabel(fault);
      const says = { 'fault-started': 'begins', 'fault-effective': 'has its first effect', 'fault-ended': 'ends' };
      return `Fault ${event.fault} (${name}) ${says[event.kind]}`;
    }
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
    case 'probe':
      return `${node} meets a rare case: ${event.probe}`;
    default:
      return undefined;
  }
}

function durableText({ node, event }: HistoryEvent): string | undefined {
  switch (event.kind) {
    case 'object-stored':
      return isMetadata(event.path) ? `${event.path} is stored` : undefined;
    case 'object-deleted':
      return `${event.path} is deleted`;
    case 'writes-lost':
      return `Of ${event.path} ${event.left} of ${countOf(event.bytes, 'byte')} are left: the rest was not synced`;
    case 'coordination-updated':
      // Leases are renewed and ids taken all the time; who leads is told where it is acquired.
      return event.key.endsWith('/checkpoints') ? pointerText(event) : undefined;
    case 'transaction-committed':
      return `Transaction ${event.transaction} of ${event.producer} is committed with ${countOf(event.values.length, 'record')}, asked by epoch ${event.committedBy}`;
    case 'output-vanished':
      return `${countOf(event.lineages.length, 'record')} of ${event.transaction} that readers could see are gone`;
    case 'transaction-aborted':
      return `Transaction ${event.transaction} of ${event.producer} is aborted (${event.why})${event.preCommitted ? ', though it was pre-committed' : ''}`;
    case 'kafka-transaction':
      return event.state.startsWith('complete-')
        ? `Transaction ${event.transactionalId} is ${event.state === 'complete-commit' ? 'committed' : 'aborted'} on ${node}: its markers are written`
        : undefined;
    case 'output-appended':
      return `${countOf(event.values.length, 'record')} of ${event.producer} can be read on ${node}`;
    default:
      return undefined;
  }
}

/** What the pointer says is a text of the engine's own; checkpoints and epoch are found in it without knowing its form. */
function pointerText(event: { readonly version: number; readonly value: string; readonly by: string }): string {
  const ids = [...event.value.matchAll(/"id":(\d+)/g)].map((match) => match[1]);
  const epoch = /"epoch":(\d+)/.exec(event.value)?.[1];
  const names = ids.length === 0 ? 'no checkpoint' : `checkpoint ${ids.join(' and ')}`;
  return `The pointer names ${names} (version ${event.version}, written by ${event.by}${epoch === undefined ? '' : ` as epoch ${epoch}`})`;
}

function checkpointText({ event }: HistoryEvent, { vertexName }: Wording): string | undefined {
  switch (event.kind) {
    case 'checkpoint-triggered':
      return `${event.savepoint === undefined ? 'Checkpoint' : 'Savepoint'} ${event.checkpointId} is triggered; ${countOf(event.tasks.length, 'subtask')} ${event.tasks.length === 1 ? 'has' : 'have'} to acknowledge it`;
    case 'all-acknowledged':
      return `Checkpoint ${event.checkpointId} is acknowledged by all`;
    case 'decline-sent':
      return `${vertexName(event.vertex)}/${event.subtask} declines checkpoint ${event.checkpointId}: ${event.reason}`;
    case 'metadata-write-sent':
      return `The metadata of checkpoint ${event.checkpointId} is sent to ${event.path}`;
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
    default:
      return undefined;
  }
}

function jobText({ node, event }: HistoryEvent, { vertexName }: Wording): string | undefined {
  switch (event.kind) {
    case 'leadership-acquired':
      return `${node} leads, epoch ${event.epoch}`;
    case 'leadership-lost':
      return `${node} leads no more (epoch ${event.epoch})`;
    case 'job-status':
      // Every deployment begins with it.
      return event.status === 'created'
        ? undefined
        : `The job is ${event.status} (epoch ${event.epoch}, attempt ${event.jobAttempt})`;
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
    case 'operation-requested':
      return `The client asks for ${event.operation}`;
    case 'operation-answered':
      return `The client is told that ${event.operation} is ${event.outcome}${event.reason === '' ? '' : `: ${event.reason}`}`;
    default:
      return undefined;
  }
}
