/** Faults that join a plan have ids of their own, also behind gaps that faults have left that were taken out. */
import { describe, expect, it } from 'vitest';
import { calmPlan, crashCase } from '../../../scenarios/crashpoints/crash-case.ts';
import { withFaultsBehind } from '../../../scenarios/fault-ids.ts';
import { nodeId } from '../../../engine/foundation/ids.ts';
import { liveIt, planOf } from '../../support/lives.ts';

describe('ids of further faults', () => {
  const node = nodeId('taskmanager-1');
  const crash = { id: '', kind: 'crash', node, restartAfterUs: 1, trigger: { atUs: 1 } } as const;

  it('lie above those there are, and those of others stay', () => {
    const [two, seven] = ['f2', 'f7'].map((id) => ({ ...crash, id }));
    if (two === undefined || seven === undefined) throw new Error('two faults');
    const ids = withFaultsBehind([seven, two], [crash, crash]).map(({ id }) => id);
    expect(ids).toEqual(['f7', 'f2', 'f8', 'f9']);
    expect(withFaultsBehind([], [crash]).map(({ id }) => id)).toEqual(['f1']);
  });

  it('a crash at a point of an operated job: no operation has its id, and the life can be lived', () => {
    const calm = calmPlan(planOf('savepoints-under-faults', '1'));
    expect(calm.faults.length).toBeGreaterThan(0);
    const point = { trigger: { point: 'all-acknowledged', checkpoint: 3, occurrence: 1 }, at: 0, atUs: 0 } as const;
    const { plan } = crashCase(calm, { point, node, variant: 'crash-unsent' });
    expect(new Set(plan.faults.map(({ id }) => id)).size).toBe(calm.faults.length + 2);
    expect(liveIt(plan).verdict).toBe('passed');
  });
});
