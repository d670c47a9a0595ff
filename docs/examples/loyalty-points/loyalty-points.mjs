import { pointsJob } from './points-job.mjs';

/** Gathers points in memory and moves them into state with every fifth purchase. */
export const loyaltyPoints = pointsJob('loyalty-points', () => {
  let points;
  const gathered = new Map();
  return {
    open: (runtime) => {
      points = runtime.value('points');
    },
    processElement({ customer, euros }, _context, out) {
      const { sum = 0, purchases = 0 } = gathered.get(customer) ?? {};
      gathered.set(customer, { sum: sum + euros, purchases: purchases + 1 });
      if (purchases + 1 === 5) {
        points.update((points.value() ?? 0) + sum + euros);
        gathered.delete(customer);
      }
      out.collect({ customer, points: (points.value() ?? 0) + (gathered.get(customer)?.sum ?? 0) });
    },
  };
});
