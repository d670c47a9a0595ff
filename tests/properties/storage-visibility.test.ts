/**
 * What a reader may see of each checkpoint storage after which operation, and after which loss of power (rows T5, T7, T8): random
 * operations of two writers against a small specification. The disks are asked as the service asks them.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { micros } from '../../engine/foundation/time.ts';
import type { StorageRequest } from '../../engine/protocol/messages.ts';
import type { FileOperation } from '../../engine/protocol/storage-messages.ts';
import { constant } from '../../sim/kernel/distribution.ts';
import { Choices } from '../../sim/kernel/choice.ts';
import { FileServerDisk } from '../../sim/services/file-server-disk.ts';
import { HdfsDisk } from '../../sim/services/hdfs-disk.ts';
import { ObjectStoreDisk } from '../../sim/services/object-store-disk.ts';
import type { StorageAnswer, StorageDisk } from '../../sim/services/storage-disk.ts';
import { FILE_SERVER, HDFS } from '../../sim/services/storage-latencies.ts';

const NEVER = 1_000_000_000;
const SOFT_LIMIT_US = 1_000_000;
const LIST_DELAY_US = 500;
const PATHS = ['d/a', 'd/b'] as const;
/** The first one does most of it: else hardly any file would get far. */
const WRITERS = ['w1', 'w1', 'w1', 'w1', 'w2'] as const;

class Asked {
  readonly disk: StorageDisk;
  nowUs = 0;
  #sequence = 0;

  constructor(disk: StorageDisk) {
    this.disk = disk;
  }

  ask(request: StorageRequest): StorageAnswer {
    return this.disk.perform(request, micros(this.nowUs), () => undefined);
  }

  file(path: string, writer: string, operation: FileOperation): StorageAnswer['outcome'] {
    this.#sequence += 1;
    return this.ask({ kind: 'storage-file', requestId: 0, path, writer, sequence: this.#sequence, operation }).outcome;
  }

  read(path: string): string | undefined {
    const { outcome, bytes } = this.ask({ kind: 'storage-get', requestId: 0, path });
    return outcome === 'done' ? String.fromCharCode(...(bytes ?? [])) : undefined;
  }

  list(): readonly string[] {
    return this.ask({ kind: 'storage-list', requestId: 0, prefix: 'd/' }).paths ?? [];
  }
}

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

/** All there is to know of a file: what was written, what of it readers may count on, what power cannot take, who writes it. */
interface Specified {
  written: string;
  seen: string;
  synced: string;
  writer: string;
  /** HDFS: its writer has to begin again. */
  isBroken: boolean;
}

type Step =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly writer: string;
      readonly what: 'create' | 'write' | 'flush' | 'sync' | 'close';
    }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string; readonly writer: string }
  | { readonly kind: 'delete'; readonly path: string }
  | { readonly kind: 'power-loss' };

const path = fc.constantFrom(...PATHS);
const writer = fc.constantFrom(...WRITERS);
const steps = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        kind: fc.constant('file' as const),
        path,
        writer,
        what: fc.constantFrom('create', 'create', 'write', 'write', 'write', 'flush', 'sync', 'close'),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('rename' as const), from: path, to: path, writer }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), path }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'power-loss' as const }) },
  ) as fc.Arbitrary<Step>,
  { minLength: 20, maxLength: 60 },
);

/** What power may leave: all, what was synced, more of it, or the length with zeros behind some place. */
function mayRemain(left: string, { written, synced }: Specified): boolean {
  if (!left.startsWith(synced) && synced !== '') return false;
  // What was synced may have zeros of an earlier loss.
  const zeros = left.indexOf('\0', synced.length);
  const kept = zeros < 0 ? left : left.slice(0, zeros);
  if (!written.startsWith(kept)) return false;
  return zeros < 0 || (left.length === written.length && /^\0+$/.test(left.slice(zeros)));
}

class FileModel {
  readonly files = new Map<string, Specified>();
  readonly asked: Asked;
  readonly isHdfs: boolean;
  readonly #site: ReturnType<Choices['site']>;
  lost = 0;

  constructor(isHdfs: boolean, seed: string) {
    this.isHdfs = isHdfs;
    this.#site = new Choices({ rootSeed: seed }).site('power-loss');
    this.asked = new Asked(
      isHdfs
        ? new HdfsDisk({ latency: HDFS, leaseSoftLimitUs: SOFT_LIMIT_US, leaseHardLimitUs: NEVER, safeModeUs: 0 })
        : new FileServerDisk({ latency: FILE_SERVER, writeBackUs: NEVER }),
    );
  }

  apply(step: Step): void {
    if (step.kind === 'file') this.#onFile(step);
    else if (step.kind === 'delete') {
      this.asked.ask({ kind: 'storage-delete', requestId: 0, paths: [step.path] });
      this.files.delete(step.path);
    } else if (step.kind === 'rename') {
      const file = this.files.get(step.from);
      const outcome = this.asked.file(step.from, step.writer, { kind: 'rename', to: step.to });
      const expected = file === undefined ? 'not-found' : this.files.has(step.to) ? 'already-exists' : 'done';
      expect(outcome).toBe(expected);
      if (expected !== 'done' || file === undefined) return;
      this.files.delete(step.from);
      this.files.set(step.to, file);
    } else this.#losePower();
  }

  check(): void {
    for (const name of PATHS) expect(this.asked.read(name), name).toBe(this.files.get(name)?.seen);
    expect(this.asked.list().filter((name) => !name.endsWith('/'))).toEqual([...this.files.keys()].sort());
  }

  #onFile({ path: name, writer: who, what }: Extract<Step, { kind: 'file' }>): void {
    const file = this.files.get(name);
    if (what === 'create') {
      const outcome = this.asked.file(name, who, { kind: 'create', overwrite: false });
      if (file !== undefined && file.writer !== who) {
        // On HDFS an open file is its writer's, a closed one is simply there; on a file server it is there in either case.
        expect(outcome).toBe(this.isHdfs && file.writer !== '' ? 'being-created' : 'already-exists');
        return;
      }
      expect(outcome).toBe('done');
      this.files.set(name, { written: '', seen: '', synced: '', writer: who, isBroken: false });
      return;
    }
    const operation: FileOperation =
      what === 'write' ? { kind: 'write', offset: file?.written.length ?? 0, bytes: bytesOf('xyz') } : { kind: what };
    const outcome = this.asked.file(name, who, operation);
    if (file === undefined || file.writer !== who) return void expect(outcome).toBe('lease-expired');
    if (file.isBroken) return void expect(outcome).toBe('failed');
    expect(outcome).toBe('done');
    if (what === 'write') file.written += 'xyz';
    if (what !== 'write' || !this.isHdfs) file.seen = file.written;
    if (what === 'sync') file.synced = file.written;
    if (what === 'close') file.writer = '';
  }

  #losePower(): void {
    this.asked.disk.losePower(micros(this.asked.nowUs), this.#site, () => {
      this.lost += 1;
    });
    for (const [name, file] of this.files) {
      // What is left is what the model goes on with, if it may be left.
      const left = this.asked.read(name) ?? 'gone';
      expect(mayRemain(left, file) || (file.synced === file.written && left === file.seen), `${name}: ${left}`).toBe(
        true,
      );
      if (file.synced === file.written) expect(left).toBe(file.seen);
      // A file server forgets who had what open; leases are the namenode's.
      const next = this.isHdfs ? file.writer : '';
      this.files.set(name, { written: left, seen: left, synced: left, writer: next, isBroken: next !== '' });
    }
  }
}

describe.each([
  ['file server', false],
  ['hdfs', true],
] as const)('%s', (_name, isHdfs) => {
  it('T5, T8: readers see what the rules say, and power takes only what was not synced', () => {
    let lost = 0;
    fc.assert(
      fc.property(steps, fc.string(), (all, seed) => {
        const model = new FileModel(isHdfs, seed);
        for (const step of all) {
          model.apply(step);
          model.check();
        }
        lost += model.lost;
      }),
      { numRuns: 300, seed: 36_421 },
    );
    expect(lost).toBeGreaterThan(50);
  });

  it('a change that comes twice is done once, one that was overtaken not at all', () => {
    const { asked } = new FileModel(isHdfs, 'once');
    const change = (sequence: number, operation: FileOperation): string =>
      asked.ask({ kind: 'storage-file', requestId: 0, path: 'd/a', writer: 'w1', sequence, operation }).outcome;
    const create: FileOperation = { kind: 'create', overwrite: false };
    const write: FileOperation = { kind: 'write', offset: 0, bytes: bytesOf('abc') };
    expect([change(1, create), change(2, write), change(2, write), change(4, { kind: 'close' })]).toEqual(
      Array(4).fill('done'),
    );
    expect(change(3, write)).toBe('stale');
    asked.ask({ kind: 'storage-delete', requestId: 0, paths: ['d/a'] });
    expect(change(1, create)).toBe('stale');
    expect(asked.read('d/a')).toBeUndefined();
  });

  it('T6: a directory that is not empty stays, and goes with all in it when asked to', () => {
    const { asked } = new FileModel(isHdfs, 'directories');
    asked.file('d/e/f', 'w1', { kind: 'create', overwrite: false });
    expect(asked.file('d', 'w1', { kind: 'remove-directory', recursive: false })).toBe('not-empty');
    asked.ask({ kind: 'storage-delete', requestId: 0, paths: ['d/e/f'] });
    expect(asked.list()).toEqual(['d/e/']);
    expect(asked.disk.leftovers()).toEqual(['d/e/']);
    expect(asked.file('d/e', 'w1', { kind: 'remove-directory', recursive: false })).toBe('done');
    expect(asked.file('d', 'w1', { kind: 'remove-directory', recursive: true })).toBe('done');
    expect(asked.disk.leftovers()).toEqual([]);
  });
});

describe('hdfs: leases', () => {
  const bench = (safeModeUs = 0): Asked =>
    new Asked(
      new HdfsDisk({ latency: HDFS, leaseSoftLimitUs: SOFT_LIMIT_US, leaseHardLimitUs: 5 * SOFT_LIMIT_US, safeModeUs }),
    );
  const open = (asked: Asked): void => {
    asked.file('d/a', 'w1', { kind: 'create', overwrite: false });
    asked.file('d/a', 'w1', { kind: 'write', offset: 0, bytes: bytesOf('abc') });
    asked.file('d/a', 'w1', { kind: 'flush' });
    asked.file('d/a', 'w1', { kind: 'write', offset: 3, bytes: bytesOf('def') });
  };

  it('T8: a dead writer keeps its file until the soft limit; then it is recovered, as readers saw it, before anybody has it', () => {
    const asked = bench();
    open(asked);
    expect(asked.file('d/a', 'w2', { kind: 'truncate', length: 1 })).toBe('being-created');
    asked.nowUs = SOFT_LIMIT_US;
    expect(asked.file('d/a', 'w2', { kind: 'truncate', length: 1 })).toBe('recovering');
    expect(asked.file('d/a', 'w1', { kind: 'write', offset: 6, bytes: bytesOf('g') })).toBe('lease-expired');
    asked.nowUs += SOFT_LIMIT_US;
    expect(asked.read('d/a')).toBe('abc');
    expect(asked.file('d/a', 'w2', { kind: 'truncate', length: 1 })).toBe('done');
    expect(asked.read('d/a')).toBe('a');
    expect(asked.file('d/a', 'w2', { kind: 'append' })).toBe('recovering');
    asked.nowUs += SOFT_LIMIT_US;
    expect(asked.file('d/a', 'w2', { kind: 'append' })).toBe('done');
    expect(asked.file('d/a', 'w2', { kind: 'write', offset: 1, bytes: bytesOf('z') })).toBe('done');
    expect(asked.file('d/a', 'w2', { kind: 'close' })).toBe('done');
    expect(asked.read('d/a')).toBe('az');
  });

  it('past the hard limit the namenode closes the file unasked; deleting an open file takes the lease with it', () => {
    const asked = bench();
    open(asked);
    asked.nowUs = 5 * SOFT_LIMIT_US;
    expect(asked.file('d/a', 'w2', { kind: 'create', overwrite: false })).toBe('already-exists');
    expect(asked.file('d/b', 'w1', { kind: 'create', overwrite: false })).toBe('done');
    asked.ask({ kind: 'storage-delete', requestId: 0, paths: ['d/b'] });
    expect(asked.file('d/b', 'w1', { kind: 'close' })).toBe('lease-expired');
  });

  it('in safe mode names and leases stay as they are, and who has a file open goes on writing', () => {
    const asked = bench(1_000);
    open(asked);
    asked.disk.restarted(micros(asked.nowUs));
    expect(asked.file('d/b', 'w2', { kind: 'create', overwrite: false })).toBe('safe-mode');
    expect(asked.ask({ kind: 'storage-delete', requestId: 0, paths: ['d/a'] }).outcome).toBe('safe-mode');
    expect(asked.file('d/a', 'w1', { kind: 'sync' })).toBe('done');
    expect(asked.read('d/a')).toBe('abcdef');
    asked.nowUs = 1_000;
    expect(asked.file('d/b', 'w2', { kind: 'create', overwrite: false })).toBe('done');
  });
});

describe('object store', () => {
  const latency = { putBase: constant(1), putUsPerMiB: 1, get: constant(1), deleteUs: 1, listUs: 1 };
  const bench = (seed: string, rates = { putsPerSecond: 3_500, getsPerSecond: 5_500 }): Asked =>
    new Asked(
      new ObjectStoreDisk({
        ...rates,
        latency,
        listDelayUs: LIST_DELAY_US,
        delaySite: new Choices({ rootSeed: seed }).site('list-delay'),
      }),
    );

  it('T7: an object is seen whole or not at all, an upload only when it is complete, lists are late by the delay at most', () => {
    const what = fc.oneof(
      fc.record({ kind: fc.constant('put' as const), path, text: fc.constantFrom('p', 'pp'), overwrite: fc.boolean() }),
      fc.record({ kind: fc.constant('delete' as const), path }),
      fc.record({ kind: fc.constant('begin' as const), path }),
      fc.record({ kind: fc.constant('part' as const), upload: fc.nat(4), part: fc.integer({ min: 1, max: 2 }) }),
      fc.record({ kind: fc.constant('complete' as const), upload: fc.nat(4) }),
      fc.record({ kind: fc.constant('abort' as const), upload: fc.nat(4) }),
      fc.record({ kind: fc.constant('wait' as const), us: fc.nat(LIST_DELAY_US) }),
    );
    fc.assert(
      fc.property(fc.array(what, { maxLength: 40 }), fc.string(), (all, seed) => {
        const asked = bench(seed);
        const objects = new Map<string, { text: string; atUs: number }>();
        const begun: { path: string; upload: string; parts: Set<number>; isOpen: boolean }[] = [];
        for (const step of all) {
          if (step.kind === 'wait') asked.nowUs += step.us;
          else if (step.kind === 'put') {
            const isTaken = objects.has(step.path) && !step.overwrite;
            const { path: name, overwrite } = step;
            const put = {
              kind: 'storage-put',
              requestId: 0,
              path: name,
              bytes: bytesOf(step.text),
              overwrite,
            } as const;
            const { outcome } = asked.ask(put);
            expect(outcome).toBe(isTaken ? 'already-exists' : 'done');
            if (!isTaken) objects.set(step.path, { text: step.text, atUs: asked.nowUs });
          } else if (step.kind === 'delete') {
            asked.ask({ kind: 'storage-delete', requestId: 0, paths: [step.path] });
            objects.delete(step.path);
          } else if (step.kind === 'begin') {
            const request = {
              kind: 'storage-upload',
              requestId: 0,
              path: step.path,
              operation: { kind: 'begin' },
            } as const;
            const { upload = '' } = asked.ask(request);
            begun.push({ path: step.path, upload, parts: new Set(), isOpen: true });
          } else {
            const one = begun[step.upload];
            if (one === undefined) continue;
            const of = { kind: 'storage-upload', requestId: 0, path: one.path } as const;
            const { upload } = one;
            if (step.kind === 'part') {
              const operation = { kind: 'part', upload, part: step.part, bytes: bytesOf('q') } as const;
              expect(asked.ask({ ...of, operation }).outcome).toBe(one.isOpen ? 'done' : 'not-found');
              if (one.isOpen) one.parts.add(step.part);
            } else if (step.kind === 'abort') {
              asked.ask({ ...of, operation: { kind: 'abort', upload } });
              one.isOpen = false;
            } else {
              const { outcome } = asked.ask({
                ...of,
                operation: { kind: 'complete', upload, parts: 2, overwrite: false },
              });
              const isWhole = one.isOpen && one.parts.size === 2;
              expect(outcome).toBe(!isWhole ? 'not-found' : objects.has(one.path) ? 'already-exists' : 'done');
              if (outcome === 'done') {
                one.isOpen = false;
                objects.set(one.path, { text: 'qq', atUs: asked.nowUs });
              }
            }
          }
          for (const name of PATHS) expect(asked.read(name)).toBe(objects.get(name)?.text);
          const listed = asked.list();
          for (const name of listed) expect(objects.has(name)).toBe(true);
          for (const [name, { atUs }] of objects)
            if (asked.nowUs >= atUs + LIST_DELAY_US) expect(listed).toContain(name);
          expect(asked.disk.leftovers()).toHaveLength(begun.filter(({ isOpen }) => isOpen).length);
        }
      }),
      { numRuns: 300, seed: 503 },
    );
  });

  it('a prefix takes its rate and a second of it at once, another prefix has its own (SlowDown)', () => {
    const { disk } = bench('rates', { putsPerSecond: 3, getsPerSecond: 2 });
    const put = (name: string, atUs: number): string | undefined =>
      disk.refuses(
        { kind: 'storage-put', requestId: 0, path: name, bytes: bytesOf('x'), overwrite: true },
        micros(atUs),
      );
    expect([1, 2, 3, 4].map(() => put('a/x', 0))).toEqual([undefined, undefined, undefined, 'slow-down']);
    expect(put('b/x', 0)).toBeUndefined();
    expect(put('a/x', 333_333)).toBe('slow-down');
    expect(put('a/x', 333_334)).toBeUndefined();
    expect(disk.refuses({ kind: 'storage-get', requestId: 0, path: 'a/x' }, micros(0))).toBeUndefined();
  });
});
