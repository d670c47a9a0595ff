import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fifo } from '../../../../engine/foundation/fifo.ts';

test('fifo: an empty queue answers undefined', () => {
  const fifo = new Fifo<number>();
  expect([fifo.length, fifo.peek(), fifo.shift()]).toEqual([0, undefined, undefined]);
});

test('fifo: any pushes and shifts behave as those of an array', () => {
  const steps = fc.array(fc.oneof(fc.integer(), fc.constant('shift' as const)), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (taken) => {
      const fifo = new Fifo<number>();
      const model: number[] = [];
      for (const step of taken) {
        if (step === 'shift') {
          expect(fifo.shift()).toBe(model.shift());
        } else {
          fifo.push(step);
          model.push(step);
        }
        const seen: number[] = [];
        fifo.forEach((item) => {
          seen.push(item);
        });
        expect([fifo.length, fifo.peek(), seen]).toEqual([model.length, model[0], model]);
      }
    }),
    { seed: 1, numRuns: 200 },
  );
});
