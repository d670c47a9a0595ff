/**
 * Many random storms over connections. Whatever crashes, is cut, paused or degraded: what a receiver gets between two
 * notices is one gapless run of what one incarnation of the sender sent.
 */
import { expect, test } from 'vitest';
import { micros } from '../../../../engine/foundation/time.ts';
import { lognormal } from '../../../../sim/kernel/distribution.ts';
import type { ChoiceSite } from '../../../../sim/kernel/choice.ts';
import { Choices } from '../../../../sim/kernel/choice.ts';
import { credit, type Script, type Seen, SmallWorld, to } from '../cluster/small-world.ts';

const NODES = ['a', 'b', 'c'];
const PER_INCARNATION = 1_000_000;
const STORM_US = 400_000;

/** Sends consecutive numbers to both others; a new incarnation starts at its own million. */
function chatter(self: string): Script {
  const peers = NODES.filter((node) => node !== self);
  let incarnation = 0;
  const next = new Map<string, number>();
  return (input, _nowUs, out) => {
    if (input.kind === 'started') {
      incarnation += 1;
      for (const peer of peers) next.set(peer, incarnation * PER_INCARNATION);
    }
    if (input.kind === 'message') return;
    for (const peer of peers) {
      const n = next.get(peer) ?? 0;
      next.set(peer, n + 1);
      out.send(to(peer, 'connection'), credit(n));
    }
    out.busy('nanosecond', 100_000);
    out.setTimer('tick', micros(400));
  };
}

function disturb(world: SmallWorld, chance: ChoiceSite, step: number): void {
  const a = chance.choose(3);
  const b = (a + 1 + chance.choose(2)) % 3;
  const node = world.id(NODES[a] ?? '');
  const network = world.cluster.network;
  const endsAt = world.loop.nowUs + 1 + chance.choose(30_000);
  switch (chance.choose(5)) {
    case 0:
      world.cluster.crash(node);
      world.at(endsAt, () => world.cluster.restart(node));
      break;
    case 1:
      world.cluster.pause(node);
      world.at(endsAt, () => world.cluster.resume(node));
      break;
    case 2:
      network.degrade(`${step}`, { a: [a], b: [b], loss: { numerator: 1, denominator: 10 } });
      world.at(endsAt, () => network.restore(`${step}`));
      break;
    default:
      network.block(`${step}`, { a: [a], b: [b], oneWay: chance.chance(1, 2), holds: false });
      world.at(endsAt, () => network.unblock(`${step}`));
  }
}

/** The runs of numbers that an incarnation of `node` got from `peer`, cut at the notices. */
function runsOf(seen: readonly Seen[], node: string, peer: string): number[][] {
  const runs: number[][] = [];
  let run: number[] = [];
  let incarnation = 0;
  for (const entry of seen) {
    if (entry.node !== node) continue;
    if (entry.incarnation !== incarnation || entry.text === `lost ${peer}`) {
      runs.push(run);
      run = [];
      incarnation = entry.incarnation;
    }
    if (entry.text.startsWith('credit') && entry.text.endsWith(`from ${peer}`))
      run.push(Number(entry.text.split(' ')[1]));
  }
  runs.push(run);
  return runs.filter((numbers) => numbers.length > 0);
}

test('connections in a storm: between two notices a receiver gets a gapless run of one incarnation', () => {
  let pairs = 0;
  let notices = 0;
  for (let seed = 0; seed < 60; seed += 1) {
    const world = new SmallWorld({
      seed: `storm-${seed}`,
      profile: { linkLatency: lognormal({ medianUs: 500, sigma: '1.2' }), streamTimeoutUs: 15_000 },
      scripts: Object.fromEntries(NODES.map((node) => [node, chatter(node)])),
    });
    const chance = new Choices({ rootSeed: `storm-${seed}` }).site('storm');
    for (let step = 0; step < 25; step += 1) {
      world.at(chance.choose(STORM_US), () => disturb(world, chance, step));
    }
    world.start().run(STORM_US + 600_000);
    expect(world.cluster.hasActorThrown).toBe(false);
    notices += world.seen.filter((entry) => entry.text.startsWith('lost')).length;
    for (const node of NODES) {
      for (const peer of NODES.filter((other) => other !== node)) {
        const runs = runsOf(world.seen, node, peer);
        for (const run of runs) {
          const first = run[0] ?? 0;
          expect(run.findIndex((n, index) => n !== first + index)).toBe(-1);
        }
        // After the storm everybody talks to everybody again.
        const last = runs.at(-1) ?? [];
        expect(last.length).toBeGreaterThan(50);
        expect(last.at(-1)).toBeGreaterThan(world.cluster.machine(world.id(peer)).incarnation * PER_INCARNATION);
        pairs += 1;
      }
    }
  }
  expect(pairs).toBe(360);
  expect(notices).toBeGreaterThan(500);
});
