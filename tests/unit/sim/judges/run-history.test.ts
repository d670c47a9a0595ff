/** What of earlier runs is forgotten when another begins, and that nothing else is said of their checkpoints for it. */
import { describe, expect, it } from 'vitest';
import { checkpointId, leaderEpoch, nodeId } from '../../../../engine/foundation/ids.ts';
import { encodePointer, pointerKey } from '../../../../engine/protocol/checkpoint-pointer.ts';
import { type JobVersion, RunHistory } from '../../../../sim/judges/run-history.ts';
import { JOB_ID } from './small-life.ts';

/** A job of two versions, told of runs. */
class Runs {
  readonly history: RunHistory;
  #run = 1;

  constructor() {
    const versions = new Map([1, 2].map((version) => [version, {} as JobVersion] as const));
    const snapshotOf = (): { cut: Int32Array; isDrained: boolean } => ({ cut: new Int32Array(1), isDrained: false });
    this.history = new RunHistory({ jobId: JOB_ID, versions, snapshotOf, changed: () => {} });
  }

  /** From a checkpoint, behind which its own ids lie; 0: from nothing. */
  begin(from: number, version = 1, floor = from): this {
    this.#run += 1;
    const job = { run: this.#run, by: '', floor, version, fullFirst: false };
    const completed = from === 0 ? [] : [{ id: checkpointId(from), metadata: `${from}` }];
    const value = encodePointer({ epoch: leaderEpoch(1), completed, job });
    const event = {
      kind: 'coordination-updated',
      key: pointerKey(JOB_ID),
      version: 1,
      value,
      by: nodeId('j'),
    } as const;
    this.history.observe({ index: 0, atUs: 0, node: nodeId('j'), event });
    return this;
  }

  of(id: number): readonly number[] {
    const { version, stations } = this.history.of(id);
    return [version, ...stations.map(({ checkpointId: at }) => at)];
  }
}

describe('the history of runs', () => {
  it('runs that go on as before leave nothing behind', () => {
    const runs = new Runs();
    const short = runs.begin(5).history.remembered;
    for (let id = 6; id < 100; id += 1) runs.begin(id);
    for (let floor = 100; floor < 200; floor += 1) runs.begin(0, 1, floor);
    expect(runs.history.remembered).toBe(short);
    expect(runs.history.current()).toMatchObject({ run: 196, floor: 199 });
  });

  it('an upgrade is remembered, and whose checkpoint is whose', () => {
    const runs = new Runs().begin(10).begin(20).begin(30, 2).begin(40, 2).begin(50, 2).begin(25, 1, 60).begin(70);
    const asked = [1, 15, 25, 30, 31, 45, 55, 65, 75];
    const first = [1];
    const second = [2, 30];
    expect(asked.map((id) => runs.of(id))).toEqual([first, first, first, first, second, second, second, first, first]);
  });
});
