/** The state log in scenario and plan files (row S20). */
import { z } from 'zod';
import { count, duration, record, size } from './scalars.ts';

/** Materialisation and sizes fit a simulated minute; Flink: 10 min, 3 failures, 5 MB. */
export const changelogSchema = z
  .union(
    [
      z.literal('none'),
      record({
        materializationInterval: duration()
          .prefault('10s')
          .describe('From one snapshot below the log to the next; 0s: only where there is none. Flink: 10 min.'),
        maxMaterializationFailures: count(0)
          .default(3)
          .describe("Failed snapshots in a row that do not fail the subtask. Flink's default."),
        preemptiveUpload: size()
          .prefault('4KiB')
          .describe('Size of the log at which it is written without waiting for a checkpoint. Flink: 5 MB.'),
      }),
    ],
    { error: 'expected none, or materializationInterval, maxMaterializationFailures and preemptiveUpload' },
  )
  .default('none')
  .describe(
    'Checkpoints are made of a log of changes and a snapshot now and then, over either backend. Storage jobmanager takes no notice.',
  );

const natural = z.int().min(0);

/** Plans from before there was a log do not say; nor do those without. */
export const changelogPlanSchema = record({
  materializationIntervalUs: natural,
  maxMaterializationFailures: natural,
  preemptiveBytes: z.int().min(1),
}).exactOptional();
