import { describe, expect, it } from 'vitest';
import { htmlReport, markdownSummary, type ReportLife, SweepSummary } from '../../../reports/index.ts';
import { lifeFigures, SUBTASK_RECORDS } from './life-fixture.ts';

function report(lives: readonly ReportLife[]): string {
  const summary = new SweepSummary();
  for (const life of lives) summary.add(life);
  return htmlReport({ title: 'a <b> & "c"', engineVersion: '0.1.0', sums: summary.sums(), lives });
}
const life = (over: Partial<ReportLife> = {}): ReportLife => ({
  ...lifeFigures(over),
  replay: 'tidemark run x --seed 1',
});

describe('HTML report', () => {
  it('escapes whatever comes from data and cannot be ended by it', () => {
    const html = report([life({ seed: '</script><script>alert(1)</script>', signature: "<img src=x onerror='1'>" })]);
    expect(html).not.toContain('<script>alert');
    expect(html).not.toContain('<img src=x');
    expect(html).toContain('a &lt;b&gt; &amp; &quot;c&quot;');
    const json = /<script type="application\/json" id="tidemark-report">(.*?)<\/script>/s.exec(html)?.[1] ?? '';
    expect(json).not.toContain('<');
    expect(JSON.parse(json).lives[0].seed).toBe('</script><script>alert(1)</script>');
  });

  it('loads nothing from outside', () => {
    expect(report([life()])).not.toMatch(/(?:src|href)=|@import|url\(|https?:\/\/(?!www\.w3\.org)/);
  });

  it('of a thousand lives lists all and details failing ones first', () => {
    const lives = Array.from({ length: 1_000 }, (_, index) =>
      life({ seed: String(index + 1), verdict: index === 700 ? 'violated' : 'passed' }),
    );
    const html = report(lives);
    expect(html.match(/<tr data-verdict=/g)).toHaveLength(1_000);
    expect(/<details open><summary>[^<]*seed (\d+)/.exec(html)?.[1]).toBe('701');
    expect(html.match(/<svg /g)).toHaveLength(24);
    expect(html).toContain('<span class="v violated">violated</span></h1>');
  });

  it('7.1: a life with its subtasks: a bar for each that acknowledged, in the order of its parts, newest checkpoint first', () => {
    const html = report([life({ subtaskRecords: SUBTASK_RECORDS })]);
    expect(html.match(/<details class="checkpoint">/g)).toHaveLength(3);
    expect(html.indexOf('checkpoint 3: <span')).toBeLessThan(html.indexOf('checkpoint 1: <span'));
    expect(html.match(/<rect class="rest"/g)).toHaveLength(5);
    expect(html.match(/pending or failed: no figures/g)).toHaveLength(1);
    expect(html).toContain(
      'count &lt;b&gt; (1/2): start delay 0.001 ms, alignment 0.002 ms, sync 0.003 ms, async 3 ms, acknowledgement under way 1.994 ms; 5 B of state',
    );
    const [bar] = /<g><title>.*<\/g>/.exec(html) ?? [''];
    expect([...bar.matchAll(/rect class="(\w+)"/g)].map(([, style]) => style)).toEqual([
      'delay',
      'align',
      'sync',
      'async',
      'rest',
    ]);
  });

  it('a life that was not asked for its subtasks: the history alone', () => {
    const html = report([life()]);
    expect(html).not.toContain('<details class="checkpoint">');
    expect(html).toMatch(/<td class="n">3<\/td><td><span class="c completed">completed<\/span><\/td>/);
  });

  it('of a life without checkpoints and faults is whole', () => {
    const html = report([life({ checkpointRecords: [], faultRecords: [], faults: {}, verdicts: [], virtualUs: 0 })]);
    expect(html).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe('sums of a sweep', () => {
  it('add up, and depend on the order of lives only in the digest', () => {
    const one = lifeFigures({ digest: 'aaaa' });
    const two = lifeFigures({ digest: 'bbbb', verdict: 'not-live', duplicates: true });
    const sumsOf = (lives: readonly (typeof one)[]): ReturnType<SweepSummary['sums']> => {
      const summary = new SweepSummary();
      for (const each of lives) summary.add(each);
      return summary.sums();
    };
    const sums = sumsOf([one, two]);
    expect(sums).toMatchObject({
      lives: 2,
      livesWithDuplicates: 1,
      virtualMs: 40_000,
      records: { in: 200 },
      faults: { 'crash/taskmanager': { planned: 4 } },
    });
    expect(sums.verdicts).toEqual({ passed: 1, violated: 0, 'not-live': 1, inconclusive: 0 });
    const { digest: _digest, ...others } = sumsOf([two, one]);
    expect(sums).toMatchObject(others);
    expect(sumsOf([two, one]).digest).not.toBe(sums.digest);
  });

  it('become Markdown whose tables are not broken by data', () => {
    const summary = new SweepSummary();
    summary.add(lifeFigures());
    const text = markdownSummary({
      title: 'a',
      sums: summary.sums(),
      failureCount: 1,
      failures: [{ seed: 'x|y', verdict: 'violated', signature: 'j/a', replay: 'r' }],
    });
    expect(text).toContain('| x\\|y | violated | j/a | `r` |');
  });
});
