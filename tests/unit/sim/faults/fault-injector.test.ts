import { describe, expect, test } from 'vitest';
import { millis } from '../../../../engine/foundation/time.ts';
import type { Fault, FaultTrigger } from '../../../../sim/faults/fault.ts';
import { ping, type Script, silent, to } from '../cluster/small-world.ts';
import { ALWAYS, faultStory, NODES, storm } from './small-storm.ts';

/** Pings the peer each 10 ms, for ever. */
const pinging =
  (peer: string): Script =>
  (input, _nowUs, out) => {
    if (input.kind === 'message') return;
    out.send(to(peer, 'datagram'), ping(1));
    out.setTimer('tick', millis(10));
  };

/** Reports a barrier of checkpoint 1, 2, ... each 10 ms. */
function checkpointing(): Script {
  let n = 0;
  return (input, _nowUs, out) => {
    if (input.kind === 'message') return;
    n += 1;
    out.report({
      kind: 'barrier-received',
      checkpointId: n as never,
      attempt: 1 as never,
      vertex: n % 2,
      subtask: 0,
      channel: 0,
      pending: 0,
    });
    out.setTimer('tick', millis(10));
  };
}

const crash = (id: string, trigger: FaultTrigger, restartAfterUs = -1): Fault => ({
  id,
  kind: 'crash',
  node: NODES.b,
  trigger,
  restartAfterUs,
});

describe('triggers', () => {
  test('a point trigger: it strikes at the n-th matching event, at that time and after the handler', () => {
    const { world, injector } = storm([crash('f1', { point: 'barrier.received', vertex: 1, occurrence: 3 })], {
      b: checkpointing(),
    });
    world.start().run(1_000_000);
    // Checkpoints 1, 3 and 5 reach vertex 1; the third of them comes after 40 ms.
    expect(faultStory(world)).toEqual(['started f1 @40000', 'effective f1 @40000']);
    const barriers = world.history.entries().filter((entry) => entry.event.kind === 'barrier-received');
    expect(barriers).toHaveLength(5);
    expect(injector.records()).toEqual([
      { id: 'f1', label: 'crash/b', target: 'b', startedAtUs: 40_000, endedAtUs: -1, effective: true },
    ]);
  });

  test('a point trigger: checkpoint and point must match, each fault counts for itself, each strikes once', () => {
    const { world } = storm(
      [
        {
          id: 'f1',
          kind: 'pause',
          node: NODES.b,
          forUs: 1,
          trigger: { point: 'barrier.received', checkpoint: 2, occurrence: 1 },
        },
        { id: 'f2', kind: 'pause', node: NODES.b, forUs: 1, trigger: { point: 'barrier.received', occurrence: 4 } },
        { id: 'f3', kind: 'pause', node: NODES.b, forUs: 1, trigger: { point: 'completed', occurrence: 1 } },
      ],
      { b: checkpointing() },
    );
    world.start().run(200_000);
    expect(faultStory(world).filter((line) => line.startsWith('started'))).toEqual([
      'started f1 @10000',
      'started f2 @30000',
    ]);
  });

  test('a fault whose trigger is never reached: its record says so', () => {
    const { world, injector } = storm([crash('f1', { atUs: 5_000_000 })], { b: silent });
    world.start().run(1_000_000);
    expect(injector.records()).toEqual([
      { id: 'f1', label: 'crash/b', target: 'b', startedAtUs: -1, endedAtUs: -1, effective: false },
    ]);
  });
});

describe('effects', () => {
  test('a crash: the node restarts after the given time', () => {
    const { world } = storm([crash('f1', { atUs: 5_000 }, 2_000)], { b: silent });
    world.start().run(1_000_000);
    expect(faultStory(world)).toEqual(['started f1 @5000', 'effective f1 @5000', 'ended f1 @7000']);
    expect(world.cluster.machine(NODES.b).incarnation).toBe(2);
  });

  test('a crash or pause of a node that is down: it is not effective and restarts nothing', () => {
    const { world } = storm(
      [
        crash('f1', { atUs: 5_000 }, 10_000),
        crash('f2', { atUs: 6_000 }, 1_000),
        { id: 'f3', kind: 'pause', node: NODES.b, trigger: { atUs: 7_000 }, forUs: 1_000 },
      ],
      { b: silent },
    );
    world.start().run(1_000_000);
    expect(faultStory(world)).toEqual([
      'started f1 @5000',
      'effective f1 @5000',
      'started f2 @6000',
      'ended f2 @6000',
      'started f3 @7000',
      'ended f3 @7000',
      'ended f1 @15000',
    ]);
    expect(world.cluster.machine(NODES.b).incarnation).toBe(2);
  });

  test('two pauses that overlap: the node resumes with the last', () => {
    const pause = (id: string, atUs: number, forUs: number): Fault => ({
      id,
      kind: 'pause',
      node: NODES.b,
      trigger: { atUs },
      forUs,
    });
    const { world } = storm([pause('f1', 1_000, 5_000), pause('f2', 2_000, 8_000)], { b: silent });
    world.start().run(1_000_000);
    const resumed = world.history.entries().filter((entry) => entry.event.kind === 'node-resumed');
    expect(resumed.map((entry) => entry.atUs)).toEqual([10_000]);
  });

  test('a partition: effective with the first message it drops, over when healed', () => {
    const { world, injector } = storm(
      [
        {
          id: 'f1',
          kind: 'partition',
          shape: 'pair',
          a: [NODES.a],
          b: [NODES.b],
          oneWay: false,
          forUs: 50_000,
          trigger: { atUs: 5_000 },
        },
        {
          id: 'f2',
          kind: 'partition',
          shape: 'one-way',
          a: [NODES.c],
          b: [NODES.b],
          oneWay: true,
          forUs: 50_000,
          trigger: { atUs: 5_000 },
        },
      ],
      { a: pinging('b'), b: silent, c: silent },
    );
    world.start().run(100_500);
    expect(injector.records().map((record) => [record.label, record.target, record.effective])).toEqual([
      ['partition/pair', 'a <-> b', true],
      ['partition/one-way', 'c -> b', false],
    ]);
    expect(world.heard('b')).toHaveLength(6);
  });

  test('loss, duplication, reordering, delay, slow link: effective flags tell which changed something', () => {
    const link = { a: [NODES.a], b: [NODES.b], forUs: 90_000, trigger: { atUs: 1 } };
    const { injector, world } = storm(
      [
        { id: 'f1', kind: 'loss', chance: ALWAYS, ...link, forUs: 15_000 },
        { id: 'f2', kind: 'duplicate', chance: ALWAYS, ...link },
        { id: 'f3', kind: 'reorder', chance: ALWAYS, ...link },
        { id: 'f4', kind: 'delay', extraUs: { low: 5, high: 9 }, ...link },
        { id: 'f5', kind: 'slow-link', factor: 100, ...link },
        { id: 'f6', kind: 'loss', chance: { numerator: 0, denominator: 1 }, ...link },
        { id: 'f7', kind: 'loss', chance: ALWAYS, ...link, b: [NODES.c] },
      ],
      { a: pinging('b'), b: silent, c: silent },
    );
    world.start().run(200_000);
    const effective = injector.records().filter((record) => record.effective);
    expect(effective.map((record) => record.id)).toEqual(['f1', 'f2', 'f3', 'f4', 'f5']);
    expect(injector.records().map((record) => record.endedAtUs)).toEqual([15_001, ...Array(6).fill(90_001)]);
  });

  test('a service fault: the knob is turned and turned back, the service says when it was effective', () => {
    const { world, injector, serviceCalls } = storm(
      [
        {
          id: 'f1',
          kind: 'service',
          node: NODES.c,
          effect: 'slow',
          factor: 3,
          chance: ALWAYS,
          forUs: 9_000,
          trigger: { atUs: 1_000 },
        },
      ],
      { a: silent, b: silent, c: silent },
    );
    world
      .start()
      .at(2_000, () => {
        injector.markEffective('f1');
        injector.markEffective('f1');
      })
      .run(100_000);
    expect(serviceCalls).toEqual(['apply f1 slow', 'lift f1']);
    expect(faultStory(world)).toEqual(['started f1 @1000', 'effective f1 @2000', 'ended f1 @10000']);
  });
});

test('the end of the storm: everything is lifted, the core comes back, the lost stay down, nothing new starts', () => {
  const { world, injector } = storm(
    [
      { id: 'f1', kind: 'crash', node: NODES.a, restartAfterUs: -1, trigger: { atUs: 1_000 } },
      { id: 'f2', kind: 'pause', node: NODES.b, forUs: 60_000_000, trigger: { atUs: 1_000 } },
      {
        id: 'f3',
        kind: 'partition',
        shape: 'pair',
        a: [NODES.a],
        b: [NODES.b],
        oneWay: false,
        forUs: 60_000_000,
        trigger: { atUs: 1_000 },
      },
      { id: 'f4', kind: 'crash', node: NODES.b, restartAfterUs: -1, trigger: { atUs: 3_000_000 } },
      { id: 'f5', kind: 'crash', node: NODES.c, restartAfterUs: 2_000_000, trigger: { atUs: 1_500 } },
    ],
    { a: pinging('b'), b: silent, c: silent },
  );
  world
    .start()
    .at(1_000_000, () => injector.endStorm({ keep: [NODES.a, NODES.b], lost: [NODES.c] }))
    .run(10_000_000);
  expect(world.cluster.machine(NODES.a).isUp).toBe(true);
  expect(world.cluster.machine(NODES.b).isUp).toBe(true);
  expect(world.cluster.machine(NODES.c).isDown).toBe(true);
  expect(world.timesOf('b', 'ping 1 from a').filter((us) => us > 1_400_000).length).toBeGreaterThan(100);
  expect(injector.records().map((record) => [record.startedAtUs, record.endedAtUs])).toEqual([
    [1_000, 1_000_000],
    [1_000, 1_000_000],
    [1_000, 1_000_000],
    [-1, -1],
    [1_500, 1_000_000],
  ]);
});
