/** What a client is told of, told to the judge alone. */
import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import { judgement } from '../../../../scenarios/expectation.ts';
import { Margins } from '../../../../sim/judges/margins.ts';
import { Savepoints, type SavepointsOptions } from '../../../../sim/judges/savepoints.ts';

const LOCATION = 'savepoints/savepoint-job-4';

function judged(reader: object, margins = new Margins(), compare?: () => object): Savepoints {
  const options = { reader, cuts: { compare }, audit: { stateIsOrderInsensitive: compare !== undefined }, margins };
  const judge = new Savepoints(options as unknown as SavepointsOptions);
  const tell = (atUs: number, event: Parameters<Savepoints['observe']>[0]['event']): void =>
    judge.observe({ index: atUs, atUs, node: nodeId('n'), event });
  tell(10, { kind: 'object-stored', path: `${LOCATION}/_metadata`, bytes: 1 });
  const of = { operation: 'savepoint', triggerId: 'f1', outcome: 'done', reason: '', location: LOCATION } as const;
  tell(35, { kind: 'operation-answered', ...of });
  return judge;
}

describe('savepoints', () => {
  it('one that cannot be read when its client is told: told-before-durable', () => {
    const judge = judged({ metadata: () => ({ kind: 'unreadable', reason: 'it is not there' }) });
    expect(judge.finish()).toMatchObject([{ anomaly: 'told-before-durable', at: [35] }]);
    expect(judge.finish()[0]?.message).toContain(LOCATION);
  });

  it('one that can: passed, and how long it had been durable', () => {
    const margins = new Margins();
    const read = { kind: 'read', value: { checkpointId: 4 } };
    expect(judged({ metadata: () => read, contents: () => read }, margins).finish()).toMatchObject([
      { outcome: 'passed' },
    ]);
    expect(margins.all()).toEqual({ 'savepoints/told-after-durable': { value: 25, at: 35 } });
  });

  it.each([
    ['holds-too-much', 'savepoint-holds-too-much', 'passed'],
    ['twice', 'savepoint-holds-too-much', 'passed'],
    ['misses', 'savepoint-wrong', 'violated'],
    ['other', 'savepoint-wrong', 'violated'],
  ])('state that is not that of its cut, %s: %s; where at-least-once is expected %s', (kind, anomaly, verdict) => {
    const read = { kind: 'read', value: { checkpointId: 4 } };
    const compare = (): object => ({ kind: 'read', value: { kind, message: 'key a' } });
    const verdicts = judged({ metadata: () => read, contents: () => read }, new Margins(), compare).finish();
    expect(verdicts).toMatchObject([{ anomaly, outcome: 'violated', message: `${LOCATION}: key a`, at: [35] }]);
    expect(judgement('at-least-once', { verdicts, verdict: 'violated', signature: '' }).verdict).toBe(verdict);
  });
});
