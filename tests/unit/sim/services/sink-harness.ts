/** A sink store alone, and short names for the requests to it. */
import type { SinkRequest } from '../../../../engine/protocol/messages.ts';
import { constant, type Distribution } from '../../../../sim/kernel/distribution.ts';
import { SinkStore } from '../../../../sim/services/sink-store.ts';
import { SinkStoreDisk } from '../../../../sim/services/sink-store-disk.ts';
import { ServiceHarness } from './service-harness.ts';

export const TRANSACTION_TIMEOUT_US = 100_000;
export const SINK_LATENCY_US = 20;

export interface SinkBench {
  readonly harness: ServiceHarness;
  readonly disk: SinkStoreDisk;
  readonly restart: () => void;
}

export function sinkBench(latency: Distribution = constant(SINK_LATENCY_US), seed = 'harness'): SinkBench {
  const harness = new ServiceHarness(seed);
  const disk = new SinkStoreDisk();
  const restart = (): void =>
    harness.start(
      new SinkStore({
        disk,
        latency,
        transactionTimeoutUs: TRANSACTION_TIMEOUT_US,
        conditions: harness.conditions,
        latencySite: harness.choices.site('latency'),
        conditionSite: harness.choices.site('condition'),
      }),
    );
  restart();
  return { harness, disk, restart };
}

/** Requests of one producer epoch. */
export function producerOf(producer: string, producerEpoch: number) {
  let requestId = 0;
  const head = () => ({ requestId: ++requestId, producer, producerEpoch });
  return {
    initialize: (...keep: string[]): SinkRequest => ({ kind: 'sink-initialize', ...head(), keep }),
    write: (transaction: string, ...lineages: number[]): SinkRequest => ({
      kind: 'sink-write',
      producer,
      producerEpoch,
      transaction,
      values: lineages.map((lineage) => `r${lineage}`),
      lineages,
      bytes: lineages.length,
    }),
    preCommit: (transaction: string, records: number): SinkRequest => ({
      kind: 'sink-pre-commit',
      ...head(),
      transaction,
      records,
    }),
    commit: (transaction: string): SinkRequest => ({ kind: 'sink-commit', ...head(), transaction }),
    abort: (transaction: string): SinkRequest => ({ kind: 'sink-abort', ...head(), transaction }),
  };
}

/** Sends a request, waits a little, and says what was answered. */
export function outcomeOf(harness: ServiceHarness, request: SinkRequest): string | undefined {
  const [reply] = harness.ask(request, 1_000);
  return reply?.kind === 'sink-reply' ? reply.outcome : undefined;
}
