/** How and where a snapshot of the job is taken: what of its properties and the configuration travels with the barriers (rows B10, C7, C26). Pure. */
import type { CheckpointId } from '../foundation/ids.ts';
import { checkpointDirectory } from '../parts.ts';
import type { CheckpointOptions } from '../protocol/checkpoint-options.ts';
import type { CheckpointProperties } from '../protocol/checkpoint-properties.ts';
import type { EngineConfiguration } from '../protocol/configuration.ts';
import { savepointDirectory } from '../protocol/savepoint-paths.ts';

/** Its directory (row T2). */
export const locationOf = (
  { id, jobId, isSavepoint }: { readonly id: CheckpointId; readonly jobId: string; readonly isSavepoint: boolean },
  configuration: Pick<EngineConfiguration['checkpoint'], 'directory' | 'savepointDirectory'>,
): string =>
  isSavepoint
    ? savepointDirectory(configuration.savepointDirectory, jobId, id)
    : checkpointDirectory(configuration.directory, jobId, id);

/** Savepoints are always aligned (row C26). */
export function snapshotOptions(
  { snapshot, sharing, format }: CheckpointProperties,
  location: string,
  configuration: EngineConfiguration['checkpoint'],
): CheckpointOptions {
  return {
    snapshot,
    ...(snapshot === 'checkpoint' ? ofCheckpoint(configuration) : ofSavepoint(configuration)),
    ...(snapshot === 'checkpoint' ? {} : { location }),
    ...(sharing === 'forward-backward' ? {} : { sharing }),
    ...(format === undefined ? {} : { format }),
  };
}

type Alignment = Pick<CheckpointOptions, 'alignment' | 'alignedTimeoutUs'>;

function ofCheckpoint({ mode, unaligned, alignedTimeoutUs }: EngineConfiguration['checkpoint']): Alignment {
  if (mode !== 'exactly-once') return { alignment: 'at-least-once', alignedTimeoutUs: 0 };
  if (!unaligned) return { alignment: 'aligned', alignedTimeoutUs: 0 };
  return { alignment: alignedTimeoutUs > 0 ? 'aligned' : 'unaligned', alignedTimeoutUs };
}

const ofSavepoint = ({ mode }: EngineConfiguration['checkpoint']): Alignment => ({
  alignment: mode === 'exactly-once' ? 'aligned' : 'at-least-once',
  alignedTimeoutUs: 0,
});
