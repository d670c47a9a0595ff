/**
 * Asks the log which partitions a topic has and where to begin in them, once or again and again (row K1; Flink: KafkaSourceEnumerator with
 * partition.discovery.interval.ms and an OffsetsInitializer).
 *
 * Owns: the request that is open, and when the next one is due. Does not own: what becomes of a partition (split-enumerator.ts).
 * Invariant I1: a request is repeated until it is answered; after `restart` and `stop` no answer to an earlier one counts.
 */
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import { RequestClient } from '../clients/request-client.ts';
import type { Micros } from '../foundation/time.ts';
import type { SourceSpec } from '../job/job-graph.ts';
import type { StartPosition } from '../protocol/start-position.ts';
import type { MasterHookHost } from '../job/master-hook.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineMessage, LogOffsets } from '../protocol/messages.ts';

export type DiscoveryHost = Pick<MasterHookHost, 'services' | 'storage' | 'requestTimeoutUs' | 'firstRequestId'>;

/** Who finds out which splits there are. */
export interface Discovery {
  /** Begins anew; what was asked before is forgotten. */
  restart(out: Out): void;
  /** Asks no more. */
  stop(out: Out): void;
  handleMessage(message: EngineMessage, nowUs: Micros, out: Out): boolean;
  handleTimer(timer: string, nowUs: Micros, out: Out): boolean;
}

export interface PartitionDiscoveryOptions {
  readonly source: SourceSpec & { readonly uid: string };
  readonly host: DiscoveryHost;
  /** Where to begin in a partition that nobody knows, asked for each request. */
  readonly at: () => StartPosition;
  readonly discovered: (partitions: readonly number[], offsets: readonly number[], out: Out) => void;
}

export class PartitionDiscovery implements Discovery {
  readonly #options: PartitionDiscoveryOptions;
  readonly #client: RequestClient<LogOffsets>;
  readonly #later = new DelayedCalls();

  constructor(options: PartitionDiscoveryOptions) {
    const { host, source } = options;
    this.#options = options;
    this.#client = new RequestClient({
      node: host.services.log,
      via: 'datagram',
      name: `discovery/${source.uid}`,
      timeoutUs: host.requestTimeoutUs,
      firstRequestId: host.firstRequestId,
    });
  }

  restart(out: Out): void {
    this.stop(out);
    this.#ask(out);
  }

  stop(out: Out): void {
    this.#client.abandon(out);
    this.#later.clear(out);
  }

  handleMessage(message: EngineMessage, nowUs: Micros, out: Out): boolean {
    if (message.kind !== 'log-offsets' || message.group !== this.#options.source.uid) return false;
    this.#client.handleReply(message, nowUs, out);
    return true;
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#client.handleTimer(timer, nowUs, out) || this.#later.handleTimer(timer, nowUs, out);
  }

  #ask(out: Out): void {
    const { source, at } = this.#options;
    const requestId = this.#client.nextRequestId;
    const message = { kind: 'log-list-offsets', requestId, group: source.uid, topic: source.topic, at: at() } as const;
    this.#client.send(message, out, (reply, _nowUs, replyOut) => this.#answered(reply, replyOut));
  }

  #answered(reply: LogOffsets | undefined, out: Out): void {
    const { source, host, discovered } = this.#options;
    if (reply === undefined) return this.#ask(out);
    if (reply.outcome === 'done') discovered(reply.partitions, reply.offsets, out);
    const againUs = reply.outcome === 'done' ? source.discoveryUs : retryDelayUs(host.requestTimeoutUs);
    if (againUs === undefined) return;
    this.#later.after(againUs, `discovery/${source.uid}`, out, (_nowUs, lateOut) => this.#ask(lateOut));
  }
}
