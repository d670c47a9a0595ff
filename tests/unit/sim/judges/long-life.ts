/**
 * Scripts of lives of any length, for what is remembered of them: a round of everything that comes again and again, and one of what clients ask.
 *
 * They need not make sense to each judge in all details; a judge that finds something goes on.
 */
import {
  checkpointId,
  executionAttemptId,
  leaderEpoch,
  type MailboxId,
  nodeId,
  taskMailbox,
} from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import {
  encodeLease,
  encodePointer,
  type JobRun,
  leaderKey,
  pointerKey,
} from '../../../../engine/protocol/checkpoint-pointer.ts';
import { encodeLeaderRecord, LEADER_ANNOTATION, latchPath } from '../../../../engine/protocol/leader-records.ts';
import type { EngineMessage } from '../../../../engine/protocol/messages.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import { encodeLedgerEntry } from '../../../../sim/judges/ledger-entry.ts';
import { ALIGNED } from '../../../support/engine-values.ts';
import { JOB_ID, metadataPath, statePath } from './small-life.ts';

type Event = HistoryEvent['event'];

interface Task {
  readonly attempt: ReturnType<typeof executionAttemptId>;
  readonly vertex: number;
  readonly subtask: number;
}

/** Key of the ledger that each checkpoint is told. */
export const LEDGER_KEY = 'ledger';
/** Subtasks of the job, each with an attempt and a transaction a round. */
export const SUBTASKS = 8;
/** Every attempt runs here, and dies with it. */
const TASK_MANAGER = nodeId('taskmanager-1');
const BY = nodeId('jobmanager-1');

/** Where it happens. */
export const placeOf = ({ kind }: Event): HistoryEvent['node'] =>
  kind === 'node-crashed' || kind === 'task-state' ? TASK_MANAGER : BY;

/** One crash, one leader by each kind of record, one restart, one checkpoint and one that fails, one savepoint that nobody hears of, some output. */
export function* round(n: number): Generator<Event> {
  const epoch = leaderEpoch(n);
  const id = checkpointId(n);
  const before = checkpointId(n - 1);
  const tasks = tasksOf(n);
  yield { kind: 'node-crashed', incarnation: n };
  yield* records(n);
  yield { kind: 'leadership-acquired', epoch };
  yield { kind: 'restart-scheduled', epoch, cause: 'taskmanager-lost', delayUs: micros(1) };
  yield { kind: 'restore-chosen', epoch, jobAttempt: n, checkpointId: before };
  yield* deployed(n, epoch);
  for (const task of tasks) {
    yield { kind: 'task-state', ...task, state: 'running' };
    yield { kind: 'task-restored', ...task, checkpointId: before };
  }
  const triggered = { kind: 'checkpoint-triggered', epoch, jobAttempt: 1, options: ALIGNED, checkpointId: id } as const;
  yield { ...triggered, tasks: tasks.map(({ attempt }) => attempt) };
  yield { kind: 'markers-put', group: 'g', checkpointId: n, partitions: [0], offsets: [n] };
  for (const task of tasks) yield* snapshots(task, n);
  yield { kind: 'object-stored', path: metadataPath(n), bytes: 1 };
  yield { kind: 'object-stored', path: `savepoints/savepoint-job-${n}/_metadata`, bytes: 1 };
  const pointer = encodePointer({ epoch, completed: [{ id, metadata: metadataPath(n) }] });
  yield { kind: 'coordination-updated', key: pointerKey(JOB_ID), version: n, value: pointer, by: BY };
  yield { kind: 'object-deleted', path: statePath(n - 1, 0) };
  for (const task of tasks) {
    yield { kind: 'notify-complete-received', ...task, checkpointId: id };
    yield { kind: 'notify-aborted-received', ...task, checkpointId: checkpointId(n + 1) };
    yield* output(n, task);
  }
  const sizes = { stateBytes: 1, metadataBytes: 1, endToEndUs: 1 };
  yield { kind: 'checkpoint-completed', epoch, checkpointId: id, triggeredAtUs: micros(0), ...sizes };
}

const tasksOf = (n: number): readonly Task[] =>
  Array.from({ length: SUBTASKS }, (_, subtask) => {
    return { attempt: executionAttemptId(SUBTASKS * n + subtask), vertex: 1, subtask };
  });

function* deployed(n: number, epoch: ReturnType<typeof leaderEpoch>): Generator<Event> {
  const of = { epoch, jobAttempt: n, node: TASK_MANAGER, parallelism: SUBTASKS };
  for (const task of tasksOf(n)) yield { kind: 'task-deployed', ...task, ...of };
}

/** The lease, the ConfigMap, and a latch node behind one that stays; the ledger's number. */
function* records(n: number): Generator<Event> {
  const written = { kind: 'coordination-updated', by: BY, version: n } as const;
  const lease = { epoch: leaderEpoch(n), holder: 'jobmanager-1', incarnation: 1, renewal: 0 };
  yield { ...written, key: leaderKey(JOB_ID), value: encodeLease(lease) };
  const times = { leaseDurationUs: 1, acquireTimeUs: 1, renewTimeUs: 1 };
  const record = encodeLeaderRecord({ holderIdentity: 'jobmanager-1/1/1', leaderTransitions: n, ...times });
  yield { ...written, key: `${JOB_ID}/${LEADER_ANNOTATION}`, value: record };
  yield { ...written, key: latchKey(n), value: 'jobmanager-2/1' };
  if (n > 2) yield { ...written, key: latchKey(n - 1), value: '', version: 0 };
  const numbered = encodeLedgerEntry({ epoch: n, sequence: 1, what: 'numbered', checkpointId: n, number: n });
  yield { ...written, key: LEDGER_KEY, value: numbered };
}

const latchKey = (n: number): string => `${latchPath(JOB_ID).slice(1)}/c-latch-${String(n).padStart(10, '0')}`;

/** Of a job with event time; of the next checkpoint, too, which is undone when the job restarts. */
function* snapshots(task: Task, n: number): Generator<Event> {
  const time = [{ operator: 'windows', keyGroups: { start: task.subtask, end: task.subtask }, watermarkUs: n }];
  for (const id of [n, n + 1]) yield { kind: 'snapshot-taken', ...task, checkpointId: checkpointId(id), time };
  yield { kind: 'acknowledge-received', ...task, checkpointId: checkpointId(n), result: 'success' };
}

function* output(n: number, { subtask, attempt }: Task): Generator<Event> {
  const producer = `out-${subtask}`;
  const of = { transaction: `${producer}-${attempt}-${n}`, producer, producerEpoch: attempt };
  yield { kind: 'transaction-opened', ...of };
  yield { kind: 'transaction-committed', ...of, committedBy: attempt, values: [], lineages: [] };
  const kafka = {
    kind: 'kafka-transaction',
    transactionalId: `sink-0-${attempt}`,
    producerId: attempt,
    producerEpoch: 0,
  } as const;
  yield { ...kafka, state: 'prepare-commit', partitions: [] };
  yield { ...kafka, state: 'complete-commit', partitions: [] };
  yield { kind: 'output-appended', producer: 'out', values: [{ key: 'a', count: 1 }], lineages: [0] };
}

/** What a subtask asks for when it begins. */
export function requestOf(n: number): readonly [MailboxId, EngineMessage] {
  const producer = executionAttemptId(n);
  const of = { producer, edge: 0, subpartition: 0, consumer: executionAttemptId(n), channel: 0, credit: 1 };
  return [taskMailbox(producer), { kind: 'partition-request', ...of }];
}

/** A client stops the job with a savepoint, starts it again from there, and gives the savepoint up; he hears of the last that he gave up. */
export function* roundOfClients(n: number): Generator<Event> {
  const epoch = leaderEpoch(1);
  const location = `savepoints/savepoint-job-${n}`;
  const by = `f${n}`;
  const job: JobRun = { run: n, by, floor: n - 1, fullFirst: false };
  const written = { kind: 'coordination-updated', key: pointerKey(JOB_ID), version: n, by: BY } as const;
  const completed = [{ id: checkpointId(n), metadata: `${location}/_metadata` }];
  const ended = { status: 'finished', by, reason: '', location } as const;
  const [stop, dispose] = ['stop-with-savepoint', 'dispose-savepoint'];
  const answered = { kind: 'operation-answered', outcome: 'done', reason: '', location } as const;
  yield { kind: 'operation-requested', operation: stop, triggerId: by, location: '' };
  yield { kind: 'object-stored', path: `${location}/_metadata`, bytes: 1 };
  yield { ...written, value: encodePointer({ epoch, completed: [], job: { ...job, ended } }) };
  yield { ...answered, operation: stop, triggerId: by };
  yield { ...written, value: encodePointer({ epoch, completed, job: { ...job, run: n + 1 } }) };
  yield* deployed(n, epoch);
  yield { kind: 'leadership-acquired', epoch: leaderEpoch(n) };
  yield { kind: 'operation-requested', operation: dispose, triggerId: `${by}/dispose`, location };
  const earlier = { triggerId: `f${n - 1}/dispose`, location: `savepoints/savepoint-job-${n - 1}` };
  yield { ...answered, operation: dispose, ...earlier };
}
