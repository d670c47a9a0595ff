import { pointsJob } from './points-job.mjs';

/** Gathers points in memory and moves them into state with every fifth purchase. */
export const loyaltyPoints = pointsJob('loyalty-points', () => {
  let points;
  const gathered = new Map();
  return {
    open: (runtime) => {
      points = runtime.value('points');
    },
    processElement({ customer }, _context, out) {
      const fresh = (gathered.get(customer) ?? 0) + 1;
      gathered.set(customer, fresh === 5 ? 0 : fresh);
      if (fresh === 5) points.update((points.value() ?? 0) + fresh);
      out.collect({ customer, points: (points.value() ?? 0) + gathered.get(customer) });
    },
  };
});
