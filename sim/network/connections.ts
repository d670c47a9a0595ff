/**
 * All connections of the cluster: in-order delivery, holding at cuts, time-outs, resets, crashes of an end.
 *
 * Owns: connections and what they hold. Does not own: latency (link.ts), faults (the maps), datagrams (network.ts).
 *
 * I1: in each direction messages arrive in the order they were sent, or not at all.
 * I2: after an end was told `connection-lost`, nothing of the old term reaches it.
 * I3: what one end sent before its node crashed reaches the other before the notice of the crash.
 * I4: a stream that holds messages has exactly one of deadline and flush.
 */
import { assert } from '../../engine/foundation/assert.ts';
import { MAIN_MAILBOX } from '../../engine/foundation/ids.ts';
import type { ScheduledEvent } from '../node/scheduled-event.ts';
import { NO_CHAIN } from './chain-priorities.ts';
import { Connection, type ConnectionEnd, type Stream } from './connection.ts';
import type { Envelope } from './envelope.ts';
import type { Medium } from './medium.ts';
import type { NodeSides } from './node-sides.ts';

export class Connections {
  readonly #medium: Medium;
  /** By lower, then by higher node index. */
  readonly #byPair: (Connection | undefined)[][];
  readonly #byNode: Stream[][];
  /** Streams that hold messages, in the order they stalled. */
  readonly #stalled = new Set<Stream>();

  constructor(medium: Medium) {
    this.#medium = medium;
    this.#byPair = medium.nodes.map(() => []);
    this.#byNode = medium.nodes.map(() => []);
  }

  /** Sends in the term the sender knows; `arrivalUs` is when the message would arrive if it were alone. */
  send(envelope: Envelope, arrivalUs: number): void {
    const stream = this.#stream(envelope.from, envelope.to);
    envelope.term = stream.from.term;
    stream.from.isUsed = true;
    this.#schedule(stream, envelope, arrivalUs);
  }

  arrive(envelope: Envelope): void {
    const stream = this.#stream(envelope.from, envelope.to);
    if (envelope.term < stream.to.term) {
      this.#medium.envelopes.release(envelope);
    } else if (stream.held.length > 0 || this.#medium.partitions.blocks(envelope.from, envelope.to)) {
      this.#hold(stream, envelope);
    } else {
      this.#pass(stream, envelope);
    }
  }

  /** A node has just gone down: its peers learn it behind the data it sent, data towards it is lost. */
  nodeCrashed(node: number): void {
    for (const outward of this.#byNode[node] ?? []) {
      const { connection, from: dead, to: peer } = outward;
      const wasUsed = dead.isUsed || peer.isUsed;
      dead.term = connection.beginTerm();
      dead.isUsed = false;
      this.#drop(connection.streamFrom(peer.node));
      if (this.#isDown(peer)) {
        this.#drop(outward);
        peer.term = dead.term;
        peer.isUsed = false;
      } else if (wasUsed) {
        this.#notify(outward);
      } else {
        peer.term = dead.term;
      }
    }
  }

  /** Cuts were healed: what is no longer blocked flows on, a latency later. */
  healed(): void {
    for (const stream of this.#stalled) {
      if (stream.flush !== 0 || this.#medium.partitions.blocks(stream.from.node, stream.to.node)) continue;
      this.#medium.loop.cancel(stream.deadline);
      stream.deadline = 0;
      const latencyUs = this.#medium.linkOf(stream.from.node, stream.to.node).latencyUs();
      stream.flush = this.#medium.loop.scheduleIn(latencyUs, new Flush(this, stream));
    }
  }

  /** The time to pass on what was held. */
  flushDue(stream: Stream): void {
    stream.flush = 0;
    if (this.#medium.partitions.blocks(stream.from.node, stream.to.node)) {
      this.#medium.partitions.blame(stream.from.node, stream.to.node, this.#medium.onEffective);
      this.#armDeadline(stream);
      return;
    }
    const held = stream.held;
    stream.held = [];
    this.#stalled.delete(stream);
    // A receiver may crash on the way; what is left is then of an old term and `pass` discards it.
    for (const envelope of held) this.#pass(stream, envelope);
  }

  /** The stream stalled for too long: both ends give up, each by its own clock and without a word to the other. */
  deadlineDue(stream: Stream): void {
    stream.deadline = 0;
    this.#giveUp(stream);
  }

  /** Something between the sides resets all connections that are in use; false when there are none. */
  reset(sides: NodeSides): boolean {
    // Who is told may open the next connection at once: that one is not reset.
    const concerned = this.#byPair.flatMap((row, low) =>
      row.flatMap((connection, high) => {
        if (connection === undefined || !sides.concerns(low, high)) return [];
        const stream = connection.streamFrom(low);
        return stream.from.isUsed || stream.to.isUsed ? [stream] : [];
      }),
    );
    for (const stream of concerned) this.#giveUp(stream);
    return concerned.length > 0;
  }

  /** A new term begins; what is on its way in either direction is of an old one. */
  #giveUp(stream: Stream): void {
    const { connection, from, to } = stream;
    const term = connection.beginTerm();
    const tellFrom = from.isUsed && !this.#isDown(from);
    const tellTo = to.isUsed && !this.#isDown(to);
    for (const end of [from, to]) {
      end.term = term;
      end.isUsed = false;
    }
    this.#drop(stream);
    this.#drop(connection.streamFrom(to.node));
    if (tellFrom) this.#tellLost(from, to);
    if (tellTo && !this.#isDown(to)) this.#tellLost(to, from);
  }

  #hold(stream: Stream, envelope: Envelope): void {
    this.#medium.partitions.blame(envelope.from, envelope.to, this.#medium.onEffective);
    stream.held.push(envelope);
    this.#stalled.add(stream);
    if (stream.deadline === 0 && stream.flush === 0) this.#armDeadline(stream);
  }

  #armDeadline(stream: Stream): void {
    stream.deadline = this.#medium.loop.scheduleIn(this.#medium.streamTimeoutUs, new Deadline(this, stream));
  }

  /** The message has crossed the network. */
  #pass(stream: Stream, envelope: Envelope): void {
    const { from, to } = stream;
    if (envelope.route === 'notice') {
      const isNews = envelope.term > to.term && to.isUsed;
      if (envelope.term > to.term) {
        to.term = envelope.term;
        to.isUsed = false;
      }
      this.#medium.envelopes.release(envelope);
      if (isNews && !this.#isDown(to)) this.#tellLost(to, from);
      return;
    }
    if (envelope.term > to.term) refuseUnannounced(envelope);
    if (envelope.term < to.term) {
      this.#medium.envelopes.release(envelope);
    } else if (this.#isDown(to)) {
      this.#medium.envelopes.release(envelope);
      this.#refuse(stream);
    } else {
      to.isUsed = true;
      this.#medium.receiver.deliver(envelope);
    }
  }

  /** Nobody listens: the sender is told. Its other messages under way are of an old term then. */
  #refuse(stream: Stream): void {
    const { connection, from, to } = stream;
    to.term = connection.beginTerm();
    if (this.#isDown(from)) from.term = to.term;
    else this.#notify(connection.streamFrom(to.node));
  }

  /** Sends word, behind all data, that the term of the stream's near end has begun. */
  #notify(stream: Stream): void {
    const notice = this.#medium.envelopes.take();
    notice.from = stream.from.node;
    notice.fromMailbox = MAIN_MAILBOX;
    notice.incarnation = this.#medium.nodes[stream.from.node]?.incarnation ?? 0;
    notice.to = stream.to.node;
    notice.mailbox = MAIN_MAILBOX;
    notice.departUs = this.#medium.loop.nowUs;
    notice.route = 'notice';
    notice.term = stream.from.term;
    notice.chain = NO_CHAIN;
    const latencyUs = this.#medium.linkOf(notice.from, notice.to).latencyUs();
    this.#schedule(stream, notice, this.#medium.loop.nowUs + latencyUs);
  }

  #tellLost(end: ConnectionEnd, peer: ConnectionEnd): void {
    const node = this.#medium.nodes[end.node];
    const peerNode = this.#medium.nodes[peer.node];
    assert(node !== undefined && peerNode !== undefined, 'a connection is between nodes of the cluster');
    this.#medium.history.record(node.id, { kind: 'connection-reset', peer: peerNode.id });
    const envelope = this.#medium.envelopes.take();
    envelope.from = peer.node;
    envelope.fromMailbox = MAIN_MAILBOX;
    envelope.incarnation = peerNode.incarnation;
    envelope.to = end.node;
    envelope.mailbox = MAIN_MAILBOX;
    envelope.message = { kind: 'connection-lost', peer: peerNode.id };
    envelope.departUs = this.#medium.loop.nowUs;
    envelope.route = 'local';
    envelope.term = end.term;
    envelope.chain = NO_CHAIN;
    this.#medium.receiver.deliver(envelope);
  }

  /** Discards what a stream holds. */
  #drop(stream: Stream): void {
    for (const envelope of stream.held) this.#medium.envelopes.release(envelope);
    stream.held = [];
    this.#medium.loop.cancel(stream.deadline);
    this.#medium.loop.cancel(stream.flush);
    stream.deadline = 0;
    stream.flush = 0;
    this.#stalled.delete(stream);
  }

  #schedule(stream: Stream, envelope: Envelope, arrivalUs: number): void {
    const atUs = arrivalUs > stream.lastArrivalUs ? arrivalUs : stream.lastArrivalUs;
    stream.lastArrivalUs = atUs;
    this.#medium.loop.schedule(atUs, envelope);
  }

  #isDown(end: ConnectionEnd): boolean {
    return this.#medium.nodes[end.node]?.isDown === true;
  }

  #stream(from: number, to: number): Stream {
    const low = from < to ? from : to;
    const high = from < to ? to : from;
    const connection = this.#byPair[low]?.[high] ?? this.#open(low, high);
    return connection.streamFrom(from);
  }

  #open(low: number, high: number): Connection {
    const connection = new Connection(low, high);
    const row = this.#byPair[low];
    assert(row !== undefined, 'a connection is between nodes of the cluster', { low, high });
    row[high] = connection;
    this.#byNode[low]?.push(connection.streamFrom(low));
    this.#byNode[high]?.push(connection.streamFrom(high));
    return connection;
  }
}

class Flush implements ScheduledEvent {
  readonly #connections: Connections;
  readonly #stream: Stream;

  constructor(connections: Connections, stream: Stream) {
    this.#connections = connections;
    this.#stream = stream;
  }

  fire(): void {
    this.#connections.flushDue(this.#stream);
  }
}

class Deadline implements ScheduledEvent {
  readonly #connections: Connections;
  readonly #stream: Stream;

  constructor(connections: Connections, stream: Stream) {
    this.#connections = connections;
    this.#stream = stream;
  }

  fire(): void {
    this.#connections.deadlineDue(this.#stream);
  }
}

function refuseUnannounced(envelope: Envelope): never {
  assert(false, 'a notice comes before the first message of a new term', { from: envelope.from, to: envelope.to });
}
