/** Aggregating state of several jobs: the mean of the distances of a key, rounded down. */
import { aggregatingState } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';

interface Mean {
  readonly count: number;
  readonly sum: number;
}

export const MEAN_DISTANCE = aggregatingState<number, Mean, number>(
  'distance',
  Types.record<Mean>({ count: Types.int, sum: Types.int }),
  {
    createAccumulator: () => ({ count: 0, sum: 0 }),
    add: ({ count, sum }, distance) => ({ count: count + 1, sum: sum + distance }),
    getResult: ({ count, sum }) => Math.floor(sum / count),
    merge: (a, b) => ({ count: a.count + b.count, sum: a.sum + b.sum }),
  },
);
