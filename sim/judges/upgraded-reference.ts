/**
 * The reference of a job that was upgraded: each version is fed its part of the input, and what its states hold is handed on as the next
 * version's audit says (rows S13, X17; Flink: RestoreUpgradedJobITCase).
 *
 * What becomes of a value is said in values, never in bytes or descriptions: the engine's rules of evolution have no part in it.
 * Owns nothing. I1: only keyed state is handed on; a job with other state that survives its versions is not audited so.
 */
import { assert } from '../../engine/foundation/assert.ts';
import type { ReferenceJob } from './reference-job.ts';
import { type InputIndex, ReferenceRun } from './reference-run.ts';
import type { JobVersion, Upgrade, VersionHistory } from './version-history.ts';

/** A run that has gone through the upgrades behind a checkpoint, and stands at the last of them. */
export function upgradedRun(history: VersionHistory, checkpoint: number, index: InputIndex): ReferenceRun {
  const { first, upgrades } = history.of(checkpoint);
  let run = new ReferenceRun(history.versionOf(first).graph, index);
  for (const upgrade of upgrades) {
    run.advance(upgrade.at);
    const next = history.versionOf(upgrade.to);
    const upgraded = new ReferenceRun(next.graph, index, undefined, upgrade.at);
    handOn(run.job, upgraded.job, next, upgrade);
    run = upgraded;
  }
  return run;
}

function handOn(before: ReferenceJob, after: ReferenceJob, { audit }: JobVersion, { from }: Upgrade): void {
  for (const [operator, state] of after.keyedStates) {
    const older = before.keyedStates.get(operator);
    for (const { name, key, content } of older?.contents() ?? []) {
      if (!state.declares(name)) continue;
      assert(audit.upgraded !== undefined, 'a version says what it makes of the state of another', { operator, name });
      state.adopt(name, key, audit.upgraded({ from, operator, state: name, content }));
    }
  }
}
