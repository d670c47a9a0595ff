/**
 * What all entries of a fault list share: when they strike, and how an entry becomes a `FaultRule`.
 *
 * Owns: the timing keys. Does not own: the kinds (fault-schema.ts).
 */
import { z } from 'zod';
import { nodeId } from '../../engine/foundation/ids.ts';
import { FAULT_POINTS } from '../../sim/faults/checkpoint-point.ts';
import type { FaultAction, FaultRule, FaultTime } from '../scenario.ts';
import { chance, count, countRange, duration, durationRange, record, text } from './scalars.ts';

/** In every plan, of every file. */
export const ALWAYS = '1/1';

const point = record({
  point: z.enum(FAULT_POINTS).describe('Logical point of a checkpoint, of the end of a bounded job, or of a recovery.'),
  checkpoint: count().optional().describe('Checkpoint id; absent: any.'),
  vertex: count(0).optional().describe('Index of the vertex, for points that happen at a task; absent: any.'),
  subtask: count(0).optional().describe('Index of the subtask, for points that happen at a task; absent: any.'),
  node: text('the name of a node')
    .optional()
    .describe('Node at which it happens; of what becomes durable, the outside system. Absent: any.'),
  occurrence: countRange().default(1).describe('The n-th event that matches; of a range, each seed draws one.'),
  after: durationRange().optional().describe('It strikes so long after the point; absent: at once.'),
});

/** When; shared by all kinds. */
export const timing = {
  at: z
    .union([durationRange(), point])
    .optional()
    .describe('Once: at a time, within a range of times, or at a point of a checkpoint.'),
  every: durationRange().optional().describe('Again and again until the storm ends, this far apart.'),
  after: duration().optional().describe('With `every`: the first gap begins here instead of at the start.'),
  inPlan: chance().prefault(ALWAYS).describe('In how many plans this fault is at all.'),
};

export const lasting = { ...timing, for: durationRange().describe('How long it lasts.') };

type WithTiming = z.output<z.ZodObject<typeof timing>>;
export type Lasting = z.output<z.ZodObject<typeof lasting>>;

/** One kind of entry: its keys, and what they mean. */
export function rule<Shape extends typeof timing & z.ZodRawShape>(
  shape: Shape,
  actionOf: (entry: z.output<z.ZodObject<Shape, z.core.$strict>>) => FaultAction,
) {
  return record(shape)
    .superRefine((entry, context) => {
      const { at, every, after } = entry as WithTiming;
      if ((at === undefined) === (every === undefined)) {
        context.addIssue({
          code: 'custom',
          message: 'expected exactly one of at and every, which say when it strikes',
        });
      }
      if (after !== undefined && every === undefined) {
        context.addIssue({ code: 'custom', path: ['after'], message: 'expected after only beside every' });
      }
    })
    .transform((entry): FaultRule => {
      const timed = entry as WithTiming;
      return { time: timeOf(timed), inPlan: timed.inPlan, action: actionOf(entry) };
    });
}

function timeOf({ at, every, after }: WithTiming): FaultTime {
  if (every !== undefined) return { kind: 'every', gapUs: every, afterUs: after ?? 0 };
  if (at === undefined) return { kind: 'at', atUs: { low: 0, high: 0 } };
  if ('low' in at) return { kind: 'at', atUs: at };
  const { point: name, occurrence, checkpoint, vertex, subtask, node, after: afterUs } = at;
  return {
    kind: 'point',
    point: name,
    occurrence,
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(vertex === undefined ? {} : { vertex }),
    ...(subtask === undefined ? {} : { subtask }),
    ...(node === undefined ? {} : { node: nodeId(node) }),
    ...(afterUs === undefined ? {} : { afterUs }),
  };
}
