/** Row C16: pointers that name too few or too many, told to the judge's part alone. */
import { describe, expect, it } from 'vitest';
import { checkpointId, leaderEpoch } from '../../../../engine/foundation/ids.ts';
import { type CheckpointPointer, FIRST_RUN, type JobEnd } from '../../../../engine/protocol/checkpoint-pointer.ts';
import { Findings } from '../../../../sim/judges/findings.ts';
import { RetainedCount, type RetentionRules } from '../../../../sim/judges/retained-count.ts';

const naming = (ids: readonly number[], job?: CheckpointPointer['job']): CheckpointPointer => ({
  epoch: leaderEpoch(1),
  completed: ids.map((id) => ({ id: checkpointId(id), metadata: String(id) })),
  ...(job === undefined ? {} : { job }),
});
const endedAs = (status: JobEnd['status']) => ({ ...FIRST_RUN, ended: { status, by: '' } });

function anomalies(
  rules: number | RetentionRules,
  ...pointers: readonly (CheckpointPointer | undefined)[]
): readonly string[] {
  const findings = new Findings('checkpoint-lifecycle');
  const ofCount = (retained: number): RetentionRules => ({ retained, retention: 'retain-on-cancellation' });
  const count = new RetainedCount(typeof rules === 'number' ? ofCount(rules) : rules, findings);
  pointers.forEach((pointer, at) => {
    count.onPointer(pointer, at);
  });
  return findings.verdicts('').flatMap(({ outcome, anomaly }) => (outcome === 'passed' ? [] : [anomaly]));
}

describe('retained count', () => {
  it.each([
    { name: 'the oldest goes when there are too many', pointers: [[1], [1, 2], [2, 3], [3, 4]] },
    {
      name: 'a checkpoint stays beside savepoints that fill the limit',
      pointers: [
        [1, 2],
        [1, 2, 3],
        [1, 3, 4],
      ],
    },
    { name: 'nothing changes', pointers: [[1], [1], [1, 2]] },
  ])('content: $name', ({ pointers }) => {
    expect(anomalies(2, ...pointers.map((ids) => naming(ids)))).toEqual([]);
  });

  it('content: another run, a run that has ended, a pointer that is removed', () => {
    expect(anomalies(2, naming([1, 2]), naming([2], { ...FIRST_RUN, run: 2 }))).toEqual([]);
    expect(anomalies(2, naming([1, 2]), naming([], endedAs('finished')))).toEqual([]);
    expect(anomalies(2, naming([1, 2]), undefined, naming([3]))).toEqual([]);
  });

  it('dropped-within-limit: one goes though there is room', () => {
    expect(anomalies(3, naming([1, 2]), naming([2, 3]))).toEqual(['dropped-within-limit']);
  });

  it('kept-beyond-limit: nothing goes', () => {
    expect(anomalies(1, naming([1, 2, 3]))).toEqual(['kept-beyond-limit']);
  });

  const retentions = ['no-externalized', 'delete-on-cancellation', 'retain-on-cancellation'] as const;
  const keeps = new Map<string, readonly string[]>([
    ['no-externalized', []],
    ['delete-on-cancellation', ['failed']],
    ['retain-on-cancellation', ['failed', 'canceled']],
  ]);

  it.each(retentions)('the end of a run keeps what %s says', (retention) => {
    for (const status of ['finished', 'failed', 'canceled'] as const) {
      const isKept = keeps.get(retention)?.includes(status) === true;
      const rules = { retained: 2, retention };
      const ended = naming([1, 2], endedAs(status));
      const keepsAll = anomalies(rules, naming([1, 2]), ended, naming([2], { ...FIRST_RUN, run: 2 }));
      expect(keepsAll, status).toEqual(isKept ? [] : ['kept-at-the-end']);
      const dropsAll = anomalies(rules, naming([1, 2]), naming([], endedAs(status)));
      expect(dropsAll, status).toEqual(isKept ? ['dropped-at-the-end'] : []);
    }
  });

  it('dropped-at-the-end: one of two goes; not judged of what another run had', () => {
    expect(anomalies(2, naming([1, 2]), naming([2], endedAs('failed')))).toEqual(['dropped-at-the-end']);
    expect(anomalies(2, naming([1, 2]), naming([2], { ...endedAs('failed'), run: 2 }))).toEqual([]);
  });
});
