/**
 * PHOLD, the usual yardstick of event queues (Fujimoto 1990): logical processes that send each other events, one for each event
 * received, so that the number of pending events stays the same.
 */
import { Choices } from '../sim/kernel/choice.ts';
import { type Distribution, exponential, sampleUs } from '../sim/kernel/distribution.ts';
import { EventLoop } from '../sim/kernel/event-loop.ts';
import { EventQueue } from '../sim/kernel/event-queue.ts';

export const PHOLD_PROCESSES = 8_192;
/** One event in so many goes to another process. */
const REMOTE_DENOMINATOR = 4;
const INCREMENT: Distribution = exponential({ meanUs: 1_000 });
/** An increment is at least the lookahead, microseconds. */
const LOOKAHEAD_US = 1;
const NO_LIMITS = {
  maxEvents: Number.MAX_SAFE_INTEGER,
  maxVirtualUs: Number.MAX_SAFE_INTEGER,
  maxQueueLength: 1_000_000,
};

/** A model that goes on where it stopped: each call handles so many further events. */
export type Phold = (events: number) => void;

/** On the event loop: clock, limits and digest, as in a life. */
export function pholdWithDigest(): Phold {
  const loop = new EventLoop<number>({ limits: NO_LIMITS });
  const model = increments();
  for (let process = 0; process < PHOLD_PROCESSES; process += 1) loop.scheduleIn(model.delayUs(), process);
  return (events) => {
    const end = loop.events + events;
    loop.run(
      (process) => {
        loop.digest.fold(process);
        loop.scheduleIn(model.delayUs(), model.receiver(process));
      },
      () => loop.events >= end,
    );
  };
}

/** On the bare queue. */
export function pholdWithoutDigest(): Phold {
  const queue = new EventQueue<number>();
  const model = increments();
  for (let process = 0; process < PHOLD_PROCESSES; process += 1) queue.push(model.delayUs(), process);
  return (events) => {
    for (let handled = 0; handled < events; handled += 1) {
      const process = queue.pop() ?? 0;
      queue.push(queue.atUs + model.delayUs(), model.receiver(process));
    }
  };
}

function increments(): { delayUs: () => number; receiver: (process: number) => number } {
  const choices = new Choices({ rootSeed: 'phold' });
  const delay = choices.site('delay');
  const remote = choices.site('remote');
  const receiver = choices.site('receiver');
  return {
    delayUs: () => LOOKAHEAD_US + sampleUs(INCREMENT, delay),
    receiver: (process) => (remote.choose(REMOTE_DENOMINATOR) === 0 ? receiver.choose(PHOLD_PROCESSES) : process),
  };
}
