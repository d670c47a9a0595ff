/** A cluster of scripted actors for tests: each input is noted, and a script says what to do about it. */
import { type MailboxId, type NodeId, nodeId } from '../../../../engine/foundation/ids.ts';
import type { Input, Target } from '../../../../engine/protocol/actor.ts';
import type { EngineMessage } from '../../../../engine/protocol/messages.ts';
import { Cluster } from '../../../../sim/cluster/actor-host.ts';
import type { HostedOut } from '../../../../sim/cluster/effect-buffer.ts';
import { History } from '../../../../sim/history/history.ts';
import { Choices } from '../../../../sim/kernel/choice.ts';
import { EventLoop } from '../../../../sim/kernel/event-loop.ts';
import { type HardwareProfile, profileNamed } from '../../../../sim/node/hardware-profile.ts';
import type { PrioritiesPlan } from '../../../../sim/plan.ts';
import { fireEvent, type ScheduledEvent } from '../../../../sim/node/scheduled-event.ts';

export type Script = (input: Input, nowUs: number, out: HostedOut) => void;

/** What an actor saw, in words: `started`, `timer t`, `ping 3 from b`, `credit 3 from b`, `lost b`. */
export interface Seen {
  readonly atUs: number;
  readonly node: string;
  readonly mailbox: number;
  readonly incarnation: number;
  readonly text: string;
}

export interface SmallWorldOptions {
  readonly takeHangUs?: () => number;
  readonly seed?: string;
  readonly priorities?: PrioritiesPlan & { readonly untilUs: number };
  readonly profile?: Partial<HardwareProfile>;
  readonly scripts: Readonly<Record<string, Script>>;
}

export const mailbox = (id: number): MailboxId => id as MailboxId;
export const to = (node: string, via: Target['via'], box = 0): Target => ({
  node: nodeId(node),
  mailbox: mailbox(box),
  via,
});
/** A small RPC with a number. */
export const ping = (n: number): EngineMessage => ({ kind: 'heartbeat-request', epoch: n as never });
/** A message that is no heartbeat. */
export const cancel = (n: number): EngineMessage => ({ kind: 'cancel-task', epoch: 1 as never, attempt: n as never });
/** A small data-plane message with a number. */
export const credit = (n: number): EngineMessage => ({
  kind: 'add-credit',
  edge: 0,
  subpartition: 0,
  consumer: 1 as never,
  credit: n,
});

function inWords(input: Input): string {
  if (input.kind === 'started') return 'started';
  if (input.kind === 'timer') return `timer ${input.timer}`;
  const { message, from } = input;
  if (message.kind === 'heartbeat-request') return `ping ${message.epoch} from ${from}`;
  if (message.kind === 'cancel-task') return `cancel ${message.attempt} from ${from}`;
  if (message.kind === 'add-credit') return `credit ${message.credit} from ${from}`;
  if (message.kind === 'connection-lost') return `lost ${message.peer}`;
  return `${message.kind} from ${from}`;
}

export class SmallWorld {
  readonly loop = new EventLoop<ScheduledEvent>();
  readonly history: History;
  readonly cluster: Cluster;
  readonly choices: Choices;
  readonly seen: Seen[] = [];

  constructor(options: SmallWorldOptions) {
    this.history = new History({ keep: true, clock: this.loop });
    this.choices = new Choices({ rootSeed: options.seed ?? 'seed' });
    this.cluster = new Cluster({
      loop: this.loop,
      choices: this.choices,
      history: this.history,
      profile: { ...profileNamed('cloud-small'), ...options.profile },
      ...(options.priorities === undefined ? {} : { priorities: options.priorities }),
      ...(options.takeHangUs === undefined ? {} : { takeHangUs: options.takeHangUs }),
      nodes: Object.entries(options.scripts).map(([node, script]) => ({
        id: nodeId(node),
        create: (incarnation) => ({
          handle: (input, nowUs, out) => {
            const box = input.kind === 'started' ? 0 : input.mailbox;
            this.seen.push({ atUs: nowUs, node, mailbox: box, incarnation, text: inWords(input) });
            script(input, nowUs, out);
          },
        }),
      })),
    });
  }

  start(): this {
    this.cluster.startAll();
    return this;
  }

  /** Lets something happen at a time, outside of any handler. */
  at(atUs: number, action: () => void): this {
    this.loop.schedule(atUs, { fire: action });
    return this;
  }

  /** Runs to the end, or until the time. */
  run(untilUs = 3_600_000_000): this {
    let isOver = false;
    this.at(untilUs, () => {
      isOver = true;
    });
    this.loop.run(fireEvent, () => isOver);
    return this;
  }

  /** What a node saw after its starts. */
  heard(node: string): string[] {
    return this.seen.filter((entry) => entry.node === node && entry.text !== 'started').map((entry) => entry.text);
  }

  timesOf(node: string, text: string): number[] {
    return this.seen.filter((entry) => entry.node === node && entry.text === text).map((entry) => entry.atUs);
  }

  kinds(): string[] {
    return this.history.entries().map((entry) => `${entry.node} ${entry.event.kind}`);
  }

  id(node: string): NodeId {
    return nodeId(node);
  }

  index(node: string): number {
    return this.cluster.network.indexOf(nodeId(node));
  }
}

/** Does nothing about anything. */
export const silent: Script = () => {};
/** Sends the numbers at start. */
export function sender(target: Target, numbers: readonly number[], make: (n: number) => EngineMessage): Script {
  return (input, _nowUs, out) => {
    if (input.kind === 'started') for (const n of numbers) out.send(target, make(n));
  };
}
/** 1, 2, ... n. */
export const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1);
