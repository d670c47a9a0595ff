/** What a client does with answers. */
import { describe, expect, it } from 'vitest';
import { ClientNotebook, ClusterClient } from '../../../../engine/client/cluster-client.ts';
import { MAIN_MAILBOX, nodeId } from '../../../../engine/foundation/ids.ts';
import type { Input } from '../../../../engine/protocol/actor.ts';
import type { ClientResult } from '../../../../engine/protocol/client-operations.ts';
import type { EngineMessage } from '../../../../engine/protocol/messages.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

const NODE = nodeId('jobmanager-1');
const heard = (message: EngineMessage): Input => ({
  kind: 'message',
  from: NODE,
  fromMailbox: MAIN_MAILBOX,
  mailbox: MAIN_MAILBOX,
  message,
});
const THEN_RESUME = { from: 'what-it-left', claimMode: 'claim', allowNonRestored: false } as const;

/** A client whose job was canceled, with its first attempt to resume it answered so. */
function resumed(result: ClientResult): { readonly out: RecordingOut; readonly asked: () => string[] } {
  const client = new ClusterClient({ jobManagers: [NODE], repeatAfterUs: 1_000_000, notebook: new ClientNotebook() });
  const out = new RecordingOut((timer, nowUs, timerOut) =>
    client.handle({ kind: 'timer', mailbox: MAIN_MAILBOX, timer }, nowUs, timerOut),
  );
  const told = (triggerId: string, answer: ClientResult): void =>
    client.handle(heard({ kind: 'client-reply', triggerId, result: answer }), out.nowUs, out);
  const command = { kind: 'cancel', thenResume: THEN_RESUME } as const;
  client.handle(heard({ kind: 'client-command', id: 'c', command }), out.nowUs, out);
  told('c', { kind: 'done', location: 'checkpoints/job/chk-3' });
  told('c/resume', result);
  const asked = (): string[] => out.reported('operation-requested').map(({ triggerId }) => triggerId);
  return { out, asked };
}

describe('a client that resumes a job', () => {
  it('tries again after a while, by another request, when the snapshot could not be read', () => {
    const { out, asked } = resumed({ kind: 'failed', reason: 'it is damaged', isUnreadable: true });
    out.advance(4_900_000);
    expect(asked()).toEqual(['c', 'c/resume']);
    out.advance(200_000);
    expect(asked()).toEqual(['c', 'c/resume', 'c/resume+']);
  });

  it('names the run that was over, and goes back only behind the one that could not begin', () => {
    const client = new ClusterClient({ jobManagers: [NODE], repeatAfterUs: 1_000_000, notebook: new ClientNotebook() });
    const out = new RecordingOut(() => {});
    const hears = (message: EngineMessage): void => client.handle(heard(message), out.nowUs, out);
    const last = (): EngineMessage | undefined => out.sent.at(-1)?.message;
    const command = { kind: 'cancel', thenResume: { ...THEN_RESUME, version: 2, fallBack: 1 } } as const;
    hears({ kind: 'client-command', id: 'c', command });
    hears({
      kind: 'client-reply',
      triggerId: 'c',
      result: { kind: 'done', location: 'checkpoints/job/chk-3', run: 4 },
    });
    expect(last()).toMatchObject({ triggerId: 'c/resume', operation: { kind: 'resume', after: 4 } });
    hears({
      kind: 'client-reply',
      triggerId: 'c/resume',
      result: { kind: 'failed', reason: 'cannot be read', run: 5 },
    });
    expect(last()).toMatchObject({ triggerId: 'c/resume/back', operation: { restore: { version: 1 }, after: 5 } });
  });

  it('that is to be as wide as somebody says asks for that first, and resumes when it is durable', () => {
    const client = new ClusterClient({ jobManagers: [NODE], repeatAfterUs: 1_000_000, notebook: new ClientNotebook() });
    const out = new RecordingOut(() => {});
    const hears = (message: EngineMessage): void => client.handle(heard(message), out.nowUs, out);
    const command = { kind: 'cancel', thenResume: { ...THEN_RESUME, parallelism: 3 } } as const;
    hears({ kind: 'client-command', id: 'c', command });
    hears({ kind: 'client-reply', triggerId: 'c', result: { kind: 'done', location: 'checkpoints/job/chk-3' } });
    const asked = (): unknown[] => out.reported('operation-requested').map(({ triggerId }) => triggerId);
    const last = (): EngineMessage | undefined => out.sent.at(-1)?.message;
    expect(asked()).toEqual(['c', 'c/rescale']);
    const operation = { kind: 'rescale', requestId: 1, parallelism: 3 };
    expect(last()).toMatchObject({ kind: 'client-request', operation });
    hears({ kind: 'client-reply', triggerId: 'c/rescale', result: { kind: 'done' } });
    expect(asked()).toEqual(['c', 'c/rescale', 'c/resume']);
    const restore = { location: 'checkpoints/job/chk-3' };
    expect(last()).toMatchObject({ kind: 'client-request', operation: { kind: 'resume', restore } });
  });

  it('does not when it was refused for any other reason', () => {
    const { out, asked } = resumed({ kind: 'failed', reason: 'the job has no such operator' });
    out.advance(20_000_000);
    expect(asked()).toEqual(['c', 'c/resume']);
  });
});
