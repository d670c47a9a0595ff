/** `<name>.bug.json`. */
import { describe, expect, it } from 'vitest';
import {
  type BugRecord,
  type BugRun,
  decodeBugRecord,
  encodeBugRecord,
  withRun,
} from '../../../../scenarios/bugs/bug-record.ts';
import { formatProblem } from '../../../../scenarios/index.ts';

const RUN: BugRun = {
  engineVersion: '0.1.0',
  outcome: 'reproduces',
  signature: 'retention/orphan-file',
  digest: 'd1',
};
const record: BugRecord = {
  kind: 'tidemark-bug',
  version: 1,
  signature: 'retention/orphan-file',
  status: 'open',
  firstSeen: { scenario: 'standard', seed: '007', engineVersion: '0.1.0', planHash: 'ab', faults: 7, on: '2026-01-31' },
  runs: [RUN],
};

describe('bug record', () => {
  it('comes back equal', () => {
    expect(decodeBugRecord(encodeBugRecord(record), 'x.bug.json')).toEqual({ ok: true, record });
  });

  it.each([
    ['"open"', '"opened"', /^x\.bug\.json:5:13 status: "opened" is not allowed here; expected one of: open, fixed/],
    ['"faults": 7', '"faults": "7"', /^x\.bug\.json:11:15 firstSeen\.faults: .*expected a whole number/],
    ['"runs"', '"run"', /^x\.bug\.json:14:3 run: unknown key "run"; .*did you mean "runs"/m],
    ['retention/orphan-file"', 'retention"', /signature: .*expected a judge and its anomaly/],
    ['2026-01-31', 'yesterday', /firstSeen\.on: .*expected a day as YYYY-MM-DD/],
  ])('%s as %s is refused with file, line and what was expected', (right, wrong, message) => {
    const decoded = decodeBugRecord(encodeBugRecord(record).replace(right, wrong), 'x.bug.json');
    expect(decoded.ok ? '' : decoded.problems.map(formatProblem).join('\n')).toMatch(message);
  });

  it('a run that shows what the last one showed adds nothing, on whatever day (I1)', () => {
    const same: BugRun = { ...RUN, on: '2026-02-01' };
    expect(withRun(record, same)).toBe(record);
    const fixed = withRun(record, { ...same, outcome: 'gone', signature: '', digest: 'd2' });
    expect(fixed.runs.map(({ outcome }) => outcome)).toEqual(['reproduces', 'gone']);
    expect(withRun(fixed, same).runs).toHaveLength(3);
  });
});
