/** Row C25: sources whose checkpoints an outside system decides on, in the whole cluster. The judge of cuts asks the log where its markers lie. */
import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../../sim/history/history-event.ts';
import { findings, liveIt } from '../support/lives.ts';
import { story } from './story.ts';

const INDUCED = 'induced-source';
const LEADER = 'jobmanager-1';
const TASK_MANAGERS = ['taskmanager-1', 'taskmanager-2', 'taskmanager-3'];

const completed = (history: readonly HistoryEvent[]): readonly number[] =>
  history.flatMap(({ event }) => (event.kind === 'checkpoint-completed' ? [event.checkpointId] : []));

describe('C25: a source that stops at markers', () => {
  it('takes checkpoints where the markers lie, each once it is triggered', () => {
    const { history } = story({ scenario: INDUCED }).shows('markers-put').passes({ keepHistory: true });
    expect(completed(history).length).toBeGreaterThan(10);
  });

  it('meets markers before their triggers, where the coordinator is slow to be heard', () => {
    story({ scenario: INDUCED, engine: (engine) => engine })
      .deafen(LEADER, 'taskmanager-1', { point: 'triggered', checkpoint: 4 }, 1)
      .reaches('marker-before-trigger')
      .passes();
  });

  it('drops the marker of a checkpoint whose trigger and abort it never heard of', () => {
    const told = TASK_MANAGERS.reduce(
      (made, node) => made.deafen(LEADER, node, { point: 'triggered', checkpoint: 4 }, 4),
      story({ scenario: INDUCED }),
    );
    const { history } = told.reaches('marker-of-checkpoint-that-is-over').passes({ keepHistory: true });
    expect(completed(history)).not.toContain(4);
  });

  it('a leader that dies while it asks for markers leaves none that the next one believes', () => {
    story({ scenario: INDUCED })
      .service('log-broker', 'unknown-outcome', { point: 'triggered', checkpoint: 3 }, 1)
      .crash(LEADER, { point: 'trigger.received', checkpoint: 5 })
      .crash('taskmanager-2', { point: 'trigger.received', checkpoint: 7 })
      .passes();
  });

  it('stops at the markers of a savepoint it is stopped with, and goes on from there', () => {
    const plan = story({ scenario: INDUCED }).plan();
    const command = {
      kind: 'stop-with-savepoint',
      drain: false,
      format: 'native',
      thenResume: { from: 'what-it-left', claimMode: 'no-claim', allowNonRestored: false },
    } as const;
    const record = liveIt({
      ...plan,
      cluster: { ...plan.cluster, clients: 1 },
      faults: [{ id: 'f1', trigger: { atUs: 8_000_000 }, kind: 'operation', command }],
    });
    expect(record.verdict, findings(record)).toBe('passed');
    expect(record.faultRecords[0]).toMatchObject({ effective: true });
  });

  it('ends with its input: then nothing is left to induce', () => {
    const plan = story({ scenario: INDUCED }).plan();
    const topics = plan.topics.map((topic) => ({ ...topic, bounded: true }));
    const record = liveIt({ ...plan, topics }, { keepHistory: true });
    expect(record.verdict, findings(record)).toBe('passed');
    expect(record.history.some(({ event }) => event.kind === 'job-status' && event.status === 'finished')).toBe(true);
  });
});
