/** Who reads that a checkpoint is given up, and goes on waiting for barriers of that or an older one, is found; nobody else is. */
import { describe, expect, it } from 'vitest';
import { Findings } from '../../../../sim/judges/findings.ts';
import { StaleAlignments } from '../../../../sim/judges/stale-alignments.ts';

/** A subtask passes a barrier or marker of `read` over and aligns `aligning`. */
function told(...cases: readonly (readonly [read: number, aligning: number])[]) {
  const findings = new Findings('judge');
  let index = 40;
  const alignments = new StaleAlignments(() => index);
  for (const [checkpointId, aligning] of cases) {
    alignments.passedOver({ checkpointId, vertex: 2, subtask: 1 }, aligning);
    index += 10;
  }
  alignments.report(findings);
  return findings.verdicts('nobody waits in vain');
}

describe('stale alignments', () => {
  it('an older one that goes on, and the very one that was given up', () => {
    for (const aligning of [5, 6])
      expect(told([6, aligning])).toEqual([
        {
          judge: 'judge',
          outcome: 'violated',
          anomaly: 'aligned-in-vain',
          message: `Subtask 1 of vertex 2 has read that checkpoint 6 is given up, and goes on waiting for barriers of ${aligning}`,
          at: [39],
        },
      ]);
  });

  it('nothing is aligned, or a newer one: silent', () => {
    expect(told([6, 0], [6, 7]).map(({ outcome }) => outcome)).toEqual(['passed']);
  });

  it('the first is shown, the others are counted, and not without bound', () => {
    const [{ message, at } = { message: '', at: [] }] = told(
      [6, 7],
      ...Array.from({ length: 200 }, () => [6, 5] as const),
    );
    expect(at).toEqual([49]);
    expect(message).toMatch(/waiting for barriers of 5 \(and 99 more\)$/);
  });
});
