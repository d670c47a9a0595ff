/** What becomes of a compaction when the input ends (row K12). */
import { expect, it } from 'vitest';
import type { PendingFile } from '../../../../../engine/connectors/file/file-committable.ts';
import { FileCompactor } from '../../../../../engine/connectors/file/file-compactor.ts';
import type { OutputStorage } from '../../../../../engine/connectors/file/output-storage.ts';
import type { Out } from '../../../../../engine/protocol/actor.ts';
import type { PartName } from '../../../../../engine/protocol/output-file.ts';
import { RecordingOut } from '../../../../support/recording-out.ts';

const part = (bucket: string, number: number): PendingFile => ({
  name: { root: 'output/sink', bucket, subtask: 0, attempt: 1, number, checkpoint: 1 },
  length: 3,
  parts: 1,
});

type Read = (bytes: Uint8Array | undefined, out: Out) => void;

it('I1: a compaction that was reading when the input ended begins no file', () => {
  const out = new RecordingOut();
  const reads: Read[] = [];
  const begun: PartName[] = [];
  const abandoned: (readonly PendingFile[])[] = [];
  const storage = {
    read: (_name: PartName, _out: Out, then: Read) => void reads.push(then),
    begin: (name: PartName) => void begun.push(name),
  } as unknown as OutputStorage;
  const compactor = new FileCompactor({
    storage,
    checkpoints: 1,
    nameOf: (bucket) => part(bucket, 9).name,
    isWhole: () => true,
    failed: () => expect.unreachable(),
    abandoned: (unused) => void abandoned.push(unused),
  });
  compactor.exchange([part('a', 1), part('a', 2)], out);
  reads.shift()?.(new Uint8Array(3), out);
  const { files } = compactor.end([part('a', 3)]);
  expect(files.map(({ name }) => name)).toEqual([1, 2, 3].map((number) => part('a', number).name));
  reads.shift()?.(new Uint8Array(3), out);
  expect(begun).toEqual([]);
  expect(abandoned).toEqual([[]]);
  expect(compactor.isRunning).toBe(false);
});
