/**
 * What a loss of power takes of output files (row K12): never a record that was synced; of the others, all, some or none. What is told of a
 * finished file, when it gets its name and when records of it vanish, is what readers find.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../engine/foundation/byte-writer.ts';
import { micros } from '../../engine/foundation/time.ts';
import type { StorageRequest } from '../../engine/protocol/messages.ts';
import {
  partPath,
  type PartName,
  readOutputRecords,
  temporaryPartPath,
  writeOutputRecord,
} from '../../engine/protocol/output-file.ts';
import type { FileOperation } from '../../engine/protocol/storage-messages.ts';
import { Choices } from '../../sim/kernel/choice.ts';
import { constant } from '../../sim/kernel/distribution.ts';
import type { WorldEvent } from '../../sim/history/history-event.ts';
import { HdfsDisk } from '../../sim/services/hdfs-disk.ts';
import { ObjectStoreDisk } from '../../sim/services/object-store-disk.ts';
import { OutputDisk } from '../../sim/services/output-disk.ts';
import { HDFS } from '../../sim/services/storage-latencies.ts';
import { USUAL_STORAGE } from '../../sim/services/storage-physics.ts';
import { wholeRecords } from '../../sim/services/whole-records.ts';

const NOW = micros(0);
const nameOf = (number: number): PartName => ({
  root: 'output/sink',
  bucket: 'b',
  subtask: 0,
  attempt: 1,
  number,
  checkpoint: 1,
});

function bytesOf(lineages: readonly number[]): Uint8Array {
  const writer = new ByteWriter();
  for (const one of lineages) writeOutputRecord(writer, { text: 'x'.repeat(one % 200) }, one);
  return writer.toBytes();
}

const lineagesIn = (bytes: Uint8Array): readonly number[] => readOutputRecords(wholeRecords(bytes)).lineages;

/** What an output file goes through before power is lost. */
interface Course {
  /** Records in each write. */
  readonly writes: readonly number[];
  /** So many of the writes are synced. */
  readonly synced: number;
  readonly ends: 'open' | 'closed' | 'finished';
}

const course = fc.record<Course>({
  writes: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }),
  synced: fc.nat(5),
  ends: fc.constantFrom('open', 'closed', 'finished'),
});

class Bench {
  readonly told: WorldEvent[] = [];
  readonly disk = new OutputDisk(new HdfsDisk({ ...USUAL_STORAGE, latency: HDFS }));
  readonly #sequences = new Map<string, number>();

  change(path: string, operation: FileOperation): void {
    const sequence = (this.#sequences.get(path) ?? 0) + 1;
    this.#sequences.set(path, sequence);
    const request: StorageRequest = { kind: 'storage-file', requestId: 0, path, writer: 'w', sequence, operation };
    expect(this.disk.perform(request, NOW, (event) => this.told.push(event)).outcome).toBe('done');
  }

  /** Lineages of the file, and how many of them were synced. */
  write(
    number: number,
    { writes, synced, ends }: Course,
  ): { readonly lineages: readonly number[]; readonly safe: number } {
    const name = nameOf(number);
    const path = temporaryPartPath(name);
    this.change(path, { kind: 'create', overwrite: false });
    const lineages: number[] = [];
    let [offset, safe] = [0, 0];
    writes.forEach((records, index) => {
      const more = Array.from({ length: records }, (_, place) => number * 100 + lineages.length + place);
      const bytes = bytesOf(more);
      this.change(path, { kind: 'write', offset, bytes });
      offset += bytes.length;
      lineages.push(...more);
      if (index + 1 !== synced) return;
      this.change(path, { kind: 'sync' });
      safe = lineages.length;
    });
    if (ends !== 'open') this.change(path, { kind: 'close' });
    if (ends === 'finished') this.change(path, { kind: 'rename', to: partPath(name) });
    return { lineages, safe };
  }

  /** What readers were told they have of a file, and have still. */
  visible(number: number): readonly number[] {
    const transaction = partPath(nameOf(number));
    const gone = new Set<number>();
    let seen: readonly number[] = [];
    for (const event of this.told) {
      if (event.kind === 'transaction-committed' && event.transaction === transaction) seen = event.lineages;
      if (event.kind === 'output-vanished' && event.transaction === transaction)
        for (const one of event.lineages) gone.add(one);
    }
    return seen.filter((one) => !gone.has(one));
  }
}

describe('output files on HDFS', () => {
  it('K12: power takes nothing that was synced, and of the rest all, some or none; readers are told what they have', () => {
    const met = { all: 0, some: 0, none: 0, vanished: 0, committedLess: 0 };
    fc.assert(
      fc.property(fc.array(course, { minLength: 1, maxLength: 4 }), fc.string(), (courses, seed) => {
        const bench = new Bench();
        const files = courses.map((one, number) => ({ ...one, ...bench.write(number, one) }));
        const site = new Choices({ rootSeed: seed }).site('power-loss');
        const isAtStake = bench.disk.losePower(NOW, site, (event) => bench.told.push(event));
        expect(isAtStake).toBe(files.some(({ lineages, safe, ends }) => safe < lineages.length || ends === 'open'));
        files.forEach(({ lineages, safe, ends }, number) => {
          const name = nameOf(number);
          const path = ends === 'finished' ? partPath(name) : temporaryPartPath(name);
          const left = lineagesIn(bench.disk.object(path) ?? new Uint8Array(0));
          expect(left).toEqual(lineages.slice(0, left.length));
          expect(left.length).toBeGreaterThanOrEqual(safe);
          if (safe < lineages.length) {
            if (left.length === lineages.length) met.none += 1;
            else if (left.length === safe) met.all += 1;
            else met.some += 1;
          }
          if (ends === 'finished' && left.length < lineages.length) met.vanished += 1;
          if (ends === 'closed') {
            bench.change(path, { kind: 'rename', to: partPath(name) });
            if (left.length < lineages.length) met.committedLess += 1;
          }
          expect(bench.visible(number)).toEqual(ends === 'open' ? [] : left);
        });
      }),
      { numRuns: 300, seed: 35_217 },
    );
    for (const [what, times] of Object.entries(met)) expect(times, what).toBeGreaterThan(20);
  });

  it('what is left may be lost by no second loss of power', () => {
    const bench = new Bench();
    const unsynced: Course = { writes: [3, 3], synced: 0, ends: 'finished' };
    for (let number = 0; number < 20; number += 1) bench.write(number, unsynced);
    const site = new Choices({ rootSeed: 'twice' }).site('power-loss');
    bench.disk.losePower(NOW, site, (event) => bench.told.push(event));
    const told = bench.told.length;
    expect(bench.disk.losePower(NOW, site, (event) => bench.told.push(event))).toBe(false);
    expect(bench.told).toHaveLength(told);
  });
});

describe('output files on an object store', () => {
  it('K12: parts that were answered and objects that were completed are all there', () => {
    const latency = { putBase: constant(1), putUsPerMiB: 1, get: constant(1), deleteUs: 1, listUs: 1 };
    const choices = new Choices({ rootSeed: 'objects' });
    const delaySite = choices.site('delay');
    const disk = new OutputDisk(new ObjectStoreDisk({ ...USUAL_STORAGE, latency, delaySite }));
    const told: WorldEvent[] = [];
    const path = partPath(nameOf(1));
    const ask = (operation: Extract<StorageRequest, { kind: 'storage-upload' }>['operation']) =>
      disk.perform({ kind: 'storage-upload', requestId: 0, path, operation }, NOW, (event) => told.push(event));
    const lose = (): boolean => disk.losePower(NOW, choices.site('power-loss'), (event) => told.push(event));
    const { upload = '' } = ask({ kind: 'begin' });
    ask({ kind: 'part', upload, part: 1, bytes: bytesOf([1, 2, 3]) });
    expect(lose()).toBe(false);
    expect(ask({ kind: 'complete', upload, parts: 1, overwrite: false }).outcome).toBe('done');
    expect(lose()).toBe(false);
    expect(lineagesIn(disk.object(path) ?? new Uint8Array(0))).toEqual([1, 2, 3]);
    expect(told.filter(({ kind }) => kind === 'output-vanished' || kind === 'writes-lost')).toEqual([]);
  });
});

describe('whole records', () => {
  it('wherever a file is cut, or zeros begin in it: the records before that place, and no other', () => {
    const lineages = [130, 1, 199, 0, 64, 127, 128];
    const bytes = bytesOf(lineages);
    const ends = lineages.map((_, index) => bytesOf(lineages.slice(0, index + 1)).length);
    for (let at = 0; at <= bytes.length; at += 1) {
      const whole = ends.filter((end) => end <= at).length;
      const torn = bytes.slice();
      torn.fill(0, at);
      expect(lineagesIn(bytes.subarray(0, at))).toEqual(lineages.slice(0, whole));
      expect(lineagesIn(torn)).toEqual(lineages.slice(0, whole));
    }
  });
});
