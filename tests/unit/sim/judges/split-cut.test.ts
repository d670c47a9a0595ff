import { describe, expect, it } from 'vitest';
import type { LogSplit } from '../../../../engine/protocol/operator-events.ts';
import { splitCut } from '../../../../sim/judges/split-cut.ts';

const range = (from: number, offset = from): LogSplit => ({
  splitId: `0@${from}`,
  partition: 0,
  offset,
  sub: 0,
  end: from + 10,
});
const discovered = [{ partition: 0, next: 20 }];
const WHOLE: LogSplit = { splitId: '0@0', partition: 0, offset: 7, sub: 0, end: -1 };

describe('cut of a source with splits', () => {
  it('the position of the reader is the cut', () => {
    const found = splitCut({
      readers: [{ subtask: 0, splits: [range(10, 13)] }],
      enumerator: { discovered, unassigned: [] },
    });
    expect(found).toEqual({ positions: new Map([[0, { offset: 13, sub: 0 }]]), problems: [] });
  });

  it('a split that is not assigned begins at its position', () => {
    const found = splitCut({ readers: [], enumerator: { discovered, unassigned: [range(10)] } });
    expect(found).toEqual({ positions: new Map([[0, { offset: 10, sub: 0 }]]), problems: [] });
  });

  it('a finished split with its reader: the cut lies behind it', () => {
    const found = splitCut({
      readers: [{ subtask: 0, splits: [range(10, 20)] }],
      enumerator: { discovered, unassigned: [] },
    });
    expect(found).toEqual({ positions: new Map([[0, { offset: 20, sub: 0 }]]), problems: [] });
  });

  it('a finished split beside the one that follows changes nothing', () => {
    const found = splitCut({
      readers: [{ subtask: 0, splits: [range(0, 10)] }],
      enumerator: { discovered, unassigned: [range(10)] },
    });
    expect(found).toEqual({ positions: new Map([[0, { offset: 10, sub: 0 }]]), problems: [] });
  });

  it('a partition that is one split has no end', () => {
    const found = splitCut({
      readers: [{ subtask: 1, splits: [WHOLE] }],
      enumerator: { discovered: [{ partition: 0, next: -1 }], unassigned: [] },
    });
    expect(found).toEqual({ positions: new Map([[0, { offset: 7, sub: 0 }]]), problems: [] });
  });

  it('H6: of splits at one entry the one that has read less of it is the cut', () => {
    const found = splitCut({
      readers: [{ subtask: 0, splits: [{ ...WHOLE, sub: 3 }] }],
      enumerator: { discovered: [{ partition: 0, next: -1 }], unassigned: [] },
    });
    expect(found).toEqual({ positions: new Map([[0, { offset: 7, sub: 3 }]]), problems: [] });
  });

  it('a partition that has ended needs no split any more; one that is open again is its cut', () => {
    const ended = [{ partition: 0, next: -2 }];
    const none = splitCut({ readers: [], enumerator: { discovered: ended, unassigned: [] } });
    expect(none).toEqual({ positions: new Map([[0, 'end']]), problems: [] });
    const again = splitCut({
      readers: [{ subtask: 0, splits: [range(0, 4)] }],
      enumerator: { discovered: ended, unassigned: [] },
    });
    expect(again.positions.get(0)).toEqual({ offset: 4, sub: 0 });
  });

  it('H1: a split that is neither here nor there is lost', () => {
    const found = splitCut({
      readers: [{ subtask: 0, splits: [range(0, 10)] }],
      enumerator: { discovered, unassigned: [] },
    });
    expect(found.problems.map(({ anomaly }) => anomaly)).toEqual(['split-lost']);
    expect(found.problems[0]?.message).toContain('offset 20');
  });

  it('C24: a split with the enumerator and with a reader is there twice', () => {
    const found = splitCut({
      readers: [{ subtask: 2, splits: [range(10)] }],
      enumerator: { discovered, unassigned: [range(10)] },
    });
    expect(found.problems).toEqual([
      { anomaly: 'split-twice', message: 'split 0@10 is at the enumerator and at reader 2' },
    ]);
  });

  it('a reader with a split of a partition that the enumerator does not know will meet it again', () => {
    const found = splitCut({
      readers: [{ subtask: 0, splits: [WHOLE] }],
      enumerator: { discovered: [], unassigned: [] },
    });
    expect(found.problems.map(({ anomaly }) => anomaly)).toEqual(['split-twice']);
  });

  it('B24: of a chain of sources, a split says which one it is of, and only that one', () => {
    const sourceOfPartition = new Map([[0, 0]]);
    const of = (source: number) =>
      splitCut({
        readers: [{ subtask: 1, splits: [{ ...WHOLE, source }] }],
        enumerator: { discovered: [{ partition: 0, next: -1 }], unassigned: [] },
        sourceOfPartition,
      });
    expect(of(0).problems).toEqual([]);
    expect(of(1)).toEqual({
      positions: new Map([[0, { offset: 7, sub: 0 }]]),
      problems: [
        {
          anomaly: 'split-of-another-source',
          message: 'split 0@0 is at reader 1 as one of source 1, and is of source 0',
        },
      ],
    });
  });
});
