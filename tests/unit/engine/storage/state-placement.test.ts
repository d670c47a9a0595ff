import { describe, expect, it } from 'vitest';
import { fitsFrame, placementOf } from '../../../../engine/storage/state-placement.ts';
import { configuration, inlineHandle } from '../../../support/engine-values.ts';

const FILES = configuration({ checkpoint: { inlineThresholdBytes: 8 } }).checkpoint;
const MEMORY = {
  ...FILES,
  storage: { ...FILES.storage, kind: 'jobmanager', maxStateBytes: 64, frameBytes: 100 },
} as const;

describe('placement of state', () => {
  it('T3: up to the threshold it is inline, beyond it a file', () => {
    expect([8, 9].map((bytes) => placementOf(bytes, FILES))).toEqual(['inline', 'file']);
  });

  it('T1, X11: in the memory of the JobManager it is inline up to the limit, and nowhere beyond', () => {
    expect([9, 64, 65].map((bytes) => placementOf(bytes, MEMORY))).toEqual(['inline', 'inline', 'too-large']);
  });

  it('C11, X11: an acknowledgement whose inline state exceeds the frame is not sent', () => {
    const handles = [inlineHandle('a', new Uint8Array(60)), inlineHandle('b', new Uint8Array(40))];
    expect(fitsFrame(handles, MEMORY)).toBe(true);
    expect(fitsFrame([...handles, inlineHandle('c', new Uint8Array(1))], MEMORY)).toBe(false);
  });
});
