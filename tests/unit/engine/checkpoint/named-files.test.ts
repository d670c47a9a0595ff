import { describe, expect, it } from 'vitest';
import { readNamedFiles } from '../../../../engine/checkpoint/named-files.ts';
import { standardParts } from '../../../../engine/parts.ts';
import type { StorageReply } from '../../../../engine/protocol/messages.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

/** What a storage that answers everything alike makes of it. */
function namedIn(metadata: readonly string[], outcome: StorageReply['outcome']): ReadonlySet<string> | undefined {
  const out = new RecordingOut();
  const storage = {
    read: (_path: string, readOut: unknown, then: (reply: StorageReply, nowUs: never, out: never) => void) =>
      then({ kind: 'storage-reply', requestId: 1, outcome }, out.nowUs as never, readOut as never),
  };
  let answer: { readonly named: ReadonlySet<string> | undefined } | undefined;
  readNamedFiles(metadata, { root: 'job/', storage, parts: standardParts }, out, (named) => {
    answer = { named };
  });
  if (answer === undefined) throw new Error('it is answered');
  return answer.named;
}

describe('named files', () => {
  it('C17: a checkpoint that is named and not found leaves everything open; a savepoint may have been disposed of', () => {
    expect(namedIn(['checkpoints/job/chk-3/_metadata'], 'not-found')).toBeUndefined();
    expect(namedIn(['savepoints/savepoint-3/_metadata'], 'not-found')).toEqual(new Set());
    expect(namedIn(['savepoints/savepoint-3/_metadata', 'abcd/job/chk-12/_metadata'], 'not-found')).toBeUndefined();
  });

  it('C27: a checkpoint of another job is its user’s, who may have deleted it', () => {
    expect(namedIn(['checkpoints/other/chk-3/_metadata'], 'not-found')).toEqual(new Set());
  });

  it('C17: what cannot be read leaves everything open', () => {
    expect(namedIn(['savepoints/savepoint-3/_metadata'], 'failed')).toBeUndefined();
    expect(namedIn([], 'failed')).toEqual(new Set());
  });
});
