/** Named registers in the lease store: each is one of its keys. A removed value is an empty one, so that its versions go on. */
import type { RequestClient } from '../clients/request-client.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { CoordinationReply } from '../protocol/messages.ts';
import { type NamedRegisters, type RegisterHandler, type RegisterWrite, UNKNOWN } from './named-registers.ts';

export class StoreRegisters implements NamedRegisters {
  readonly highestCount = Number.MAX_SAFE_INTEGER;
  readonly #client: RequestClient<CoordinationReply>;

  constructor(client: RequestClient<CoordinationReply>) {
    this.#client = client;
  }

  read(name: string, out: Out, then: RegisterHandler): void {
    this.#client.request((requestId) => ({ kind: 'coordination-get', requestId, key: name }), out, answered(then));
  }

  compareAndSet({ name, expectedVersion, value }: RegisterWrite, out: Out, then: RegisterHandler): void {
    this.#client.request(
      (requestId) => ({ kind: 'coordination-compare-and-set', requestId, key: name, expectedVersion, value }),
      out,
      answered(then),
    );
  }

  remove(name: string, expectedVersion: number, out: Out, then: RegisterHandler): void {
    this.compareAndSet({ name, expectedVersion, value: '' }, out, then);
  }

  abandon(out: Out): void {
    this.#client.abandon(out);
  }
}

/** `failed` says that nothing happened, but a caller who tries again need not know. */
function answered(then: RegisterHandler) {
  return (reply: CoordinationReply | undefined, nowUs: Micros, out: Out): void => {
    if (reply === undefined || reply.outcome === 'failed') return then(UNKNOWN, nowUs, out);
    then({ outcome: reply.outcome, version: reply.version, value: reply.value }, nowUs, out);
  };
}
