import { describe, expect, it } from 'vitest';
import { inspectionText } from '../../../cli/inspection-text.ts';

describe('inspection as text', () => {
  it('a shared file that is missing from two snapshots is one file', () => {
    const problem = (message: string) => ({ kind: 'missing', file: 'job/shared/1.segment', message }) as const;
    const problems = [problem('chk-1 names it'), problem('chk-2 names it')];
    const text = inspectionText({ snapshots: [], orphans: [], problems, files: { count: 3, bytes: 9 } } as never);
    expect(text).toMatch(/, 1 damaged or missing$/);
    expect(text).toContain('chk-2 names it');
  });
});
