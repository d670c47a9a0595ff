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
 */
import type { MailboxId } from '../../engine/foundation/ids.ts';
import type { Envelope } from '../network/envelope.ts';
import type { Origin } from '../network/network.ts';
import type { ScheduledEvent } from '../node/scheduled-event.ts';
import type { HostedProcess } from './hosted-actor.ts';

/** Taken inputs are cut off when they are this many and half of the array: amortised a copy per input. */
const COMPACT_FROM = 64;

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
  /** Of the event that lets it fire; 0 once it is due. */
  handle = 0;
  isVoid = false;
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
  readonly timers = new Map<string, Timer>();
  readonly #host: MailboxHost;
  #waiting: (Envelope | Timer)[] = [];
  /** Index of the first waiting input; what lies before it was taken. */
  #first = 0;

  constructor(host: MailboxHost, process: HostedProcess, id: MailboxId) {
    this.#host = host;
    this.process = process;
    this.nodeIndex = process.machine.index;
    this.id = id;
  }

  /** Number of waiting inputs. */
  get length(): number {
    return this.#waiting.length - this.#first;
  }

  push(input: Envelope | Timer): void {
    this.#waiting.push(input);
  }

  shift(): Envelope | Timer | undefined {
    const input = this.#waiting[this.#first];
    if (input === undefined) return undefined;
    this.#first += 1;
    if (this.#first === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#first = 0;
    } else if (this.#first >= COMPACT_FROM && this.#first * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
    return input;
  }

  fire(): void {
    this.#host.wake(this);
  }
}
