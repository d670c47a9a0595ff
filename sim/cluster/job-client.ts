/**
 * The client: carries out the operations of a plan when their time has come (Flink: RestClusterClient).
 *
 * It asks every JobManager, because it does not know who leads, and again until one has answered. Requests are numbered in the order
 * they were asked for; the engine obeys them in that order and drops what comes late.
 */
import type { Input } from '../../engine/protocol/actor.ts';
import { MAIN_MAILBOX, type NodeId } from '../../engine/foundation/ids.ts';
import { type Micros, micros } from '../../engine/foundation/time.ts';
import type { EngineMessage } from '../../engine/protocol/messages.ts';
import type { Operation } from '../faults/fault.ts';
import type { HostedOut } from './effect-buffer.ts';
import type { HostedActor } from './hosted-actor.ts';

const REPEAT = 'repeat';
const REPEAT_US = micros(1_000_000);
const OPERATION = 'operation/';

export const operationTimer = (operation: string): string => `${OPERATION}${operation}`;

export class JobClient implements HostedActor {
  readonly #operations: ReadonlyMap<string, Operation>;
  readonly #jobManagers: readonly NodeId[];
  readonly #open = new Map<number, { readonly operation: Operation; readonly message: EngineMessage }>();
  #lastRequest = 0;

  constructor(operations: readonly Operation[], jobManagers: readonly NodeId[]) {
    this.#operations = new Map(operations.map((operation) => [operationTimer(operation.id), operation]));
    this.#jobManagers = jobManagers;
  }

  handle(input: Input, _nowUs: Micros, out: HostedOut): void {
    if (input.kind === 'started') return;
    if (input.kind === 'message') return this.#answered(input.message, out);
    const operation = this.#operations.get(input.timer);
    if (operation !== undefined) this.#ask(operation, out);
    else for (const { message } of this.#open.values()) this.#send(message, out);
    if (this.#open.size > 0) out.setTimer(REPEAT, REPEAT_US);
  }

  #ask(operation: Operation, out: HostedOut): void {
    this.#lastRequest += 1;
    const requestId = this.#lastRequest;
    const message: EngineMessage = { kind: 'rescale-request', requestId, parallelism: operation.parallelism };
    this.#open.set(requestId, { operation, message });
    this.#send(message, out);
  }

  #answered(message: EngineMessage, out: HostedOut): void {
    if (message.kind !== 'rescale-reply') return;
    const asked = this.#open.get(message.requestId);
    if (asked === undefined) return;
    this.#open.delete(message.requestId);
    const { id, operation } = asked.operation;
    out.report({ kind: 'operation-answered', fault: id, operation });
  }

  #send(message: EngineMessage, out: HostedOut): void {
    for (const node of this.#jobManagers) out.send({ node, mailbox: MAIN_MAILBOX, via: 'datagram' }, message);
  }
}
