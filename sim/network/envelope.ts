/**
 * A message under way: addresses, departure and the term of its connection.
 *
 * Envelopes are pooled: whoever holds one last releases it. From sending to arrival the network holds it, then the
 * receiver. A released envelope is never read.
 */
import { MAIN_MAILBOX, type MailboxId } from '../../engine/foundation/ids.ts';
import type { EngineMessage } from '../../engine/protocol/messages.ts';
import type { ScheduledEvent } from '../node/scheduled-event.ts';

/** `notice`: tells the far end of a connection, in order, that the connection is gone. */
export type Route = 'local' | 'datagram' | 'stream' | 'notice';

/** Handles an envelope whose time has come. */
export interface Carrier {
  arrive(envelope: Envelope): void;
}

const NO_MESSAGE: EngineMessage = { kind: 'continue' };

export class Envelope implements ScheduledEvent {
  /** Tells envelopes from timers in a mailbox. */
  readonly isTimer = false;
  from = 0;
  fromMailbox: MailboxId = MAIN_MAILBOX;
  /** Of the sender. */
  incarnation = 0;
  to = 0;
  mailbox: MailboxId = MAIN_MAILBOX;
  message: EngineMessage = NO_MESSAGE;
  /** When it leaves the sender: the end of its mailbox's busy time. */
  departUs = 0;
  route: Route = 'local';
  /** Of the connection; for a notice the term that begins with it. */
  term = 0;
  /** Chain of causally linked messages it belongs to (chain-priorities.ts); 0: none. */
  chain = 0;
  readonly #carrier: Carrier;

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  fire(): void {
    this.#carrier.arrive(this);
  }
}

export class EnvelopePool {
  readonly #carrier: Carrier;
  readonly #free: Envelope[] = [];

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  /** An envelope whose fields are anyone's; the taker sets them all. */
  take(): Envelope {
    return this.#free.pop() ?? new Envelope(this.#carrier);
  }

  /** Forgets the message, so that it can be collected. */
  release(envelope: Envelope): void {
    envelope.message = NO_MESSAGE;
    this.#free.push(envelope);
  }

  copy(original: Envelope): Envelope {
    const copy = this.take();
    copy.from = original.from;
    copy.fromMailbox = original.fromMailbox;
    copy.incarnation = original.incarnation;
    copy.to = original.to;
    copy.mailbox = original.mailbox;
    copy.message = original.message;
    copy.departUs = original.departUs;
    copy.route = original.route;
    copy.term = original.term;
    copy.chain = original.chain;
    return copy;
  }
}
