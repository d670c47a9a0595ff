/** Faults on a small world of scripted actors: what the fault injector makes of them, and what it says. */
import { nodeId } from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import type { Fault } from '../../../../sim/faults/fault.ts';
import { FaultInjector } from '../../../../sim/faults/fault-injector.ts';
import { NodeClock } from '../../../../sim/node/node-clock.ts';
import { type Script, SmallWorld } from '../cluster/small-world.ts';

export const NODES = { a: nodeId('a'), b: nodeId('b'), c: nodeId('c') };
export const ALWAYS = { numerator: 1, denominator: 1 };

export interface Storm {
  readonly world: SmallWorld;
  readonly injector: FaultInjector;
  readonly serviceCalls: string[];
  /** Nodes that lost power; something on the disks of `c` was not synced. */
  readonly powerLost: string[];
  /** The wall clock of `b`. */
  readonly readClock: () => number;
}

export function storm(faults: readonly Fault[], scripts: Record<string, Script>): Storm {
  const world = new SmallWorld({ scripts });
  const serviceCalls: string[] = [];
  const powerLost: string[] = [];
  const clock = new NodeClock(undefined, (fault) => injector.markEffective(fault));
  const injector = new FaultInjector({
    faults,
    loop: world.loop,
    history: world.history,
    cluster: world.cluster,
    services: new Map([
      [
        NODES.c,
        {
          apply: (id, condition) => serviceCalls.push(`apply ${id} ${condition.effect}`),
          lift: (id) => serviceCalls.push(`lift ${id}`),
        },
      ],
    ]),
    losePower: (node) => {
      powerLost.push(node);
      return node === NODES.c;
    },
    clocks: new Map([[NODES.b, clock]]),
  });
  const readClock = (): number => clock.read(micros(world.loop.nowUs));
  return { world, injector, serviceCalls, powerLost, readClock };
}

/** `started f1 @5000`, for the faults only. */
export function faultStory(world: SmallWorld): string[] {
  const story: string[] = [];
  for (const { event, atUs } of world.history.entries()) {
    if (event.kind === 'fault-started') story.push(`started ${event.fault} @${atUs}`);
    if (event.kind === 'fault-effective') story.push(`effective ${event.fault} @${atUs}`);
    if (event.kind === 'fault-ended') story.push(`ended ${event.fault} @${atUs}`);
  }
  return story;
}

/** Ids of those that changed something. */
export const effectiveOf = ({ injector }: Pick<Storm, 'injector'>): string[] =>
  injector
    .records()
    .filter(({ effective }) => effective)
    .map(({ id }) => id);
