import { describe, expect, test } from 'vitest';
import { assert } from '../../../../engine/foundation/assert.ts';
import { micros, millis } from '../../../../engine/foundation/time.ts';
import { cancel, mailbox, ping, type Script, SmallWorld, sender, silent, to, upTo } from './small-world.ts';

/** Answers pings: 1 ms of work each. */
const busyEcho: Script = (input, _nowUs, out) => {
  if (input.kind === 'message') out.busy('nanosecond', 1_000_000);
};

describe('busy mailboxes', () => {
  test('a busy mailbox: inputs wait, keep their order and are a busy time apart', () => {
    const world = new SmallWorld({
      scripts: { a: sender(to('b', 'connection'), upTo(20), ping), b: busyEcho },
    });
    world.start().run();
    expect(world.heard('b')).toEqual(upTo(20).map((n) => `ping ${n} from a`));
    const times = world.seen.filter((entry) => entry.node === 'b' && entry.text !== 'started').map((e) => e.atUs);
    for (let i = 1; i < times.length; i += 1) expect(times[i]! - times[i - 1]!).toBe(1_000);
  });

  test('a busy mailbox: a send leaves at its end, a timer counts from its start', () => {
    const script: Script = (input, _nowUs, out) => {
      if (input.kind !== 'started') return;
      out.busy('nanosecond', 5_000_001);
      out.setTimer('t', millis(7));
      out.send(to('a', 'datagram', 2), ping(1));
    };
    const world = new SmallWorld({ scripts: { a: script } });
    world.start().run();
    expect(world.timesOf('a', 'ping 1 from a')).toEqual([5_001]);
    expect(world.timesOf('a', 'timer t')).toEqual([7_000]);
  });

  test('two mailboxes of a node: one works while the other is busy', () => {
    const script: Script = (input, _nowUs, out) => {
      if (input.kind === 'started') {
        for (const n of upTo(3)) for (const box of [2, 4]) out.send(to('a', 'datagram', box), ping(n));
      } else if (input.kind === 'message' && input.mailbox === mailbox(2)) out.busy('nanosecond', 1_000_000);
    };
    const world = new SmallWorld({ scripts: { a: script } });
    world.start().run();
    const timesIn = (box: number): number[] => world.seen.filter((e) => e.mailbox === box).map((e) => e.atUs);
    expect(timesIn(2)).toEqual([0, 1_000, 2_000]);
    expect(timesIn(4)).toEqual([0, 0, 0]);
  });

  test('a busy mailbox: waiting inputs cost one wake-up', () => {
    const busyOnce: Script = (input, _nowUs, out) => {
      if (input.kind === 'started') {
        for (const n of upTo(100)) out.send(to('a', 'datagram', 2), ping(n));
      } else if (input.kind === 'message' && input.message.kind === 'heartbeat-request' && input.message.epoch === 1) {
        out.busy('nanosecond', 1_000_000);
      }
    };
    const world = new SmallWorld({ scripts: { a: busyOnce } });
    world.start().run();
    expect(world.timesOf('a', 'ping 100 from a')).toEqual([1_000]);
    // 100 arrivals, one wake-up, the end of the test.
    expect(world.loop.events).toBe(102);
  });
});

describe('timers', () => {
  test('a timer: set again under its name it fires once, at the later time', () => {
    const script: Script = (input, _nowUs, out) => {
      if (input.kind !== 'started') return;
      out.setTimer('t', millis(1));
      out.setTimer('t', millis(2));
      out.setTimer('u', millis(1));
      out.cancelTimer('u');
      out.cancelTimer('unknown');
    };
    const world = new SmallWorld({ scripts: { a: script } });
    world.start().run();
    expect(world.heard('a')).toEqual(['timer t']);
    expect(world.timesOf('a', 'timer t')).toEqual([2_000]);
  });

  test('a timer: cancelled or replaced while it waits for a busy mailbox, it does not fire', () => {
    const script: Script = (input, _nowUs, out) => {
      if (input.kind === 'started') {
        out.setTimer('work', millis(1));
        out.setTimer('t', millis(2));
        out.setTimer('u', millis(2));
        out.setTimer('stop', micros(1_500));
      } else if (input.kind === 'timer' && input.timer === 'work') out.busy('nanosecond', 3_000_000);
      else if (input.kind === 'timer' && input.timer === 'stop') {
        out.cancelTimer('t');
        out.setTimer('u', millis(10));
      }
    };
    const world = new SmallWorld({ scripts: { a: script } });
    world.start().run();
    expect(world.heard('a')).toEqual(['timer work', 'timer stop', 'timer u']);
    expect(world.timesOf('a', 'timer u')).toEqual([14_000]);
  });
});

describe('crash and restart', () => {
  test('a crash: what was sent before arrives, what had not departed does not', () => {
    const script: Script = (input, _nowUs, out) => {
      if (input.kind === 'started') {
        out.send(to('b', 'datagram'), ping(1));
        out.send(to('a', 'datagram', 2), ping(0));
      } else if (input.kind === 'message') {
        out.busy('nanosecond', 2_000_000);
        out.send(to('b', 'datagram'), ping(2));
      }
    };
    const world = new SmallWorld({ scripts: { a: script, b: silent } });
    world
      .start()
      .at(10, () => world.cluster.crash(world.id('a')))
      .run();
    expect(world.heard('b')).toEqual(['ping 1 from a']);
  });

  test('a message of an old incarnation: what had departed arrives after the restart, the rest still does not', () => {
    const script: Script = (input, _nowUs, out) => {
      if (input.kind !== 'started') return;
      out.send(to('b', 'datagram'), ping(1));
      out.setTimer('t', micros(5));
    };
    const busy: Script = (input, nowUs, out) => {
      if (input.kind === 'started' && nowUs === 0) {
        out.busy('nanosecond', 100_000);
        out.send(to('b', 'datagram'), ping(9));
      }
    };
    const world = new SmallWorld({ scripts: { a: script, b: silent, c: busy } });
    world
      .start()
      .at(3, () => {
        for (const node of ['a', 'c']) {
          world.cluster.crash(world.id(node));
          world.cluster.restart(world.id(node));
        }
      })
      .run();
    expect(world.heard('b')).toEqual(['ping 1 from a', 'ping 1 from a']);
    // The timer of the first incarnation died with it.
    expect(world.timesOf('a', 'timer t')).toEqual([8]);
    expect(world.seen.filter((e) => e.node === 'a' && e.text === 'started').map((e) => e.incarnation)).toEqual([1, 2]);
  });

  test('a crash: waiting inputs are lost, messages to the dead node are dropped and told', () => {
    const script: Script = (input, _nowUs, out) => {
      if (input.kind !== 'started') return;
      out.setTimer('late', millis(5));
      for (const n of upTo(5)) out.send(to('b', 'datagram'), cancel(n));
    };
    const world = new SmallWorld({
      scripts: {
        a: (input, _nowUs, out) => {
          script(input, _nowUs, out);
          if (input.kind === 'timer') {
            out.send(to('b', 'datagram'), cancel(6));
            out.send(to('b', 'datagram'), ping(7));
          }
        },
        b: (input, _nowUs, out) => {
          if (input.kind === 'message') out.busy('nanosecond', 3_000_000);
        },
      },
    });
    world
      .start()
      .at(4_000, () => expect(world.cluster.crash(world.id('b'))).toBe(true))
      .at(4_001, () => expect(world.cluster.crash(world.id('b'))).toBe(false))
      .at(20_000, () => expect(world.cluster.restart(world.id('b'))).toBe(true))
      .run();
    expect(world.heard('b')).toHaveLength(2);
    const dropped = world.history.entries().filter((entry) => entry.event.kind === 'message-dropped');
    expect(dropped.map((entry) => entry.event)).toEqual([
      { kind: 'message-dropped', to: 'b', message: 'cancel-task', why: 'node-down' },
    ]);
  });

  test('a node dead for good: it does not restart', () => {
    const world = new SmallWorld({ scripts: { a: silent } });
    world.start();
    world.cluster.crashForGood(world.id('a'));
    expect(world.cluster.restart(world.id('a'))).toBe(false);
    expect([...world.cluster.deadForGood]).toEqual(['a']);
  });

  test('the local disk: it survives a crash', () => {
    const world = new SmallWorld({ scripts: { a: silent } });
    world.start();
    world.cluster.machine(world.id('a')).disk.write('/x', new Uint8Array([1]));
    world.cluster.crash(world.id('a'));
    world.cluster.restart(world.id('a'));
    expect(world.cluster.machine(world.id('a')).disk.read('/x')).toEqual(new Uint8Array([1]));
  });
});

describe('exit and hang', () => {
  test('a process exits: what its handler did counts, the rest is lost, and it is started again', () => {
    const script: Script = (input, _nowUs, out) => {
      if (input.kind === 'started') {
        out.setTimer('end', millis(1));
        out.setTimer('late', millis(2));
      } else if (input.kind === 'timer' && input.timer === 'end') {
        out.exit('a fatal error');
        out.send(to('b', 'datagram'), ping(1));
      }
    };
    const world = new SmallWorld({ scripts: { a: script, b: silent } });
    world.start().run(2_500_000);
    expect(world.heard('b')[0]).toBe('ping 1 from a');
    expect(world.heard('a').filter((text) => text === 'timer late')).toEqual([]);
    expect(world.kinds().filter((kind) => kind.startsWith('a '))).toEqual([
      'a node-started',
      'a process-exited',
      'a node-crashed',
      'a node-started',
      'a process-exited',
      'a node-crashed',
    ]);
  });

  test('a process on a machine that is lost for good: not started again', () => {
    const script: Script = (input, _nowUs, out) => {
      if (input.kind === 'started') out.exit('at once');
    };
    const world = new SmallWorld({ scripts: { a: script, b: silent } });
    world
      .start()
      .at(10, () => world.cluster.crashForGood(world.id('a')))
      .run();
    expect(world.timesOf('a', 'started')).toEqual([0]);
  });

  /** Mailbox 2 hangs for 5 ms with its first message; whatever comes to it is passed on to b. */
  function hanging(): SmallWorld {
    let hangUs = 5_000;
    let isDue = false;
    const script: Script = (input, _nowUs, out) => {
      if (input.kind === 'started') for (const n of upTo(2)) out.send(to('a', 'datagram', 2), ping(n));
      if (input.kind !== 'message' || input.mailbox !== mailbox(2)) return;
      isDue = true;
      out.send(to('b', 'connection'), input.message);
    };
    const takeHangUs = (): number => {
      const taken = isDue ? hangUs : 0;
      if (isDue) hangUs = 0;
      return taken;
    };
    return new SmallWorld({ scripts: { a: script, b: silent }, takeHangUs });
  }

  test('code that hangs: what its handler did comes at the end, and the mailbox waits; other mailboxes do not', () => {
    const world = hanging();
    world
      .start()
      .at(1_000, () => undefined)
      .run();
    expect(world.heard('b')).toEqual(['ping 1 from a', 'ping 2 from a']);
    expect(world.seen.filter((entry) => entry.mailbox === 2).map((entry) => entry.atUs)).toEqual([0, 5_000]);
    const [first] = world.timesOf('b', 'ping 1 from a');
    expect(first).toBeGreaterThan(5_000);
  });

  test('code that hangs when its node crashes: what its handler did never happened', () => {
    const world = hanging();
    world
      .start()
      .at(1_000, () => world.cluster.crash(world.id('a')))
      .run();
    expect(world.heard('b')).toEqual([]);
  });

  test('code that hangs on a node that is paused: it goes on after the node does, in order', () => {
    const world = hanging();
    world
      .start()
      .at(1_000, () => world.cluster.pause(world.id('a')))
      .at(9_000, () => world.cluster.resume(world.id('a')))
      .run();
    expect(world.heard('b')).toEqual(['ping 1 from a', 'ping 2 from a']);
    expect(world.timesOf('b', 'ping 1 from a')[0]).toBeGreaterThan(9_000);
  });
});

describe('pause and resume', () => {
  test('a paused node: inputs and timers come at the resume, late and in order', () => {
    const world = new SmallWorld({
      scripts: {
        a: sender(to('b', 'connection'), upTo(5), ping),
        b: (input, _nowUs, out) => {
          if (input.kind === 'started') out.setTimer('t', millis(100));
        },
      },
    });
    world
      .start()
      .at(1, () => world.cluster.pause(world.id('b')))
      .at(60_000_000, () => world.cluster.resume(world.id('b')))
      .run();
    expect(world.heard('b')).toEqual(['timer t', ...upTo(5).map((n) => `ping ${n} from a`)].sort());
    for (const entry of world.seen) if (entry.text !== 'started') expect(entry.atUs).toBe(60_000_000);
    // A pause resets no connection.
    expect(world.heard('a')).toEqual([]);
  });

  test('a paused node that crashes: it is resumed first and has handled nothing', () => {
    const world = new SmallWorld({ scripts: { a: sender(to('b', 'datagram'), [1], ping), b: silent } });
    world
      .start()
      .at(1, () => world.cluster.pause(world.id('b')))
      .at(5_000, () => world.cluster.crash(world.id('b')))
      .run();
    expect(world.heard('b')).toEqual([]);
    expect(world.kinds().filter((kind) => kind.startsWith('b'))).toEqual([
      'b node-started',
      'b node-paused',
      'b node-resumed',
      'b node-crashed',
    ]);
  });
});

test('an actor that throws: the history has the fact, no effect happens, the node crashes', () => {
  const world = new SmallWorld({
    scripts: {
      a: (input, _nowUs, out) => {
        if (input.kind !== 'timer') {
          out.setTimer('t', millis(1));
          return;
        }
        out.send(to('b', 'datagram'), ping(1));
        assert(false, 'two and two is five', { sum: 4, parts: [2, 2], of: { kind: 'number' } });
      },
      b: silent,
    },
  });
  world.start().run();
  expect(world.cluster.hasActorThrown).toBe(true);
  expect(world.heard('b')).toEqual([]);
  expect(world.history.entries().at(-2)?.event).toEqual({
    kind: 'actor-threw',
    fact: 'two and two is five',
    details: 'sum=4, parts=[2 items], of={number}',
  });
  expect(world.history.entries().at(-1)?.event.kind).toBe('node-crashed');
});

describe('determinism', () => {
  const life = (seed: string, prepare: (world: SmallWorld) => void = () => {}): SmallWorld => {
    const relay =
      (next: string): Script =>
      (input, _nowUs, out) => {
        if (input.kind === 'started') for (const n of upTo(5)) out.send(to(next, 'datagram', n), ping(n));
        else if (input.kind === 'message') {
          out.busy('message', 1);
          out.send(to(next, input.mailbox > 2 ? 'datagram' : 'connection', input.mailbox), input.message);
        }
      };
    const world = new SmallWorld({ seed, scripts: { a: relay('b'), b: relay('c'), c: relay('a') } });
    prepare(world);
    world
      .start()
      .at(20_000, () => world.cluster.crash(world.id('b')))
      .at(40_000, () => world.cluster.restart(world.id('b')))
      .run(100_000);
    return world;
  };

  test('the same seed twice: the same digest; another seed: another', () => {
    expect(life('one').loop.digest.value()).toBe(life('one').loop.digest.value());
    expect(life('one').loop.digest.value()).not.toBe(life('two').loop.digest.value());
    expect(life('one').seen.length).toBeGreaterThan(500);
  });

  test('an unrelated site that draws: it shifts nothing', () => {
    const disturbed = life('one', (world) => {
      for (const n of upTo(10)) world.choices.site('elsewhere').choose(n * 100);
    });
    expect(disturbed.loop.digest.value()).toBe(life('one').loop.digest.value());
    expect(disturbed.seen).toEqual(life('one').seen);
  });

  test('an actor that says something else: another digest', () => {
    const world = (n: number): string =>
      new SmallWorld({
        profile: {
          nanoseconds: { record: 0, byte: 0, key: 0, message: 0, 'block-read': 0, 'disk-byte': 0, nanosecond: 1 },
        },
        scripts: { a: sender(to('b', 'datagram'), [n], cancel), b: silent },
      })
        .start()
        .run()
        .loop.digest.value();
    expect(world(1)).not.toBe(world(2));
  });
});
