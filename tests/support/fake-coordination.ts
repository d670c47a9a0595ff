/**
 * A coordination store that answers when the test says so: versioned values, compare-and-set, nothing else.
 * What the world may do to a request (lose it, lose the reply) is said per call, so that "unknown" has both its meanings.
 */
import type { CoordinationReply, CoordinationRequest, EngineMessage } from '../../engine/protocol/messages.ts';

export class FakeCoordination {
  readonly values = new Map<string, { readonly value: string; readonly version: number }>();

  /** Performs a request and returns the reply, which the test may deliver, delay or drop. */
  perform(message: EngineMessage): CoordinationReply {
    if (message.kind !== 'coordination-get' && message.kind !== 'coordination-compare-and-set') {
      throw new Error(`not for a coordination store: ${message.kind}`);
    }
    const found = this.values.get(message.key) ?? { value: '', version: 0 };
    if (message.kind === 'coordination-get') return this.#reply(message, 'done');
    if (found.version !== message.expectedVersion) return this.#reply(message, 'conflict');
    this.values.set(message.key, { value: message.value, version: found.version + 1 });
    return this.#reply(message, 'done');
  }

  /** The service says that nothing happened. */
  refuse(message: CoordinationRequest): CoordinationReply {
    return {
      kind: 'coordination-reply',
      requestId: message.requestId,
      outcome: 'failed',
      key: message.key,
      version: 0,
      value: '',
    };
  }

  /** Somebody else writes. */
  put(key: string, value: string): void {
    this.values.set(key, { value, version: (this.values.get(key)?.version ?? 0) + 1 });
  }

  valueOf(key: string): string | undefined {
    return this.values.get(key)?.value;
  }

  #reply(message: CoordinationRequest, outcome: CoordinationReply['outcome']): CoordinationReply {
    const { value, version } = this.values.get(message.key) ?? { value: '', version: 0 };
    return { kind: 'coordination-reply', requestId: message.requestId, outcome, key: message.key, version, value };
  }
}
