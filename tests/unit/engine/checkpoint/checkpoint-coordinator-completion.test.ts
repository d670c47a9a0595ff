/** From the last acknowledgement to the notification: nothing is skipped, whatever reply is lost. */
import { describe, expect, it } from 'vitest';
import { leaderEpoch } from '../../../../engine/foundation/ids.ts';
import { encodePointer } from '../../../../engine/protocol/checkpoint-pointer.ts';
import type { CoordinationRequest, StorageReply } from '../../../../engine/protocol/messages.ts';
import { decodeMetadata } from '../../../../engine/protocol/metadata-file.ts';
import { CoordinatorBench, INTERVAL_US, metadataPath, POINTER } from '../../../support/coordinator-bench.ts';
import { EPOCH, id, REQUEST_TIMEOUT_US, RETRY_US } from '../../../support/engine-values.ts';

const acknowledged = (): CoordinatorBench => new CoordinatorBench().trigger().acknowledgeAll(1);
/** Everything acknowledged, metadata durable, pointer write under way. */
const storingPointer = (): CoordinatorBench => acknowledged().answer('storage-put');
const pointerOf = (n: number, epoch = EPOCH): string =>
  encodePointer({ epoch, completed: [{ id: id(n), metadata: metadataPath(n) }] });

describe('checkpoint coordinator: completion', () => {
  it('C12, G1: metadata, then pointer, then the notification of all tasks', () => {
    const bench = acknowledged();
    expect(bench.out.last('storage-put').path).toBe(metadataPath(1));
    expect(bench.coordination.valueOf(POINTER)).not.toBe(pointerOf(1));
    bench.answer('storage-put');
    expect(bench.out.last('coordination-compare-and-set').value).toBe(pointerOf(1));
    expect(bench.sentTo(2)).toEqual([]);
    bench.answer('coordination-compare-and-set');
    expect(bench.sentTo(1)).toEqual(['trigger-checkpoint', 'notify-checkpoint-complete']);
    expect(bench.sentTo(2)).toEqual(['notify-checkpoint-complete']);
    expect(bench.completedIds()).toEqual([1]);
    expect(bench.newestId).toBe(1);
  });

  it('C30: whoever waits for the end of a checkpoint hears of each, completed or not', () => {
    const bench = acknowledged();
    expect(bench.ended).toEqual([]);
    bench.answer();
    expect(bench.ended).toEqual([true]);
    bench.wait(INTERVAL_US).answer();
    bench.decline(2, 2, 'checkpoint-declined');
    expect(bench.ended).toEqual([true, false]);
  });

  it('C12: the history tells the steps in this order', () => {
    const bench = acknowledged().answer();
    const steps = bench.out.events.map((event) => event.kind).filter((kind) => kind !== 'acknowledge-received');
    expect(steps).toEqual([
      'checkpoint-triggered',
      'all-acknowledged',
      'metadata-write-sent',
      'pointer-write-sent',
      'checkpoint-completed',
      'notify-complete-sent',
    ]);
  });

  it('C9: all but one acknowledgement do not complete it, nor does a doubled one', () => {
    const bench = new CoordinatorBench().trigger().acknowledge(1, 1).acknowledge(1, 1).answer();
    expect(bench.out.all('storage-put')).toEqual([]);
    expect(bench.out.reported('acknowledge-received').map((event) => event.result)).toEqual(['success', 'duplicate']);
  });

  it('T4: the metadata that was written says what was acknowledged', () => {
    const bench = acknowledged().answer();
    const bytes = bench.storage.objects.get(metadataPath(1));
    expect(decodeMetadata(bytes ?? new Uint8Array())).toMatchObject({
      checkpointId: 1,
      states: [{ vertex: 0 }, { vertex: 1 }],
    });
  });

  it('C16: the checkpoint before is subsumed, and its files go after the pointer was moved', () => {
    const bench = acknowledged().answer().wait(INTERVAL_US).answer().acknowledgeAll(2);
    bench.answer('storage-put');
    expect(bench.storage.paths()).toContain(metadataPath(1));
    expect(bench.out.all('storage-delete')).toEqual([]);
    bench.answer();
    expect(bench.coordination.valueOf(POINTER)).toBe(pointerOf(2));
    expect(bench.storage.paths()).toEqual([metadataPath(2)]);
    expect(bench.out.reported('checkpoint-subsumed').map((event) => event.checkpointId)).toEqual([1]);
  });
});

describe('checkpoint coordinator: metadata with unknown outcome', () => {
  it('T5: a reply that was lost is resolved by a second write that finds the first one', () => {
    const bench = acknowledged();
    bench.lose('storage-put');
    bench.wait(REQUEST_TIMEOUT_US + RETRY_US).answer();
    expect(bench.completedIds()).toEqual([1]);
  });

  it('T5: a write that failed is repeated', () => {
    const bench = acknowledged();
    const put = bench.take('storage-put') as { requestId: number } & object;
    bench.reply({ kind: 'storage-reply', requestId: put.requestId, outcome: 'failed' } satisfies StorageReply);
    bench.wait(RETRY_US).answer();
    expect(bench.completedIds()).toEqual([1]);
  });

  it('T2, T5: a foreign file under the name is not overwritten: the checkpoint fails, counted', () => {
    const bench = new CoordinatorBench({ tolerableFailures: 0 }).trigger();
    const foreign = new Uint8Array([1, 2, 3]);
    bench.storage.objects.set(metadataPath(1), foreign);
    bench.acknowledgeAll(1).answer('storage-put');
    expect(bench.aborted()).toEqual(['1 finalize-checkpoint-failure']);
    expect(bench.calls).toEqual(['too-many-failures']);
    expect(bench.storage.objects.get(metadataPath(1))).toBe(foreign);
  });

  it('C29: while metadata is not written the checkpoint can still expire, and a late reply changes nothing', () => {
    const bench = new CoordinatorBench({ timeoutUs: 300 }).trigger().acknowledgeAll(1);
    const put = bench.take('storage-put');
    bench.wait(300);
    expect(bench.aborted()).toEqual(['1 checkpoint-expired']);
    bench.reply(bench.storage.perform(put));
    bench.answer();
    expect(bench.completedIds()).toEqual([]);
    expect(bench.out.reported('pointer-write-sent')).toEqual([]);
  });

  it('C20: a stop while metadata is being written aborts the checkpoint', () => {
    const bench = acknowledged();
    const put = bench.take('storage-put');
    bench.stop();
    bench.reply(bench.storage.perform(put));
    expect(bench.aborted()).toEqual(['1 checkpoint-coordinator-suspend']);
    expect(bench.out.reported('pointer-write-sent')).toEqual([]);
  });
});

describe('checkpoint coordinator: pointer with unknown outcome', () => {
  it('F17: a reply that was lost is resolved by a retry that finds our own pointer', () => {
    const bench = storingPointer();
    bench.lose('coordination-compare-and-set');
    bench.wait(REQUEST_TIMEOUT_US);
    expect(bench.out.probes()).toEqual(['pointer-write-unknown']);
    expect(bench.completedIds()).toEqual([]);
    bench.wait(RETRY_US).answer();
    expect(bench.out.probes()).toEqual(['pointer-write-unknown', 'pointer-write-found-done']);
    expect(bench.completedIds()).toEqual([1]);
    expect(bench.store.version).toBe(2);
  });

  it('F17: a request that was lost is repeated and completes', () => {
    const bench = storingPointer();
    bench.lose('coordination-compare-and-set', { reach: false });
    bench.wait(REQUEST_TIMEOUT_US + RETRY_US).answer();
    expect(bench.completedIds()).toEqual([1]);
    expect(bench.coordination.valueOf(POINTER)).toBe(pointerOf(1));
  });

  it('F17: a store that says it did nothing is asked again', () => {
    const bench = storingPointer();
    const write = bench.take('coordination-compare-and-set') as CoordinationRequest;
    bench.reply(bench.coordination.refuse(write));
    bench.wait(RETRY_US).answer();
    expect(bench.completedIds()).toEqual([1]);
  });

  it('F17, C13: while it is unknown nothing is completed, aborted, expired or deleted', () => {
    const bench = storingPointer();
    for (let tries = 0; tries < 300; tries += 1) {
      bench.lose('coordination-compare-and-set', { reach: false });
      bench.wait(REQUEST_TIMEOUT_US + RETRY_US);
    }
    expect(bench.aborted()).toEqual([]);
    expect(bench.completedIds()).toEqual([]);
    expect(bench.out.all('storage-list')).toEqual([]);
    expect(bench.storage.paths()).toEqual([metadataPath(1)]);
  });

  it('F15, F17: a pointer moved by another leader means we are superseded; our files stay', () => {
    const bench = storingPointer();
    bench.coordination.put(POINTER, encodePointer({ epoch: leaderEpoch(2), completed: [] }));
    bench.answer();
    expect(bench.calls).toEqual(['superseded']);
    expect(bench.completedIds()).toEqual([]);
    expect(bench.aborted()).toEqual([]);
    expect(bench.storage.paths()).toEqual([metadataPath(1)]);
  });

  it('F17: another leader that names the same checkpoint under its own epoch supersedes as well', () => {
    const bench = storingPointer();
    bench.coordination.put(POINTER, pointerOf(1, leaderEpoch(2)));
    bench.answer();
    expect(bench.calls).toEqual(['superseded']);
  });

  it('C20, F17: a stop leaves a checkpoint that is storing its pointer alone; when known, the host hears of it', () => {
    const bench = storingPointer();
    bench.lose('coordination-compare-and-set');
    bench.stop();
    expect(bench.coordinator.isSettled).toBe(false);
    expect(bench.aborted()).toEqual([]);
    bench.wait(REQUEST_TIMEOUT_US + RETRY_US).answer();
    expect(bench.completedIds()).toEqual([1]);
    expect(bench.calls).toEqual(['settled']);
    expect(bench.coordinator.isSettled).toBe(true);
  });

  it('C20: the host is told that the pointer is settled while the job runs, too: a region may wait for it', () => {
    expect(acknowledged().answer().calls).toEqual(['settled']);
  });
});
