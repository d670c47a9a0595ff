/**
 * A mailbox of a node: inputs that wait, the time it is busy until, its timers.
 *
 * Owns: the queue and the timers by name. Does not own: when inputs are handled (actor-host.ts).
 *
 * I1: inputs leave in the order they came.
 * I2: of one name at most one timer is armed or due; a timer that was cancelled or replaced after it came due, while it
 *     waited its turn, is void and skipped.
 * I3: at most one wake-up is scheduled.
 * I4: after its node crashed a mailbox is closed and nothing is handled in it.
 * I5: a timer that is idle stays, so that a name that is set again and again costs one object; when idle ones are in the
 *     majority they are dropped, so memory follows the timers in use.
 */
import { Fifo } from '../../engine/foundation/fifo.ts';
import type { MailboxId } from '../../engine/foundation/ids.ts';
import type { Envelope } from '../network/envelope.ts';
import type { Origin } from '../network/network.ts';
import type { ScheduledEvent } from '../node/scheduled-event.ts';
import type { HostedProcess } from './hosted-actor.ts';

/** Timers, idle ones included, that are kept without a look at how many are idle. */
const TIMERS_KEPT = 16;

/** What mailboxes and timers do when their time has come is the host's business. */
export interface MailboxHost {
  wake(mailbox: Mailbox): void;
  timerDue(timer: Timer): void;
}

export class Timer implements ScheduledEvent {
  /** Tells timers from envelopes in a mailbox. */
  readonly isTimer = true;
  readonly mailbox: Mailbox;
  readonly name: string;
  /** Of the event that lets it fire; 0 when it is not armed. */
  handle = 0;
  /** It came due and waits its turn. */
  isWaiting = false;
  isVoid = false;
  /** Chain of messages of the input whose handler armed it; 0: none. */
  chain = 0;
  readonly #host: MailboxHost;

  constructor(host: MailboxHost, mailbox: Mailbox, name: string) {
    this.#host = host;
    this.mailbox = mailbox;
    this.name = name;
  }

  fire(): void {
    this.#host.timerDue(this);
  }
}

export class Mailbox implements ScheduledEvent, Origin {
  readonly process: HostedProcess;
  readonly nodeIndex: number;
  readonly id: MailboxId;
  /** Inputs wait until then. */
  busyUntilUs = 0;
  /** Of the scheduled wake-up; 0: none. */
  wakeHandle = 0;
  isClosed = false;
  readonly #host: MailboxHost;
  readonly #timers = new Map<string, Timer>();
  readonly #waiting = new Fifo<Envelope | Timer>();
  #timersMax = TIMERS_KEPT;

  constructor(host: MailboxHost, process: HostedProcess, id: MailboxId) {
    this.#host = host;
    this.process = process;
    this.nodeIndex = process.machine.index;
    this.id = id;
  }

  /** Number of waiting inputs. */
  get length(): number {
    return this.#waiting.length;
  }

  push(input: Envelope | Timer): void {
    this.#waiting.push(input);
  }

  shift(): Envelope | Timer | undefined {
    return this.#waiting.shift();
  }

  /** The timer of a name that is armed, due or idle; never a void one. */
  timer(name: string): Timer | undefined {
    return this.#timers.get(name);
  }

  /** All timers that are not void. */
  timers(): Iterable<Timer> {
    return this.#timers.values();
  }

  /** Makes the timer of a name; one that waits its turn becomes void (I2). */
  makeTimer(name: string): Timer {
    const replaced = this.#timers.get(name);
    if (replaced !== undefined) replaced.isVoid = true;
    else if (this.#timers.size >= this.#timersMax) this.#dropIdleTimers();
    const timer = new Timer(this.#host, this, name);
    this.#timers.set(name, timer);
    return timer;
  }

  /** Makes a timer void that waits its turn. */
  voidTimer(timer: Timer): void {
    timer.isVoid = true;
    this.#timers.delete(timer.name);
  }

  fire(): void {
    this.#host.wake(this);
  }

  #dropIdleTimers(): void {
    for (const timer of this.#timers.values()) {
      if (timer.handle === 0 && !timer.isWaiting) this.#timers.delete(timer.name);
    }
    this.#timersMax = Math.max(TIMERS_KEPT, this.#timers.size * 2);
  }
}
