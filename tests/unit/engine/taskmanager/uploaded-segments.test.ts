/** What a subtask may build its next checkpoint on (rows C7, S17). */
import { describe, expect, it } from 'vitest';
import { standardParts } from '../../../../engine/parts.ts';
import type { SegmentHandle } from '../../../../engine/protocol/state-handle.ts';
import { segmentKey, UploadedSegments } from '../../../../engine/taskmanager/uploaded-segments.ts';
import { id } from '../../../support/engine-values.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

const out = new RecordingOut();
const at = (checkpoint: number): SegmentHandle => ({
  path: `dir/job/shared/op-0-1-1-${checkpoint}.segment`,
  bytes: 1,
  checksum: 2,
});
const fresh = { id: 1, origin: undefined };
const restored = { ...fresh, origin: { handle: at(3) } };
const filesOf = (checkpoint: number) => new Map([[segmentKey('op', 1), at(checkpoint)]]);

function subject(...acknowledged: number[]): UploadedSegments {
  const uploaded = new UploadedSegments(standardParts);
  for (const checkpoint of acknowledged) uploaded.acknowledged(id(checkpoint), filesOf(checkpoint));
  return uploaded;
}

describe('uploaded segments', () => {
  it('S17: what was only acknowledged is no base', () => {
    expect(subject(5).find('op', fresh, id(9), out)).toBeUndefined();
  });

  it('S17: the newest confirmed checkpoint is the base, whatever is confirmed late', () => {
    const uploaded = subject(5, 6);
    uploaded.confirmed(id(6));
    uploaded.confirmed(id(5));
    expect(uploaded.find('op', fresh, id(9), out)).toEqual(at(6));
  });

  it('S17: a lost notice costs an upload: the base is older', () => {
    const uploaded = subject(5, 6);
    uploaded.confirmed(id(5));
    expect(uploaded.find('op', fresh, id(9), out)).toEqual(at(5));
  });

  it('FLINK-23949: the completion of a savepoint, which was never acknowledged here as a checkpoint, changes nothing', () => {
    const uploaded = subject(5);
    uploaded.confirmed(id(5));
    uploaded.confirmed(id(9));
    expect(uploaded.find('op', fresh, id(9), out)).toEqual(at(5));
  });

  it('S17: an aborted checkpoint is no base any more, a confirmed one stays it', () => {
    const uploaded = subject(5, 6);
    uploaded.aborted(id(6));
    uploaded.confirmed(id(6));
    expect(uploaded.find('op', fresh, id(9), out)).toBeUndefined();
    uploaded.confirmed(id(5));
    uploaded.aborted(id(5));
    expect(uploaded.find('op', fresh, id(9), out)).toEqual(at(5));
  });

  it('S18: what a subtask was restored from is its first base', () => {
    expect(subject().find('op', restored, id(9), out)).toEqual(at(3));
  });

  it('S18: segments of a savepoint are its user’s', () => {
    const handle = { ...at(3), path: 'savepoints/savepoint-job-3/op-0-1-1-3.segment' };
    expect(subject().find('op', { ...fresh, origin: { handle } }, id(9), out)).toBeUndefined();
  });

  it('C7: behind a full checkpoint neither what was restored nor what is confirmed late is used', () => {
    const uploaded = subject(5);
    uploaded.full(id(6));
    uploaded.confirmed(id(5));
    expect(uploaded.find('op', restored, id(9), out)).toBeUndefined();
    uploaded.acknowledged(id(6), filesOf(6));
    uploaded.confirmed(id(6));
    expect(uploaded.find('op', restored, id(9), out)).toEqual(at(6));
  });
});
