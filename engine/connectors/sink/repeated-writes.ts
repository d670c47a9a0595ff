/**
 * Writes that an outside system may be sent again and again until it says that it has them.
 *
 * Owns: the requests that are under way, their repetition, which snapshots wait for them. Does not own: what is written; that it may be
 * repeated is the connector's promise.
 * Invariants:
 *   I1 a write ends when it is confirmed, and not before, whatever else is answered or not;
 *   I2 a snapshot waits for all writes that were under way when it was taken.
 */
import { DelayedCalls, retryDelayUs } from '../../clients/delayed-calls.ts';
import { RequestClient, type RequestClientOptions } from '../../clients/request-client.ts';
import type { CheckpointId } from '../../foundation/ids.ts';
import type { Micros } from '../../foundation/time.ts';
import type { Out } from '../../protocol/actor.ts';
import type { EngineMessage, SinkReply, SinkServiceReply } from '../../protocol/messages.ts';
import type { SinkWriterHost } from './sink-contract.ts';
import { Unflushed } from './unflushed.ts';

type MessageOf = (requestId: number) => EngineMessage;

export class RepeatedWrites {
  readonly #options: RequestClientOptions;
  readonly #host: SinkWriterHost;
  readonly #client: RequestClient<SinkReply>;
  readonly #later = new DelayedCalls();
  readonly #unflushed = new Unflushed();
  /** By number. */
  readonly #underWay = new Set<number>();
  #written = 0;

  constructor(options: RequestClientOptions, host: SinkWriterHost) {
    this.#options = options;
    this.#host = host;
    this.#client = new RequestClient(options);
  }

  /** Writes that are not confirmed. */
  get underWay(): number {
    return this.#underWay.size;
  }

  get isFlushed(): boolean {
    return this.#unflushed.isEmpty;
  }

  send(message: MessageOf, out: Out, confirmed?: (out: Out) => void): void {
    this.#written += 1;
    this.#underWay.add(this.#written);
    this.#ask(this.#written, message, out, confirmed);
  }

  /** I2. A write that an earlier snapshot waits for keeps its place: this one waits for that, too. */
  flush(id: CheckpointId): void {
    for (const write of this.#underWay) if (!this.#unflushed.has(`${write}`)) this.#unflushed.add(`${write}`, id);
    this.wait(id);
  }

  /** The snapshot waits for what earlier ones wait for. */
  wait(id: CheckpointId): void {
    this.#unflushed.wait(id);
  }

  handleReply(reply: SinkServiceReply, nowUs: Micros, out: Out): void {
    if (reply.kind === 'sink-reply') this.#client.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out) || this.#client.handleTimer(timer, nowUs, out);
  }

  #ask(write: number, message: MessageOf, out: Out, confirmed: ((out: Out) => void) | undefined): void {
    const { timeoutUs, name } = this.#options;
    this.#client.request(message, out, (reply, nowUs, replyOut) => {
      if (reply?.outcome !== 'done') {
        return this.#later.after(retryDelayUs(timeoutUs), `${name} ${write}`, replyOut, (_lateUs, lateOut) =>
          this.#ask(write, message, lateOut, confirmed),
        );
      }
      this.#underWay.delete(write);
      for (const id of this.#unflushed.flushed(`${write}`)) this.#host.flushed(id, nowUs, replyOut);
      if (this.#unflushed.isEmpty) this.#host.allFlushed(replyOut);
      confirmed?.(replyOut);
    });
  }
}
