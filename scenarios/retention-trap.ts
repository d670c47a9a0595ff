/**
 * The retention trap of a log (row K1): what is deleted before a job that was down comes back to it is lost, or keeps the job from going on.
 * Whether a scenario makes that possible, said before anything is lived. Pure.
 */
import type { Scenario } from './scenario.ts';
import { longestDowntimeUs } from './timeout-trap.ts';

const US_PER_S = 1_000_000;

/** A sentence for people; undefined: every topic keeps its records for long enough. */
export function retentionTrap({
  topics,
  engine,
  faults,
}: Pick<Scenario, 'topics' | 'engine' | 'faults'>): string | undefined {
  const { intervalUs, timeoutUs } = engine.checkpoint;
  const downtimeUs = longestDowntimeUs({ engine, faults });
  // A restore goes back to a checkpoint that was triggered so long ago.
  const neededUs = intervalUs + timeoutUs + downtimeUs;
  const short = topics.find(({ retentionUs = Number.POSITIVE_INFINITY }) => retentionUs <= neededUs);
  if (short === undefined) return undefined;
  const [kept, needed, down] = [short.retentionUs ?? 0, neededUs, downtimeUs].map((us) => `${us / US_PER_S} s`);
  const then =
    short.offsetReset === undefined
      ? 'The job fails when it wants what was deleted'
      : 'What is deleted before it is read is lost';
  return (
    `'${short.name}' keeps records for ${kept}, but may be read ${needed} late: checkpoint interval and timeout and a downtime of ${down}. ` +
    `${then}; its retention should be longer.`
  );
}
