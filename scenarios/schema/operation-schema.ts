/**
 * What somebody does to the job, as an entry of the fault list: `{ operation: savepoint, every: 10s..20s }`.
 *
 * Owns: the keys of such an entry beside its time, and the command they mean. An option that the operation does not have says nothing.
 */
import { z } from 'zod';
import type { ClientCommand } from '../../engine/protocol/client-operations.ts';
import { BACKENDS } from '../../engine/protocol/configuration.ts';
import { count, record } from './scalars.ts';

export const OPERATIONS = ['savepoint', 'checkpoint', 'stop-with-savepoint', 'cancel', 'dispose-savepoint'] as const;
export const SAVEPOINT_FORMATS = ['canonical', 'native'] as const;
export const CHECKPOINT_KINDS = ['configured', 'full', 'incremental'] as const;
export const RESUME_SOURCES = ['what-it-left', 'earliest-left', 'newest-savepoint'] as const;
export const CLAIM_MODES = ['claim', 'no-claim', 'legacy'] as const;

const thenResume = record({
  from: z
    .enum(RESUME_SOURCES)
    .default('what-it-left')
    .describe(
      "What the stop or cancel left, what the earliest one left that is still its user's, or the newest savepoint.",
    ),
  claim: z
    .enum(CLAIM_MODES)
    .default('no-claim')
    .describe('Who owns the snapshot the job is restored from. `no-claim`: its user, and nothing of it is reused.'),
  parallelism: count()
    .optional()
    .describe('Subtasks it begins with, as with `rescale`: of an adaptive scheduler the most. Absent: as before.'),
  backend: z
    .enum(BACKENDS)
    .optional()
    .describe('Where keyed state lives from then on. Another backend than before reads canonical savepoints only.'),
  fileMerging: z
    .boolean()
    .optional()
    .describe('Whether state goes into common files from then on, where the job is configured so. Absent: as before.'),
  version: z
    .int()
    .min(1)
    .optional()
    .describe('Which version of the job begins: its parameter `version`, on this occasion. Absent: the one before.'),
  fallBack: z.int().min(1).optional().describe('The version that begins where `version` could not.'),
  onlyIfFailed: z
    .boolean()
    .default(false)
    .describe('Only where the savepoint is good and the job failed all the same; a job that stopped is not.'),
  allowNonRestored: z.boolean().default(false).describe('Leave behind state of operators that the job does not have.'),
});

export const operationShape = {
  operation: z
    .enum(OPERATIONS)
    .describe('What somebody does. `dispose-savepoint`: deletes the newest savepoint they were told of.'),
  format: z.enum(SAVEPOINT_FORMATS).default('canonical').describe('Of the savepoint.'),
  type: z.enum(CHECKPOINT_KINDS).default('configured').describe('Of the checkpoint.'),
  drain: z.boolean().default(false).describe('With `stop-with-savepoint`: the input counts as ended first.'),
  thenResume: thenResume
    .optional()
    .describe('After `stop-with-savepoint` or `cancel`: start the job again from what that left.'),
};

type Entry = z.output<z.ZodObject<typeof operationShape>>;

export function commandOf({ operation, format, type, drain, thenResume: resume }: Entry): ClientCommand {
  const then =
    resume === undefined
      ? {}
      : {
          thenResume: {
            from: resume.from,
            claimMode: resume.claim,
            allowNonRestored: resume.allowNonRestored,
            ...(resume.parallelism === undefined ? {} : { parallelism: resume.parallelism }),
            ...(resume.backend === undefined ? {} : { backend: resume.backend }),
            ...(resume.fileMerging === undefined ? {} : { fileMerging: resume.fileMerging }),
            ...(resume.version === undefined ? {} : { version: resume.version }),
            ...(resume.fallBack === undefined ? {} : { fallBack: resume.fallBack }),
            ...(resume.onlyIfFailed ? { onlyIfFailed: true as const } : {}),
          },
        };
  switch (operation) {
    case 'savepoint':
      return { kind: operation, format };
    case 'checkpoint':
      return { kind: operation, checkpoint: type };
    case 'stop-with-savepoint':
      return { kind: operation, drain, format, ...then };
    case 'cancel':
      return { kind: operation, ...then };
    case 'dispose-savepoint':
      return { kind: operation };
    default:
      throw new RangeError(`unknown operation ${String(operation satisfies never)}`);
  }
}
