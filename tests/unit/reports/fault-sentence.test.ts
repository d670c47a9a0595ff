/** Faults in words that an engineer of the field would use. */
import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../engine/foundation/ids.ts';
import { faultSentence } from '../../../reports/index.ts';
import type { Fault } from '../../../sim/faults/fault.ts';

const AT = { id: 'f1', trigger: { atUs: 1_500_000 } };
const node = nodeId('coordination-store');
const [a, b] = [nodeId('jobmanager-1'), nodeId('taskmanager-1')];

describe('a fault in a sentence', () => {
  it.each<readonly [string, Fault]>([
    [
      'at 1.5 s, the client asks for parallelism 3',
      { ...AT, kind: 'operation', command: { kind: 'rescale', parallelism: 3 } },
    ],
    [
      'at 1.5 s, coordination-store carries requests out and loses its replies for 0.001 s',
      {
        ...AT,
        kind: 'service',
        node,
        effect: 'unknown-outcome',
        factor: 1,
        chance: { numerator: 1, denominator: 1 },
        forUs: 1_000,
      },
    ],
    [
      'at 1.5 s, connections among jobmanager-1, taskmanager-1 are reset',
      { ...AT, kind: 'reset', a: [a, b], b: [a, b] },
    ],
    [
      'at 1.5 s, connections between jobmanager-1 and taskmanager-1 are reset',
      { ...AT, kind: 'reset', a: [a], b: [b] },
    ],
  ])('%s', (text, fault) => {
    expect(faultSentence(fault)).toBe(text);
  });

  it('names occurrence, vertex and delay of a point', () => {
    const trigger = { point: 'snapshot.taken' as const, checkpoint: 4, vertex: 3, occurrence: 7, afterUs: 2_000 };
    expect(faultSentence({ id: 'f1', trigger, kind: 'throw', node: b } as unknown as Fault)).toBe(
      '0.002 s after snapshot.taken of checkpoint 4 at any subtask of vertex 3 (occurrence 7), a user function on taskmanager-1 throws',
    );
  });
});
