import { pointsJob } from './points-job.mjs';

export const loyaltyPointsFixed = pointsJob('loyalty-points-fixed', () => {
  let points;
  return {
    open: (runtime) => {
      points = runtime.value('points');
    },
    processElement({ customer }, _context, out) {
      points.update((points.value() ?? 0) + 1);
      out.collect({ customer, points: points.value() });
    },
  };
});
