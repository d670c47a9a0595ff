import { expect, test } from 'vitest';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import { History } from '../../../../sim/history/history.ts';

const NODE = nodeId('a');
const exited = (why: string) => ({ kind: 'process-exited', why }) as const;

test('the history: observers hear each entry at once, in order of registration', () => {
  const clock = { nowUs: 5 };
  const history = new History({ keep: true, clock });
  const heard: string[] = [];
  history.observe((entry) => heard.push(`first ${entry.index} @${entry.atUs}`));
  history.observe((entry) => heard.push(`second ${entry.index} @${entry.atUs}`));
  history.record(NODE, exited('x'));
  clock.nowUs = 7;
  history.record(NODE, exited('y'));
  expect(heard).toEqual(['first 0 @5', 'second 0 @5', 'first 1 @7', 'second 1 @7']);
  expect(history.entries()).toEqual([
    { index: 0, atUs: 5, node: 'a', event: { kind: 'process-exited', why: 'x' } },
    { index: 1, atUs: 7, node: 'a', event: { kind: 'process-exited', why: 'y' } },
  ]);
});

test('a history that is not kept: it counts and tells, but holds nothing', () => {
  const history = new History({ keep: false, clock: { nowUs: 0 } });
  let heard = 0;
  history.observe(() => {
    heard += 1;
  });
  for (let n = 0; n < 10; n += 1) history.record(NODE, exited('x'));
  expect([heard, history.length, history.entries().length]).toEqual([10, 10, 0]);
});

test('an observer that records: it is refused', () => {
  const history = new History({ keep: false, clock: { nowUs: 0 } });
  history.observe(() => history.record(NODE, exited('again')));
  expect(() => history.record(NODE, exited('x'))).toThrow('no observer of the history records into it');
});
