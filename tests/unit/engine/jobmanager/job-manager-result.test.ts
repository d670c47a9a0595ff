/** A JobManager that finds the result of its job does not run it again (row F18; X54). */
import { describe, expect, it } from 'vitest';
import { MAIN_MAILBOX, nodeId } from '../../../../engine/foundation/ids.ts';
import { encodeResult, type JobResult, resultKey } from '../../../../engine/protocol/job-result.ts';
import { JobManager } from '../../../../engine/jobmanager/job-manager.ts';
import type { EngineMessage } from '../../../../engine/protocol/messages.ts';
import { COORDINATION, STORAGE } from '../../../support/engine-values.ts';
import { FakeCoordination } from '../../../support/fake-coordination.ts';
import { FakeStorage } from '../../../support/fake-storage.ts';
import { RecordingOut } from '../../../support/recording-out.ts';
import { taskEnvironment } from '../../../support/task-environments.ts';

function start(result: JobResult | undefined) {
  const coordination = new FakeCoordination();
  const storage = new FakeStorage();
  const environment = taskEnvironment();
  const key = resultKey(environment.graph.jobId);
  if (result !== undefined) coordination.put(key, encodeResult(result));
  const manager = new JobManager({ environment, incarnation: 1, taskManagers: [nodeId('taskmanager-1')] });
  const timer = { kind: 'timer', mailbox: MAIN_MAILBOX } as const;
  const out = new RecordingOut((name, nowUs, self) => manager.handle({ ...timer, timer: name }, nowUs, self));
  const answer = (message: EngineMessage): void => {
    if (!('requestId' in message)) return;
    const isStorage = message.kind.startsWith('storage-');
    const input = {
      kind: 'message',
      from: isStorage ? STORAGE : COORDINATION,
      fromMailbox: MAIN_MAILBOX,
      mailbox: MAIN_MAILBOX,
      message: isStorage ? storage.perform(message) : coordination.perform(message),
    } as const;
    manager.handle(input, out.nowUs, out);
  };
  manager.handle({ kind: 'started' }, out.nowUs, out);
  const answerAll = (): void => {
    for (let sent = out.fresh(); sent.length > 0; sent = out.fresh()) for (const { message } of sent) answer(message);
  };
  answerAll();
  return { out, answerAll, result: () => coordination.valueOf(key) ?? '' };
}

describe('JobManager', () => {
  it('F18: without a result it runs the job', () => {
    const { out } = start(undefined);
    expect(out.reported('job-status')).toMatchObject([{ status: 'created' }]);
    expect(out.kinds()).toContain('heartbeat-request');
  });

  it('F18: a dirty result: nothing is run, what was left is removed, and the result is clean', () => {
    const { out, answerAll, result } = start({ status: 'finished', state: 'dirty' });
    for (let step = 0; step < 1_100; step += 1) {
      out.advance(2_000);
      answerAll();
    }
    expect(out.reported('leadership-acquired')).toHaveLength(1);
    expect(out.reported('job-status')).toEqual([]);
    expect(out.kinds()).not.toContain('heartbeat-request');
    const ofJob = out.probes().filter((probe) => probe.startsWith('job-'));
    expect(ofJob).toEqual(['job-result-found-dirty', 'job-cleaned-up']);
    expect(result()).toBe(encodeResult({ status: 'finished', state: 'clean' }));
  });

  it('F18: a clean result: nothing is done', () => {
    const { out } = start({ status: 'canceled', state: 'clean' });
    expect(out.reported('job-status')).toEqual([]);
    expect(out.probes()).toEqual(['job-result-found-clean']);
  });
});
