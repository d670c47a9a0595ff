import { pointsJob } from './points-job.mjs';

export const loyaltyPointsFixed = pointsJob('loyalty-points-fixed', () => {
  let points;
  return {
    open: (runtime) => {
      points = runtime.value('points');
    },
    processElement({ customer, euros }, _context, out) {
      points.update((points.value() ?? 0) + euros);
      out.collect({ customer, points: points.value() });
    },
  };
});
