/** Row C25: master hooks at a trigger, in the metadata, at a restore. */
import { describe, expect, it } from 'vitest';
import { masterHooksOf, unmatchedHookState } from '../../../../engine/checkpoint/master-hooks.ts';
import type { CheckpointedCoordinators } from '../../../../engine/coordination/checkpointed-coordinators.ts';
import type { HookDone, MasterHookHost, MasterHookSpec } from '../../../../engine/job/master-hook.ts';
import { decodeMetadata } from '../../../../engine/protocol/metadata-file.ts';
import { CoordinatorBench, INTERVAL_US, metadataPath } from '../../../support/coordinator-bench.ts';
import { EPOCH, id, REQUEST_TIMEOUT_US, SERVICES, NO_REGISTERS, NO_STORAGE } from '../../../support/engine-values.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

const HOOK_HOST: MasterHookHost = {
  services: SERVICES,
  storage: NO_STORAGE,
  registers: NO_REGISTERS,
  epoch: EPOCH,
  requestTimeoutUs: REQUEST_TIMEOUT_US,
  firstRequestId: 1,
  nextSequence: () => 1,
};

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** A hook that answers when the test says so. */
class Hook implements MasterHookSpec {
  readonly identifier: string;
  readonly calls: string[];
  done: HookDone | undefined;

  constructor(identifier: string, calls: string[] = []) {
    this.identifier = identifier;
    this.calls = calls;
  }

  create(): ReturnType<MasterHookSpec['create']> {
    return {
      triggerCheckpoint: ({ checkpointId }, _out, done) => {
        this.calls.push(`${this.identifier} triggers ${checkpointId}`);
        this.done = done;
      },
      restoreCheckpoint: (checkpointId, state) => {
        this.calls.push(`${this.identifier} restores ${checkpointId} ${state?.join() ?? 'without state'}`);
      },
      reset: () => this.calls.push(`${this.identifier} is reset`),
    };
  }
}

function bench() {
  const calls: string[] = [];
  const hooks = [new Hook('pravega', calls), new Hook('kinesis', calls)] as const;
  const coordinators: CheckpointedCoordinators = {
    isProcessingBacklog: false,
    checkpoint: ({ nowUs }, out, done) => {
      calls.push('coordinators');
      done([{ operator: 'source', bytes: bytes(1) }], nowUs, out);
    },
    abortCurrentTriggering: () => calls.push('gateways open'),
    notifyComplete: () => {},
    notifyAborted: () => {},
  };
  const made = new CoordinatorBench(
    { timeoutUs: INTERVAL_US / 2 },
    { coordinators, hooks: masterHooksOf(hooks, HOOK_HOST) },
  );
  const answer = (which: 0 | 1, state: Uint8Array | undefined): void =>
    hooks[which].done?.(state, made.out.nowUs, made.out);
  return { calls, made: made.trigger(), answer };
}

describe('master hooks', () => {
  it('C1: are triggered after the operator coordinators, and no task is before all of them have answered', () => {
    const { calls, made, answer } = bench();
    expect(calls).toEqual(['coordinators', 'pravega triggers 1', 'kinesis triggers 1']);
    answer(1, bytes(7));
    expect(made.sentTo(1)).toEqual([]);
    answer(0, bytes());
    expect(made.sentTo(1)).toEqual(['trigger-checkpoint']);
  });

  it('their states lie in the metadata by name, empty ones too', () => {
    const { made, answer } = bench();
    answer(1, bytes(7, 8));
    answer(0, bytes());
    made.acknowledgeAll(1).answer();
    const stored = made.storage.objects.get(metadataPath(1));
    expect(stored === undefined ? undefined : decodeMetadata(stored).masterStates).toEqual([
      { identifier: 'pravega', bytes: bytes() },
      { identifier: 'kinesis', bytes: bytes(7, 8) },
    ]);
  });

  it('C1: one that fails ends the checkpoint in the stage of triggering: the gateways open, the next one is taken', () => {
    const { calls, made, answer } = bench();
    answer(1, undefined);
    expect(made.out.reported('checkpoint-aborted')).toMatchObject([{ reason: 'trigger-checkpoint-failure' }]);
    expect(calls).toContain('gateways open');
    answer(0, bytes(1));
    expect(made.sentTo(1)).not.toContain('trigger-checkpoint');
    made.wait(INTERVAL_US).answer();
    expect(calls).toContain('pravega triggers 2');
  });

  it('C29: one that never answers is waited for until the checkpoint expires, and an answer after that is nobody’s', () => {
    const { made, answer } = bench();
    answer(0, bytes(1));
    made.wait(INTERVAL_US / 2);
    expect(made.out.reported('checkpoint-aborted')).toMatchObject([{ reason: 'checkpoint-expired' }]);
    answer(1, bytes(1));
    expect(made.sentTo(1)).not.toContain('trigger-checkpoint');
  });

  it('C18: state finds its hook by name, not by place; one without state is told so; nothing to restore is a reset', () => {
    const calls: string[] = [];
    const hooks = masterHooksOf([new Hook('a', calls), new Hook('b', calls)], HOOK_HOST);
    const out = new RecordingOut();
    const masterStates = [{ identifier: 'b', bytes: bytes(2) }];
    const metadata = { checkpointId: id(4), jobId: 'job', triggeredAtUs: 0, states: [], operators: [], masterStates };
    hooks.restore({ ...metadata, highestParallelism: 1 }, out);
    hooks.restore(undefined, out);
    expect(calls).toEqual(['a restores 4 without state', 'b restores 4 2', 'a is reset', 'b is reset']);
  });

  it('state without its hook is named', () => {
    const masterStates = ['a', 'b'].map((identifier) => ({ identifier, bytes: bytes() }));
    expect(unmatchedHookState([new Hook('b'), new Hook('a')], { masterStates })).toBeUndefined();
    expect(unmatchedHookState([new Hook('a')], { masterStates })).toBe('b');
    expect(unmatchedHookState(undefined, {})).toBeUndefined();
  });
});
