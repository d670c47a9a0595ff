import { describe, expect, it } from 'vitest';
import { decodeEnumeratorState } from '../../../../engine/connectors/split-rows.ts';
import { SourceCoordinator } from '../../../../engine/coordination/source-coordinator.ts';
import { standardParts } from '../../../../engine/parts.ts';
import type { EventFromOperator } from '../../../../engine/protocol/operator-events.ts';
import { attempt, id, REQUEST_TIMEOUT_US, SERVICES, NO_STORAGE } from '../../../support/engine-values.ts';
import { sourceVertex } from '../../../support/job-graphs.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

const HOST = { services: SERVICES, storage: NO_STORAGE, requestTimeoutUs: REQUEST_TIMEOUT_US, firstRequestId: 1 };

class Bench {
  readonly sent: string[] = [];
  readonly out = new RecordingOut();
  readonly coordinator: SourceCoordinator;

  constructor(parts = standardParts) {
    const { source } = sourceVertex(0, 2, [0, 1, 2]);
    if (source === undefined) throw new Error('a source vertex has a source');
    this.coordinator = new SourceCoordinator({
      source: { ...source, kind: 'split-log' },
      host: HOST,
      parallelism: 2,
      parts,
    });
  }

  /** The attempt runs, registers with nothing and asks so many times. */
  reader(subtask: number, of: number, requests = 1): this {
    this.coordinator.executionAttemptReady({
      subtask,
      attempt: attempt(of),
      sendEvent: (event) => {
        const what = event.kind === 'assign-splits' ? event.splits.map(({ splitId }) => splitId).join() : event.kind;
        this.sent.push(`${what} to ${of}`);
      },
    });
    this.event(subtask, of, { kind: 'register-reader', splits: [], hasFinished: false });
    for (let left = requests; left > 0; left -= 1) this.event(subtask, of, { kind: 'request-split' });
    return this;
  }
  event(subtask: number, of: number, event: EventFromOperator): void {
    this.coordinator.handleEventFromOperator({ subtask, attempt: attempt(of) }, event, this.out);
  }
  failed(subtask: number, of: number): this {
    this.coordinator.subtaskFailed({ subtask, attempt: attempt(of) });
    return this;
  }
  snapshot(n: number): Uint8Array {
    let taken = new Uint8Array();
    this.coordinator.checkpointCoordinator({ checkpointId: id(n), nowUs: this.out.nowUs }, this.out, (bytes) => {
      taken = Uint8Array.from(bytes ?? []);
    });
    return taken;
  }
  fresh(): string[] {
    return this.sent.splice(0);
  }
}

describe('source coordinator', () => {
  it('K1: its snapshot is what is not assigned, as bytes that a new one begins from', () => {
    const bench = new Bench().reader(0, 1).reader(1, 2);
    expect(bench.fresh()).toEqual(['0@0 to 1', '1@0 to 2']);
    const bytes = bench.snapshot(1);
    expect(decodeEnumeratorState(bytes).unassigned.map(({ splitId }) => splitId)).toEqual(['2@0']);
    const next = new Bench();
    next.coordinator.resetToCheckpoint(id(1), bytes, next.out);
    next.reader(0, 11).reader(1, 12);
    expect(next.fresh()).toEqual(['2@0 to 11', 'no-more-splits to 12']);
  });

  it('C18: a reset without bytes begins from nothing', () => {
    const bench = new Bench().reader(0, 1).reader(1, 2);
    bench.fresh();
    bench.coordinator.resetToCheckpoint(id(0), undefined, bench.out);
    bench.reader(0, 3).reader(1, 4);
    expect(bench.fresh()).toEqual(['0@0 to 3', '1@0 to 4']);
  });

  it('K2: a reader that restarts alone gives back what it was assigned after the checkpoint it restored', () => {
    const bench = new Bench().reader(0, 1).reader(1, 2);
    bench.snapshot(1);
    bench.event(0, 1, { kind: 'request-split' });
    expect(bench.fresh()).toEqual(['0@0 to 1', '1@0 to 2', '2@0 to 1']);
    bench.failed(0, 1).coordinator.subtaskReset(0, id(1), bench.out);
    bench.reader(0, 3);
    expect(bench.fresh()).toEqual(['2@0 to 3']);
  });

  it('K2: the checkpoint that counts is the one the subtask restored, also when a newer one was cut', () => {
    const bench = new Bench().reader(0, 1).reader(1, 2);
    bench.snapshot(1);
    bench.event(0, 1, { kind: 'request-split' });
    bench.snapshot(2);
    bench.fresh();
    bench.failed(0, 1).coordinator.subtaskReset(0, id(1), bench.out);
    bench.reader(0, 3);
    expect(bench.fresh()).toEqual(['2@0 to 3']);
  });

  it('K2: from nothing (0), everything comes back; after completion nothing of before does', () => {
    const bench = new Bench().reader(0, 1).reader(1, 2);
    bench.fresh();
    bench.failed(1, 2).coordinator.subtaskReset(1, id(0), bench.out);
    bench.reader(1, 3);
    expect(bench.fresh()).toEqual(['1@0 to 3']);
    bench.snapshot(1);
    bench.coordinator.notifyCheckpointComplete(id(1));
    bench.failed(1, 3).coordinator.subtaskReset(1, id(1), bench.out);
    bench.reader(1, 4);
    expect(bench.fresh()).toEqual(['2@0 to 4']);
  });

  it('mutant splits-not-given-back: nobody gets the split that was forgotten', () => {
    const bench = new Bench({ ...standardParts, splitsToGiveBack: () => [] }).reader(0, 1).reader(1, 2, 2);
    bench.fresh();
    bench.failed(0, 1).coordinator.subtaskReset(0, id(0), bench.out);
    bench.reader(0, 3);
    expect(bench.fresh()).toEqual(['no-more-splits to 3']);
  });

  it('H5, FLIP-288: the log is asked where to begin, for later partitions for their start, again and again', () => {
    const { source } = sourceVertex(0, 1, [0, 1]);
    if (source === undefined) throw new Error('a source vertex has a source');
    const spec = { ...source, kind: 'split-log', start: 'latest', discoveryUs: 5_000_000 } as const;
    const coordinator = new SourceCoordinator({ source: spec, host: HOST, parallelism: 1, parts: standardParts });
    const out: RecordingOut = new RecordingOut((timer, nowUs) => coordinator.handleTimer(timer, nowUs, out));
    const answer = (partitions: readonly number[], offsets: readonly number[]): void => {
      const { requestId, group } = out.last('log-list-offsets');
      const reply = { kind: 'log-offsets', requestId, group, outcome: 'done', partitions, offsets } as const;
      expect(coordinator.handleMessage(reply, out.nowUs, out)).toBe(true);
    };
    const unassigned = (): readonly string[] => {
      let ids: readonly string[] = [];
      coordinator.checkpointCoordinator({ checkpointId: id(1), nowUs: out.nowUs }, out, (bytes) => {
        ids = decodeEnumeratorState(bytes ?? new Uint8Array()).unassigned.map(({ splitId }) => splitId);
      });
      return ids;
    };
    coordinator.resetToCheckpoint(id(0), undefined, out);
    expect(unassigned()).toEqual([]);
    out.advance(REQUEST_TIMEOUT_US);
    answer([0], [17]);
    out.advance(5_000_000);
    expect(out.all('log-list-offsets').map(({ at }) => at)).toEqual(['latest', 'latest', 'earliest']);
    answer([0, 1], [0, 0]);
    expect(unassigned()).toEqual(['0@17', '1@0']);
  });
});
