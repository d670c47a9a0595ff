/** What sources that stop at markers may get wrong (row C25): where a checkpoint is taken, which marker counts, what is taken. */
import { type Mutant, withWrong } from './mutant.ts';

const JUDGES = ['consistent-cut'];

export const inducedByTrigger: Mutant = {
  slug: 'induced-by-trigger',
  bug: 'ExternallyInducedSource (row C25)',
  story:
    "A source that stops at markers takes a checkpoint when the coordinator's trigger comes, wherever it stands, and not where the outside system put its marker.",
  parts: withWrong({ inducedBy: 'trigger' }),
  scenario: 'induced-source',
  judges: JUDGES,
};

export const readsPastMarker: Mutant = {
  slug: 'reads-past-marker',
  bug: 'SourceOperatorStreamTask.waitForRPC (row C25)',
  story:
    'A marker comes before its trigger; the source reads on meanwhile, and takes the checkpoint behind the marker.',
  parts: withWrong({ markerWithoutTrigger: 'reads-on' }),
  scenario: 'induced-source',
  judges: JUDGES,
};

export const abortedMarkerBelieved: Mutant = {
  slug: 'aborted-marker-believed',
  bug: 'SourceOperatorStreamTask.cleanupOldCheckpoints (row C25)',
  story: 'A source waits at the marker of a checkpoint that was aborted, for a trigger that will never come.',
  parts: withWrong({ markerOfAborted: 'believed' }),
  scenario: 'induced-source',
  judges: ['progress'],
};

export const inducedSavepointAsCheckpoint: Mutant = {
  slug: 'induced-savepoint-as-checkpoint',
  bug: 'FLINK-25256',
  story:
    'The barrier behind a marker always asks for a checkpoint: of a savepoint the files are written where checkpoints lie, and go with those.',
  parts: withWrong({
    inducedOptions: ({ alignment, alignedTimeoutUs }) => ({ snapshot: 'checkpoint', alignment, alignedTimeoutUs }),
  }),
  scenario: 'induced-source',
  judges: ['savepoints', 'retention', 'restore-audit'],
};
