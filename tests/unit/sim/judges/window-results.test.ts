import { describe, expect, it } from 'vitest';
import { EventTimeSessionWindows, TumblingEventTimeWindows } from '../../../../engine/api/windows.ts';
import type { WindowAssignerSpec } from '../../../../engine/job/windows.ts';
import { JudgedWindows } from '../../../support/judged-windows.ts';

const TUMBLING = TumblingEventTimeWindows.of(10);
const SESSION = EventTimeSessionWindows.withGap(10);

/** Records are named by their event time. */
const judged = (assigner: WindowAssignerSpec, times: readonly number[], idle = {}): JudgedWindows =>
  new JudgedWindows({ assigner, input: [times], boundMs: 2, latenessMs: 20, ...idle });

const PASSED = [''];

describe('results of a window that fires again (S11, X5)', () => {
  /** 3, 4 and 8 come when event time has passed 10 at most; 5 when it has passed 30. */
  const times = [1, 2, 13, 3, 4, 40, 5];
  const windows = (): JudgedWindows => judged(TUMBLING, times);

  it('each holds what the one before it held, and at least one more', () => {
    const usual = windows().shows(0, 10, 1, 2).shows(0, 10, 1, 2, 3).shows(0, 10, 1, 4, 3, 2);
    expect(usual.shows(10, 20, 13).shows(40, 50, 40).late(5).found).toEqual(PASSED);
  });

  it('window-shrunk: a record of before is gone', () => {
    const purged = windows().shows(0, 10, 1, 2).shows(0, 10, 3).shows(0, 10, 3, 4);
    expect(purged.shows(10, 20, 13).shows(40, 50, 40).late(5).found).toEqual(['window-shrunk']);
  });

  it('window-repeated: nothing is new', () => {
    const again = windows().shows(0, 10, 1, 2, 3, 4).shows(0, 10, 1, 2, 3, 4);
    expect(again.shows(10, 20, 13).shows(40, 50, 40).late(5).found).toEqual(['window-repeated']);
  });

  it('window-misplaced: a record is in a window of another time', () => {
    expect(windows().shows(0, 10, 1, 2, 3, 4, 13).shows(40, 50, 40).late(5).found).toEqual(['window-misplaced']);
  });

  it('window-fired-early: what is new cannot have come behind the end', () => {
    const early = windows().shows(0, 10, 1).shows(0, 10, 1, 2, 3, 4);
    expect(early.shows(10, 20, 13).shows(40, 50, 40).late(5).found).toEqual(['window-fired-early']);
  });

  it('late-too-early: event time cannot have passed the lateness; behind an idle partition nobody knows', () => {
    expect(windows().shows(0, 10, 1, 2, 3).shows(10, 20, 13).shows(40, 50, 40).late(4, 5).found).toEqual([
      'late-too-early',
    ]);
    const idle = judged(TUMBLING, times, { idlenessMs: 300 }).shows(0, 10, 1, 2, 3).shows(10, 20, 13).shows(40, 50, 40);
    expect(idle.late(4, 5).found).toEqual(PASSED);
  });

  it('what no result and no late output holds is lost', () => {
    expect(windows().shows(0, 10, 1, 2, 3, 4).shows(10, 20, 13).shows(40, 50, 40).found).toEqual(['output-lost']);
  });

  it('may begin anew behind a restore at which it was forgotten, and not behind an earlier one', () => {
    const anew = (atMs: number): string[] =>
      windows().shows(0, 10, 1, 2, 3, 4).shows(10, 20, 13).restored(4, atMs).shows(0, 10, 5).shows(40, 50, 40).found;
    expect(anew(29.999)).toEqual(PASSED);
    expect(anew(20)).toEqual(['window-shrunk']);
  });
});

describe('results of sessions', () => {
  it('one that several became covers them and holds their records', () => {
    const times = [1, 15, 28, 8];
    const merged = (): JudgedWindows => judged(SESSION, times).shows(1, 11, 1).shows(15, 25, 15);
    expect(merged().shows(1, 25, 1, 8, 15).shows(28, 38, 28).found).toEqual(PASSED);
    expect(merged().shows(8, 25, 8, 15).shows(28, 38, 28).found).toEqual(['window-shrunk']);
  });

  it('one that is forgotten does not hold another back that reaches into it; one that is there does', () => {
    // The session of 1 is forgotten at 30: 6 comes when event time has passed 47, 5 when it has passed 10.
    expect(judged(SESSION, [1, 50, 6]).shows(1, 11, 1).shows(50, 60, 50).shows(6, 16, 6).found).toEqual(PASSED);
    expect(judged(SESSION, [1, 13, 5, 50]).shows(1, 11, 1).shows(5, 23, 5, 13).shows(50, 60, 50).found).toEqual([
      'window-shrunk',
    ]);
  });
});
