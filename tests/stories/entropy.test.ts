/** What entropy in paths is for: a store that divides its work by prefix refuses less (row T7). Figures are exact: no fault, one seed. */
import { describe, expect, it } from 'vitest';
import { compile, parseScenario } from '../../scenarios/index.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { findings, liveIt } from '../support/lives.ts';

/** Ten files of state a checkpoint at a store that takes four writes a second of each prefix. */
function lived(entropy: boolean): RunRecord {
  const text = `
name: busy-prefix
description: More files a second than one prefix takes.
job: { use: keyed-count, parallelism: 4 }
inputs: { flights: { dataset: flights-20k, records: 800, rate: 100/s } }
cluster: { taskManagers: 2, slots: 4, jobManagers: 1 }
checkpointing: { interval: 2s, storage: object-store, inlineThreshold: 0B }
storage: { putsPerSecond: 4, entropy: ${String(entropy)} }
duration: 9s
expect: exactly-once
`;
  const parsed = parseScenario({ text, file: 'busy-prefix.yaml' });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  return liveIt(compile(parsed.scenario, '1'), { keepHistory: true });
}

const refusals = ({ history }: RunRecord): number =>
  history.filter(({ event }) => event.kind === 'probe' && event.probe === 'storage-backs-off').length;

function meanDurationUs({ checkpointRecords }: RunRecord): number {
  const completed = checkpointRecords.filter(({ outcome }) => outcome === 'completed');
  return completed.reduce((sum, { triggeredAtUs, endedAtUs }) => sum + endedAtUs - triggeredAtUs, 0) / completed.length;
}

describe('entropy', () => {
  it('T7: with letters of their own in front of paths, a busy store refuses next to nothing and checkpoints are shorter', () => {
    const plain = lived(false);
    const spread = lived(true);
    for (const record of [plain, spread]) expect(record.verdict, findings(record)).toBe('passed');
    expect(refusals(plain)).toBeGreaterThan(20);
    expect(refusals(spread) * 5).toBeLessThan(refusals(plain));
    expect(meanDurationUs(spread) * 2).toBeLessThan(meanDurationUs(plain));
  });
});
