/**
 * The retention trap of a log (row K1): what is deleted before a job that was down comes back to it is lost, or keeps the job from going on.
 * Whether a scenario makes that possible, said before anything is lived. Pure.
 */
import { longestDelay, secondsText } from './longest-delay.ts';
import type { Scenario } from './scenario.ts';

/** A sentence for people; undefined: every topic keeps its records for long enough. */
export function retentionTrap({
  topics,
  engine,
  faults,
}: Pick<Scenario, 'topics' | 'engine' | 'faults'>): string | undefined {
  // A restore goes back to a checkpoint that was triggered so long ago.
  const late = longestDelay({ engine, faults });
  const short = topics.find(({ retentionUs = Number.POSITIVE_INFINITY }) => retentionUs <= late.us);
  if (short === undefined) return undefined;
  const then =
    short.offsetReset === undefined
      ? 'The job fails when it wants what was deleted'
      : 'What is deleted before it is read is lost';
  const kept = secondsText(short.retentionUs ?? 0);
  return (
    `'${short.name}' keeps records for ${kept}, but may be read ${secondsText(late.us)} late: ${late.parts}. ` +
    `${then}; its retention should be longer.`
  );
}
