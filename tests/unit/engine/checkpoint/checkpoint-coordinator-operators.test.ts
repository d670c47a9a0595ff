/** Operator coordinators in the life of a checkpoint: before the triggers, in the metadata, told of its end. */
import { describe, expect, it } from 'vitest';
import type {
  CheckpointedCoordinators,
  CoordinatorStatesDone,
} from '../../../../engine/coordination/checkpointed-coordinators.ts';
import { decodeMetadata } from '../../../../engine/protocol/metadata-file.ts';
import type { CoordinatorState } from '../../../../engine/protocol/metadata-file.ts';
import { CoordinatorBench, INTERVAL_US, metadataPath } from '../../../support/coordinator-bench.ts';

const STATES: readonly CoordinatorState[] = [{ operator: 'source', bytes: new Uint8Array([1, 2]) }];
const TIMEOUT_US = INTERVAL_US / 2;

/** Takes its snapshots when the test says so. */
class Coordinators implements CheckpointedCoordinators {
  isProcessingBacklog = false;
  readonly calls: string[] = [];
  done: CoordinatorStatesDone | undefined;

  checkpoint({ checkpointId }: { checkpointId: number }, _out: unknown, done: CoordinatorStatesDone): void {
    this.calls.push(`checkpoint ${checkpointId}`);
    this.done = done;
  }
  abortCurrentTriggering(): void {
    this.calls.push('abort-triggering');
  }
  notifyComplete(id: number): void {
    this.calls.push(`complete ${id}`);
  }
  notifyAborted(id: number): void {
    this.calls.push(`aborted ${id}`);
  }
}

function bench() {
  const coordinators = new Coordinators();
  const made = new CoordinatorBench({ timeoutUs: TIMEOUT_US }, { coordinators }).trigger();
  const done = (states: readonly CoordinatorState[] | undefined) => {
    coordinators.done?.(states, made.out.nowUs, made.out);
    return made;
  };
  return { coordinators, made, done };
}

describe('checkpoint coordinator: operator coordinators', () => {
  it('C1, C24: no source is triggered before the snapshots of all coordinators are there', () => {
    const { coordinators, made, done } = bench();
    expect(coordinators.calls).toEqual(['checkpoint 1']);
    expect(made.out.reported('checkpoint-triggered')).toHaveLength(1);
    expect(made.sentTo(1)).toEqual([]);
    done(STATES);
    expect(made.sentTo(1)).toEqual(['trigger-checkpoint']);
  });

  it('C24: their bytes lie in the metadata, and they hear of completion when it is durable', () => {
    const { coordinators, made, done } = bench();
    done(STATES).acknowledgeAll(1);
    expect(coordinators.calls).toEqual(['checkpoint 1']);
    made.answer();
    expect(coordinators.calls).toEqual(['checkpoint 1', 'complete 1']);
    const bytes = made.storage.objects.get(metadataPath(1));
    expect(bytes === undefined ? undefined : decodeMetadata(bytes).coordinators).toEqual(STATES);
  });

  it('C1: a snapshot that fails ends the checkpoint in the stage of triggering: the gateways open again', () => {
    const { coordinators, made, done } = bench();
    done(undefined);
    expect(made.aborted()).toEqual(['1 trigger-checkpoint-failure']);
    expect(coordinators.calls).toEqual(['checkpoint 1', 'abort-triggering', 'aborted 1']);
    expect(made.sentTo(1)).not.toContain('trigger-checkpoint');
    made.wait(INTERVAL_US).answer();
    expect(coordinators.calls.at(-1)).toBe('checkpoint 2');
  });

  it('C1, C29: one that never comes lets the checkpoint expire; a late one is void, and the next may begin', () => {
    const { coordinators, made, done } = bench();
    made.wait(TIMEOUT_US).answer();
    expect(made.aborted()).toEqual(['1 checkpoint-expired']);
    expect(coordinators.calls).toEqual(['checkpoint 1', 'abort-triggering', 'aborted 1']);
    done(STATES);
    expect(made.sentTo(1)).not.toContain('trigger-checkpoint');
    made.run(INTERVAL_US);
    expect(coordinators.calls).toContain('checkpoint 2');
  });

  it('C1: only one checkpoint is in the stage of triggering at a time', () => {
    const coordinators = new Coordinators();
    const made = new CoordinatorBench({ timeoutUs: 10 * INTERVAL_US, maxConcurrent: 2 }, { coordinators }).trigger();
    made.wait(INTERVAL_US).answer();
    expect(coordinators.calls).toEqual(['checkpoint 1']);
    coordinators.done?.(STATES, made.out.nowUs, made.out);
    made.answer();
    expect(coordinators.calls).toEqual(['checkpoint 1', 'checkpoint 2']);
  });

  it('C20, C24: a stop while it is triggered aborts it, and what comes later is void', () => {
    const { coordinators, made, done } = bench();
    made.stop();
    expect(coordinators.calls).toEqual(['checkpoint 1', 'abort-triggering', 'aborted 1']);
    done(STATES);
    expect(made.sentTo(1)).toEqual([]);
  });

  it('C24: an abort after the triggers tells the coordinators, too', () => {
    const { coordinators, made, done } = bench();
    done(STATES);
    made.decline(1, 2, 'checkpoint-declined-task-not-ready');
    expect(coordinators.calls).toEqual(['checkpoint 1', 'aborted 1']);
  });
});
