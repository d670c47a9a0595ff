import { describe, expect, test } from 'vitest';
import { micros, millis } from '../../../../engine/foundation/time.ts';
import type { Target } from '../../../../engine/protocol/actor.ts';
import { lognormal } from '../../../../sim/kernel/distribution.ts';
import { cancel, credit, ping, type Script, SmallWorld, sender, silent, to, upTo } from '../cluster/small-world.ts';

/** Latencies that differ wildly, so that independent messages overtake each other. */
const JITTER = { linkLatency: lognormal({ medianUs: 1_000, sigma: '1.2' }), streamTimeoutUs: 1_000_000 };
const ALWAYS = { numerator: 1, denominator: 1 };
const cut = (a: readonly number[], b: readonly number[], oneWay: boolean) => ({ a, b, oneWay, holds: false });
const credits = (numbers: readonly number[]): string[] => numbers.map((n) => `credit ${n} from a`);

/** Sends one message each 100 us, `count` in all. */
function ticking(target: Target, count: number): Script {
  let n = 0;
  return (input, _nowUs, out) => {
    if (input.kind === 'message') return;
    if (input.kind === 'timer') {
      n += 1;
      out.send(target, credit(n));
    }
    if (n < count) out.setTimer('tick', micros(100));
  };
}

function effectiveFaults(world: SmallWorld): string[] {
  const faults: string[] = [];
  world.cluster.network.onEffective((fault) => faults.push(fault));
  return faults;
}

describe('order', () => {
  test('a connection under jitter: messages arrive in the order they were sent', () => {
    const world = new SmallWorld({ profile: JITTER, scripts: { a: ticking(to('b', 'connection'), 200), b: silent } });
    world.start().run();
    expect(world.heard('b')).toEqual(credits(upTo(200)));
  });

  test('datagrams under jitter: all arrive, some overtake others', () => {
    const world = new SmallWorld({ profile: JITTER, scripts: { a: ticking(to('b', 'datagram'), 200), b: silent } });
    world.start().run();
    expect(world.heard('b')).not.toEqual(credits(upTo(200)));
    expect(world.heard('b').toSorted()).toEqual(credits(upTo(200)).toSorted());
  });

  test('bandwidth: bytes pass one after another', () => {
    const put = {
      kind: 'storage-put',
      requestId: 1,
      path: 'p',
      bytes: new Uint8Array(1_000_000),
      overwrite: true,
    } as const;
    const world = new SmallWorld({
      profile: { bandwidthBytesPerSecond: 1_000_000 },
      scripts: { a: sender(to('b', 'datagram'), [1, 2, 3], () => put), b: silent },
    });
    world.start().run();
    const times = world.seen.filter((entry) => entry.node === 'b' && entry.text !== 'started').map((e) => e.atUs);
    expect(times.map((us) => Math.floor(us / 1_000_000))).toEqual([1, 2, 3]);
  });
});

describe('partitions', () => {
  test('a cut that outlasts the time-out: both ends are told once, nothing of the old term follows', () => {
    const world = new SmallWorld({ profile: JITTER, scripts: { a: ticking(to('b', 'connection'), 100), b: silent } });
    const faults = effectiveFaults(world);
    world
      .start()
      .at(5_000, () => world.cluster.network.block('f1', cut([world.index('a')], [world.index('b')], false)))
      .at(3_000_000, () => world.cluster.network.unblock('f1'))
      .run();
    const before = world.heard('b').indexOf('lost a');
    expect(world.heard('b')).toEqual([...credits(upTo(before)), 'lost a']);
    expect(world.heard('a').filter((text) => text.startsWith('lost'))).toEqual(['lost b']);
    expect(world.timesOf('a', 'lost b')).toEqual(world.timesOf('b', 'lost a'));
    expect(faults).toEqual(['f1']);
    expect(world.kinds().filter((kind) => kind.endsWith('connection-reset'))).toHaveLength(2);
  });

  test('a connection that was reset: the next send opens it again', () => {
    const world = new SmallWorld({
      profile: JITTER,
      scripts: {
        a: (input, _nowUs, out) => {
          if (input.kind === 'started') out.send(to('b', 'connection'), credit(1));
          else if (input.kind === 'message') out.setTimer('again', millis(5_000));
          else out.send(to('b', 'connection'), credit(2));
        },
        b: silent,
      },
    });
    world.start();
    world.cluster.network.block('f1', cut([0], [1], false));
    world.at(2_000_000, () => world.cluster.network.unblock('f1')).run();
    expect(world.heard('a')).toEqual(['lost b', 'timer again']);
    // The far end never heard of the first term, so it lost nothing.
    expect(world.heard('b')).toEqual(['credit 2 from a']);
  });

  test('a cut that heals before the time-out: everything arrives in order, nobody is told', () => {
    const world = new SmallWorld({ profile: JITTER, scripts: { a: ticking(to('b', 'connection'), 300), b: silent } });
    world
      .start()
      .at(5_000, () => world.cluster.network.block('f1', cut([0], [1], false)))
      .at(20_000, () => world.cluster.network.unblock('f1'))
      .at(20_050, () => world.cluster.network.block('f2', cut([0], [1], false)))
      .at(22_000, () => world.cluster.network.unblock('f2'))
      .run();
    expect(world.heard('b')).toEqual(credits(upTo(300)));
    expect(world.heard('a').filter((text) => text.startsWith('lost'))).toEqual([]);
  });

  test('a one-way cut: one direction is lost, the other passes', () => {
    const talk =
      (peer: string): Script =>
      (input, _nowUs, out) => {
        if (input.kind === 'started') out.send(to(peer, 'datagram'), ping(1));
      };
    const world = new SmallWorld({ scripts: { a: talk('b'), b: talk('a'), c: talk('b') } });
    world.start();
    world.cluster.network.block('f1', cut([0], [1], true));
    world.run();
    expect(world.heard('a')).toEqual(['ping 1 from b']);
    expect(world.heard('b')).toEqual(['ping 1 from c']);
    expect(world.history.entries().at(-1)?.event).toEqual({
      kind: 'message-dropped',
      to: 'b',
      message: 'heartbeat-request',
      why: 'partition',
    });
  });
});

describe('a cut around a node that is down', () => {
  /** `a` says something each 10 ms to `b`, which is down from 5 ms on and cut from 15 ms to 55 ms. */
  function cutAround(restartUs: number, holds: boolean) {
    const speaking: Script = (input, _nowUs, out) => {
      if (input.kind === 'timer') out.send(to('b', 'datagram'), cancel(1));
      if (input.kind !== 'message') out.setTimer('tick', millis(10));
    };
    const world = new SmallWorld({ scripts: { a: speaking, b: silent } });
    const faults = effectiveFaults(world);
    world
      .start()
      .at(5_000, () => world.cluster.crash(world.id('b')))
      .at(15_000, () => world.cluster.network.block('f1', { a: [0], b: [1], oneWay: false, holds }))
      .at(restartUs, () => world.cluster.restart(world.id('b')))
      .at(55_000, () => world.cluster.network.unblock('f1'))
      .run(80_000);
    const dropped = world.history.entries().flatMap(({ event }) => (event.kind === 'message-dropped' ? event.why : []));
    return { faults, dropped, heard: world.heard('b') };
  }

  test('nothing would have passed anyway: it is not effective, and what was sent is lost for the node', () => {
    const { faults, dropped } = cutAround(70_000, false);
    expect(faults).toEqual([]);
    expect(dropped).toEqual(Array(6).fill('node-down'));
  });

  test('when the node is up again, the next message that does not pass makes it effective', () => {
    const { faults, dropped } = cutAround(35_000, false);
    expect(faults).toEqual(['f1']);
    expect(dropped).toEqual(['node-down', 'node-down', 'node-down', 'partition', 'partition']);
  });

  test('a hold that ends before the node is up again changed nothing, one that ends behind it did', () => {
    expect(cutAround(70_000, true).faults).toEqual([]);
    const { faults, heard } = cutAround(50_000, true);
    expect(faults).toEqual(['f1']);
    // Those of 20, 30, 40 and 50 ms, which nobody would have heard without it but for the last; then those of 60 and 70 ms.
    expect(heard).toHaveLength(6);
  });
});

describe('crash of an end', () => {
  test('a crash: the peer gets what was sent before, then the notice', () => {
    const world = new SmallWorld({ profile: JITTER, scripts: { a: ticking(to('b', 'connection'), 100), b: silent } });
    world
      .start()
      .at(5_050, () => world.cluster.crash(world.id('a')))
      .run();
    expect(world.heard('b')).toEqual([...credits(upTo(50)), 'lost a']);
  });

  test('a crash and quick restart: the old term ends with the notice, the new one follows it', () => {
    const world = new SmallWorld({
      profile: JITTER,
      scripts: { a: sender(to('b', 'connection'), upTo(5), credit), b: silent },
    });
    world
      .start()
      .at(10, () => {
        world.cluster.crash(world.id('a'));
        world.cluster.restart(world.id('a'));
      })
      .run();
    expect(world.heard('b')).toEqual([...credits(upTo(5)), 'lost a', ...credits(upTo(5))]);
  });

  test('a crash behind a cut: the peer is told after the time-out', () => {
    const world = new SmallWorld({ profile: JITTER, scripts: { a: ticking(to('b', 'connection'), 10), b: silent } });
    world
      .start()
      .at(200_000, () => world.cluster.network.block('f1', cut([0], [1], false)))
      .at(200_001, () => world.cluster.crash(world.id('a')))
      .run();
    expect(world.heard('b')).toEqual([...credits(upTo(10)), 'lost a']);
    expect(world.timesOf('b', 'lost a')[0]).toBeGreaterThan(1_200_000);
  });

  test('data towards a crashed node: it is discarded and the sender told, also after the restart', () => {
    const world = new SmallWorld({ profile: JITTER, scripts: { a: ticking(to('b', 'connection'), 1_000), b: silent } });
    world
      .start()
      .at(5_050, () => world.cluster.crash(world.id('b')))
      .at(5_060, () => world.cluster.restart(world.id('b')))
      .run();
    const lostAt = world.timesOf('a', 'lost b')[0] ?? 0;
    expect(world.timesOf('a', 'lost b')).toHaveLength(1);
    // What the new incarnation gets was sent after the sender knew.
    const sentBefore = world.seen.filter((e) => e.node === 'a' && e.text === 'timer tick' && e.atUs < lostAt).length;
    const second = world.seen.filter((e) => e.node === 'b' && e.incarnation === 2 && e.text !== 'started');
    expect(second.map((e) => e.text)).toEqual(credits(upTo(1_000).slice(sentBefore)));
    expect(second.length).toBeGreaterThan(0);
  });

  test('a send to a node that is down: the sender is told', () => {
    const world = new SmallWorld({
      scripts: {
        a: (input, _nowUs, out) => {
          if (input.kind === 'started') out.setTimer('t', millis(10));
          else if (input.kind === 'timer') for (const n of upTo(3)) out.send(to('b', 'connection'), credit(n));
        },
        b: silent,
      },
    });
    world
      .start()
      .at(5, () => world.cluster.crash(world.id('b')))
      .run();
    expect(world.heard('a')).toEqual(['timer t', 'lost b']);
  });
});

describe('degraded links', () => {
  test('loss: datagrams vanish, connections only get slower', () => {
    for (const via of ['datagram', 'connection'] as const) {
      const world = new SmallWorld({ scripts: { a: sender(to('b', via), upTo(3), credit), b: silent } });
      const faults = effectiveFaults(world);
      world.cluster.network.degrade('f1', { a: [0], b: [1], loss: ALWAYS });
      world.start().run();
      expect(world.heard('b')).toEqual(via === 'datagram' ? [] : credits(upTo(3)));
      expect(faults).toEqual(['f1']);
    }
  });

  test('duplication: each datagram arrives twice, each connection message once', () => {
    for (const via of ['datagram', 'connection'] as const) {
      const world = new SmallWorld({ scripts: { a: sender(to('b', via), upTo(3), credit), b: silent } });
      const faults = effectiveFaults(world);
      world.cluster.network.degrade('f1', { a: [1], b: [0], duplicate: ALWAYS });
      world.start().run();
      expect(world.heard('b')).toHaveLength(via === 'datagram' ? 6 : 3);
      expect(faults).toEqual(['f1']);
    }
  });

  test('reordering: datagrams overtake each other, connection messages do not', () => {
    for (const via of ['datagram', 'connection'] as const) {
      const world = new SmallWorld({ scripts: { a: sender(to('b', via), upTo(50), credit), b: silent } });
      const faults = effectiveFaults(world);
      world.cluster.network.degrade('f1', { a: [0], b: [1], reorder: { numerator: 1, denominator: 2 } });
      world.start().run();
      if (via === 'connection') expect(world.heard('b')).toEqual(credits(upTo(50)));
      else expect(world.heard('b')).not.toEqual(credits(upTo(50)));
      expect(world.heard('b')).toHaveLength(50);
      expect(faults).toEqual(['f1']);
    }
  });

  test('delay and slow link: messages come later; after the restore and elsewhere they do not', () => {
    const script: Script = (input, _nowUs, out) => {
      if (input.kind === 'message') return;
      out.send(to('b', 'datagram'), ping(1));
      out.send(to('c', 'datagram'), ping(1));
      if (input.kind === 'started') out.setTimer('t', millis(1_000));
    };
    const world = new SmallWorld({ scripts: { a: script, b: silent, c: silent } });
    const faults = effectiveFaults(world);
    world.cluster.network.degrade('f1', { a: [0], b: [1], extraUs: { low: 50_000, high: 60_000 } });
    world.cluster.network.degrade('f2', { a: [0], b: [1], slowFactor: 100_000 });
    world.cluster.network.degrade('f3', { a: [1], b: [2], extraUs: { low: 50_000, high: 60_000 } });
    world
      .start()
      .at(500_000, () => {
        for (const fault of ['f1', 'f2', 'f3']) world.cluster.network.restore(fault);
      })
      .run();
    const [slow = 0, quick = 0] = world.timesOf('b', 'ping 1 from a');
    expect(slow).toBeGreaterThan(150_000);
    expect(quick).toBeLessThan(1_010_000);
    expect(world.timesOf('c', 'ping 1 from a')[0]).toBeLessThan(10_000);
    expect(faults).toEqual(['f2', 'f1']);
  });
});
