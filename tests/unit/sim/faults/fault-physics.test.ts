/**
 * What each kind of fault does on machines and network: what is lost, what survives, who is told, what its end brings back; and that one that
 * changed nothing counts as not effective.
 */
import { describe, expect, test } from 'vitest';
import { micros, millis } from '../../../../engine/foundation/time.ts';
import type { Fault } from '../../../../sim/faults/fault.ts';
import { credit, ping, type Script, silent, to, upTo } from '../cluster/small-world.ts';
import { effectiveOf, faultStory, NODES, storm } from './small-storm.ts';

const SECOND = 1_000_000;
const { a: A, b: B, c: C } = NODES;
const at = (atUs: number) => ({ trigger: { atUs } });
const between = { a: [A], b: [B] };

/** Sends 1, 2, ... each 10 ms. */
function counting(peer: string, via: 'datagram' | 'connection'): Script {
  let n = 0;
  return (input, _nowUs, out) => {
    if (input.kind === 'message') return;
    n += 1;
    out.send(to(peer, via), via === 'datagram' ? ping(n) : credit(n));
    out.setTimer('tick', millis(10));
  };
}

/** Works for a millisecond each 10 ms, and says so when it is done. */
const working: Script = (input, _nowUs, out) => {
  if (input.kind === 'message') return;
  out.busy('nanosecond', 1_000_000);
  out.send(to('b', 'datagram'), ping(1));
  out.setTimer('tick', millis(10));
};

describe('hold', () => {
  const hold: Fault = { id: 'f1', kind: 'hold', ...between, oneWay: true, forUs: 100_000, ...at(50_000) };

  test('datagrams wait, none is lost, and all arrive when it ends', () => {
    const life = storm([hold], { a: counting('b', 'datagram'), b: silent, c: silent });
    life.world.start().run(300_000);
    const numbers = life.world.heard('b').map((text) => Number(text.split(' ')[1]));
    expect([...numbers].sort((x, y) => x - y)).toEqual(upTo(numbers.length));
    const waited = life.world.seen.filter(({ node, atUs }) => node === 'b' && atUs > 50_000 && atUs < 150_000);
    expect(waited).toEqual([]);
    expect(life.world.kinds()).not.toContain('a message-dropped');
    expect(effectiveOf(life)).toEqual(['f1']);
  });

  test('what a process sent arrives though it has died meanwhile and another one runs', () => {
    const crash: Fault = { id: 'f2', kind: 'crash', node: A, restartAfterUs: 10_000, ...at(80_000) };
    const life = storm([hold, crash], {
      a: (input, nowUs, out) => {
        if (input.kind === 'started' && nowUs === 0) out.setTimer('say', millis(60));
        if (input.kind === 'timer') out.send(to('b', 'datagram'), ping(7));
      },
      b: silent,
      c: silent,
    });
    life.world.start().run(300_000);
    const [heardUs = 0] = life.world.timesOf('b', 'ping 7 from a');
    expect(heardUs).toBeGreaterThanOrEqual(150_000);
    expect(life.world.cluster.machine(A).incarnation).toBe(2);
  });

  test('connections wait, too, and are given up when that lasts too long', () => {
    const long: Fault = { ...hold, forUs: 60 * SECOND };
    const life = storm([long], { a: counting('b', 'connection'), b: silent, c: silent });
    life.world.start().run(20 * SECOND);
    expect(life.world.heard('b')).toContain('lost a');
    expect(life.world.heard('a')).toContain('lost b');
  });

  test('where a partition loses what is sent, it is the partition that did it', () => {
    const cut: Fault = {
      id: 'f2',
      kind: 'partition',
      shape: 'pair',
      ...between,
      oneWay: false,
      forUs: 150_000,
      ...at(0),
    };
    const life = storm([hold, cut], { a: counting('b', 'datagram'), b: silent, c: silent });
    life.world.start().run(140_000);
    expect(effectiveOf(life)).toEqual(['f2']);
  });

  test('it is not effective when nothing was on the way', () => {
    const life = storm([hold], { a: silent, b: counting('a', 'datagram'), c: silent });
    life.world.start().run(300_000);
    expect(effectiveOf(life)).toEqual([]);
    expect(faultStory(life.world)).toEqual(['started f1 @50000', 'ended f1 @150000']);
  });
});

describe('reset', () => {
  const reset: Fault = { id: 'f1', kind: 'reset', ...between, ...at(55_000) };

  test('both ends are told at once, what is on the way is lost, what is sent afterwards arrives', () => {
    const life = storm([reset], {
      a: (input, _nowUs, out) => {
        if (input.kind === 'started') out.setTimer('say', micros(54_990));
        if (input.kind === 'timer') out.send(to('b', 'connection'), credit(1));
        if (input.kind === 'message') out.send(to('b', 'connection'), credit(2));
      },
      b: silent,
      c: silent,
    });
    life.world.start().run(SECOND);
    expect(life.world.timesOf('a', 'lost b')).toEqual([55_000]);
    expect(life.world.heard('b')).toEqual(['credit 2 from a']);
    expect(effectiveOf(life)).toEqual(['f1']);
  });

  test('datagrams and connections of others go on', () => {
    const life = storm([{ ...reset, b: [C] }], {
      a: counting('b', 'connection'),
      b: counting('c', 'datagram'),
      c: silent,
    });
    life.world.start().run(200_000);
    expect(life.world.heard('b')).not.toContain('lost a');
    expect(effectiveOf(life)).toEqual([]);
  });
});

describe('slow-cpu', () => {
  const slow = (id: string, factor: number, atUs: number) => ({
    id,
    kind: 'slow-cpu' as const,
    node: A,
    factor,
    forUs: 40_000,
    ...at(atUs),
  });
  const gaps = (faults: readonly Fault[]): { readonly late: number[]; readonly effective: string[] } => {
    const life = storm(faults, { a: working, b: silent, c: silent });
    life.world.start().run(200_000);
    const times = life.world.timesOf('b', 'ping 1 from a');
    return { late: times.map((us, index) => us - index * 10_000), effective: effectiveOf(life) };
  };

  test('work takes so many times as long, until it ends', () => {
    const calm = gaps([]).late;
    const { late, effective } = gaps([slow('f1', 5, 45_000)]);
    const extra = late.map((us, index) => us - (calm[index] ?? 0)).map((us) => Math.round(us / 1_000));
    // Those that work at 50, 60, 70 and 80 ms.
    expect(extra.slice(0, 12)).toEqual([0, 0, 0, 0, 0, 4, 4, 4, 4, 0, 0, 0]);
    expect(effective).toEqual(['f1']);
  });

  test('of two the slower decides, and is the effective one', () => {
    expect(gaps([slow('f1', 2, 45_000), slow('f2', 6, 45_000)]).effective).toEqual(['f2']);
  });

  test('it is not effective where nobody works', () => {
    const life = storm([{ ...slow('f1', 100, 45_000), node: B }], { a: working, b: silent, c: silent });
    life.world.start().run(200_000);
    expect(effectiveOf(life)).toEqual([]);
  });
});

describe('out-of-memory', () => {
  const exhausted = (headroomBytes: number): Fault => ({
    id: 'f1',
    kind: 'out-of-memory',
    node: A,
    headroomBytes,
    restartAfterUs: 30_000,
    ...at(25_000),
  });

  test('the process ends in the handler that allocates too much, which has done nothing, and its supervisor starts another', () => {
    const life = storm([exhausted(250)], { a: counting('b', 'datagram'), b: silent, c: silent });
    life.world.start().run(200_000);
    // A ping counts its 96 bytes of header: two of them fit behind 25 ms, those of 30 and 40 ms; that of 50 ms is never sent.
    const before = life.world.seen.filter(({ node, atUs }) => node === 'b' && atUs > 0 && atUs < 75_000);
    expect(before.map(({ text }) => text)).toEqual(upTo(5).map((n) => `ping ${n} from a`));
    expect(life.world.kinds()).toContain('a process-exited');
    expect(life.world.cluster.machine(A)).toMatchObject({ incarnation: 2, isUp: true });
    const [, again] = life.world.timesOf('a', 'started');
    expect(again).toBe(80_000);
    expect(effectiveOf(life)).toEqual(['f1']);
  });

  test('a process that another fault has ended leaves nothing behind: the next one counts from nothing', () => {
    const crash: Fault = { id: 'f2', kind: 'crash', node: A, restartAfterUs: 5_000, ...at(45_000) };
    const life = storm([exhausted(250), crash], { a: counting('b', 'datagram'), b: silent, c: silent });
    life.world.start().run(200_000);
    // Those of 30 and 40 ms are of the first process; of the second, from 50 ms on, the third is too much.
    expect(life.world.timesOf('a', 'started')).toEqual([0, 50_000, 100_000]);
    expect(effectiveOf(life)).toEqual(['f1', 'f2']);
  });

  test('it is not effective when there is room for everything', () => {
    const life = storm([exhausted(1 << 20)], { a: counting('b', 'datagram'), b: silent, c: silent });
    life.world.start().run(200_000);
    expect(life.world.cluster.machine(A).incarnation).toBe(1);
    expect(effectiveOf(life)).toEqual([]);
  });
});

describe('clocks', () => {
  const step: Fault = { id: 'f1', kind: 'clock-step', node: B, byUs: 7_000, forUs: 50_000, ...at(10_000) };

  test('a step with an end is taken back at it, one without is for good', () => {
    const life = storm([step, { ...step, id: 'f2', byUs: -1_000, forUs: 1_000 }], { a: silent, b: silent, c: silent });
    const read: number[] = [];
    for (const us of [5_000, 20_000, 70_000]) life.world.at(us, () => read.push(life.readClock() - us));
    life.world.start().run(100_000);
    expect(read).toEqual([0, 7_000, 0]);
    // Nobody looked during the second one.
    expect(effectiveOf(life)).toEqual(['f1']);
  });

  test('a drift gains while it lasts, and what was gained stays', () => {
    const drift: Fault = { id: 'f1', kind: 'clock-drift', node: B, driftPpm: 100_000, forUs: 50_000, ...at(10_000) };
    const life = storm([drift], { a: silent, b: silent, c: silent });
    const read: number[] = [];
    for (const us of [10_000, 30_000, 60_000, 90_000]) life.world.at(us, () => read.push(life.readClock() - us));
    life.world.start().run(100_000);
    expect(read).toEqual([0, 2_000, 5_000, 5_000]);
  });
});

describe('power-loss', () => {
  test('the node crashes, its disks lose what was not synced; not a second time while it is down', () => {
    const loss: Fault = { id: 'f1', kind: 'power-loss', node: C, restartAfterUs: 10_000, ...at(1_000) };
    const life = storm([loss, { ...loss, id: 'f2', ...at(2_000) }], { a: silent, b: silent, c: silent });
    life.world.start().run(100_000);
    expect(life.powerLost).toEqual(['c']);
    expect(effectiveOf(life)).toEqual(['f1']);
    expect(life.world.cluster.machine(C).isUp).toBe(true);
  });

  test('where all was synced and closed it is not effective, and the node comes back all the same', () => {
    const loss: Fault = { id: 'f1', kind: 'power-loss', node: B, restartAfterUs: 10_000, ...at(1_000) };
    const life = storm([loss], { a: silent, b: silent, c: silent });
    life.world.start().run(100_000);
    expect(life.powerLost).toEqual(['b']);
    expect(effectiveOf(life)).toEqual([]);
    expect(life.world.cluster.machine(B).isUp).toBe(true);
  });
});

describe('slow-link', () => {
  test('of two the narrower decides, and is the effective one; with nothing to carry none is', () => {
    const slow = (id: string, factor: number): Fault => ({
      id,
      kind: 'slow-link',
      ...between,
      factor,
      forUs: SECOND,
      ...at(0),
    });
    const busy = storm([slow('f1', 10), slow('f2', 50)], { a: counting('b', 'datagram'), b: silent, c: silent });
    busy.world.start().run(SECOND);
    expect(effectiveOf(busy)).toEqual(['f2']);
    const idle = storm([slow('f1', 10)], { a: silent, b: silent, c: silent });
    idle.world.start().run(SECOND);
    expect(effectiveOf(idle)).toEqual([]);
  });
});

describe('triggers', () => {
  const told =
    (epoch: number): Script =>
    (input, _nowUs, out) => {
      if (input.kind === 'message') return;
      out.report({ kind: 'leadership-acquired', epoch: epoch as never });
      out.setTimer('tick', millis(10));
    };
  const pause = (id: string, trigger: Fault['trigger']): Fault => ({ id, kind: 'pause', node: C, forUs: 1, trigger });
  const starts = (faults: readonly Fault[]): string[] => {
    const { world } = storm(faults, { a: told(1), b: told(2), c: silent });
    world.start().run(100_000);
    return faultStory(world).filter((line) => line.startsWith('started'));
  };

  test('a point at a node, and a delay behind it', () => {
    expect(starts([pause('f1', { point: 'elected', node: B, occurrence: 3, afterUs: 500 })])).toEqual([
      'started f1 @20500',
    ]);
  });

  test('a point that counts from a time on', () => {
    expect(starts([pause('f1', { point: 'elected', node: A, occurrence: 2, fromUs: 45_000 })])).toEqual([
      'started f1 @60000',
    ]);
  });

  test('what counts since another fault waits for it, and for ever for one that is not there', () => {
    expect(
      starts([
        pause('f1', { atUs: 35_000 }),
        pause('f2', { point: 'elected', node: A, occurrence: 2, since: 'f1' }),
        pause('f3', { point: 'elected', occurrence: 1, since: 'f9' }),
      ]),
    ).toEqual(['started f1 @35000', 'started f2 @50000']);
  });
});
