/**
 * One contract for every place checkpoints lie in (issue 4, section 3): the simulated object store, a folder of the disk, and an
 * S3-compatible server that answers on loopback are asked the same questions.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckpointFiles, StoredFile } from '../../../cli/checkpoint-files.ts';
import { LocalDirectory } from '../../../cli/local-directory.ts';
import { S3Bucket, s3BucketAt, s3Settings } from '../../../cli/s3-bucket.ts';
import { UsageError } from '../../../cli/usage-error.ts';
import type { StorageReply, StorageRequest } from '../../../engine/protocol/messages.ts';
import { constant } from '../../../sim/kernel/distribution.ts';
import { ObjectStoreDisk } from '../../../sim/services/object-store-disk.ts';
import { USUAL_STORAGE } from '../../../sim/services/storage-physics.ts';
import { StorageService } from '../../../sim/services/storage-service.ts';
import { BUCKET, type S3Server, startS3Server } from '../../support/s3-server.ts';
import { ServiceHarness } from '../sim/services/service-harness.ts';

let folder = '';
let server: S3Server | undefined;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-files-'));
  server = await startS3Server(join(folder, 's3'));
});
afterAll(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The simulated store, asked over its messages as the engine does. */
class SimulatedFiles implements CheckpointFiles {
  readonly place = 'the simulated store';
  readonly #harness = new ServiceHarness();
  #requests = 0;

  constructor() {
    const site = (name: string): ReturnType<ServiceHarness['choices']['site']> => this.#harness.choices.site(name);
    const latency = { putBase: constant(1_000), putUsPerMiB: 1, get: constant(500), deleteUs: 200, listUs: 300 };
    const { conditions } = this.#harness;
    const disk = new ObjectStoreDisk({ ...USUAL_STORAGE, latency, delaySite: site('list-delay') });
    const sites = { latencySite: site('latency'), conditionSite: site('condition') };
    this.#harness.start(new StorageService({ disk, conditions, ...sites, isRestart: false }));
  }

  async exists(): Promise<boolean> {
    return true;
  }

  async list(prefix: string): Promise<readonly StoredFile[]> {
    const { paths = [] } = this.#ask((requestId) => ({ kind: 'storage-list', requestId, prefix }));
    return await Promise.all(paths.map(async (path) => ({ path, bytes: (await this.size(path)) ?? -1 })));
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    return this.#ask((requestId) => ({ kind: 'storage-get', requestId, path })).bytes;
  }

  async size(path: string): Promise<number | undefined> {
    return (await this.read(path))?.length;
  }

  async put(path: string, bytes: Uint8Array): Promise<'stored' | 'already-exists'> {
    const put = (requestId: number): StorageRequest => ({
      kind: 'storage-put',
      requestId,
      path,
      bytes,
      overwrite: false,
    });
    return this.#ask(put).outcome === 'done' ? 'stored' : 'already-exists';
  }

  async delete(path: string): Promise<void> {
    this.#ask((requestId) => ({ kind: 'storage-delete', requestId, paths: [path] }));
  }

  #ask(request: (requestId: number) => StorageRequest): StorageReply {
    this.#requests += 1;
    const [reply] = this.#harness.ask(request(this.#requests));
    if (reply?.kind !== 'storage-reply') throw new Error('the store does not answer');
    return reply;
  }
}

const s3 = (prefix: string): CheckpointFiles => s3BucketAt(`s3://${BUCKET}/${prefix}`, server?.settings ?? {});
const bytes = (...content: number[]): Uint8Array => Uint8Array.from(content);

describe.each<[string, (prefix: string) => CheckpointFiles]>([
  ['the simulated object store', () => new SimulatedFiles()],
  ['a local directory', (prefix) => new LocalDirectory(join(folder, 'local', prefix))],
  ['an S3 bucket', s3],
])('checkpoint files in %s', (_, open) => {
  it('what was put is read, sized and listed at once, whole', async () => {
    const files = open('put');
    const large = new Uint8Array(300_000).fill(7);
    expect(await files.list('')).toEqual([]);
    expect(await files.put('job/chk-1/_metadata', bytes(0, 255, 10, 13))).toBe('stored');
    expect(await files.put('job/chk-1/count-0.keyed', large)).toBe('stored');
    expect(await files.read('job/chk-1/_metadata')).toEqual(bytes(0, 255, 10, 13));
    expect(await files.size('job/chk-1/count-0.keyed')).toBe(300_000);
    expect(await files.read('job/chk-1/count-0.keyed')).toEqual(large);
    expect(await files.list('')).toEqual([
      { path: 'job/chk-1/_metadata', bytes: 4 },
      { path: 'job/chk-1/count-0.keyed', bytes: 300_000 },
    ]);
  });

  it('a put never replaces a file', async () => {
    const files = open('twice');
    expect(await files.put('a', bytes(1))).toBe('stored');
    expect(await files.put('a', bytes(2, 2))).toBe('already-exists');
    expect(await files.read('a')).toEqual(bytes(1));
  });

  it('a list has what begins with the prefix, by path', async () => {
    const files = open('list');
    for (const path of ['job/chk-2/b', 'job/chk-10/a', 'job/chk-1/c', 'other/d']) await files.put(path, bytes(1));
    const paths = async (prefix: string): Promise<string[]> => (await files.list(prefix)).map(({ path }) => path);
    expect(await paths('job/chk-1')).toEqual(['job/chk-1/c', 'job/chk-10/a']);
    expect(await paths('job/chk-1/')).toEqual(['job/chk-1/c']);
    expect(await paths('')).toEqual(['job/chk-1/c', 'job/chk-10/a', 'job/chk-2/b', 'other/d']);
    expect(await paths('nothing')).toEqual([]);
  });

  it('what is not there is answered, not thrown; a delete is visible at once and may be repeated', async () => {
    const files = open('delete');
    expect(await files.read('a')).toBeUndefined();
    expect(await files.size('a')).toBeUndefined();
    await files.delete('a');
    await files.put('a', bytes(1));
    await files.delete('a');
    await files.delete('a');
    expect(await files.read('a')).toBeUndefined();
    expect(await files.list('')).toEqual([]);
    expect(await files.put('a', bytes(2))).toBe('stored');
  });

  it('an empty file is a file, and names may hold what URLs and XML reserve', async () => {
    const files = open('names');
    await files.put("dir/a b+c&d<e>'%.f", bytes());
    expect(await files.read("dir/a b+c&d<e>'%.f")).toEqual(bytes());
    expect(await files.list('')).toEqual([{ path: "dir/a b+c&d<e>'%.f", bytes: 0 }]);
  });
});

describe('checkpoint files', () => {
  it.each(['../x', 'a/../../x', '/etc/passwd', 'a//b', './a'])(
    'nobody reaches outside of a place by %j',
    async (path) => {
      await expect(new LocalDirectory(folder).read(path)).rejects.toThrow(UsageError);
      await expect(s3('x').put(path, bytes(1))).rejects.toThrow(UsageError);
    },
  );

  it('a file that a local put has not finished is not listed', async () => {
    const files = new LocalDirectory(join(folder, 'half'));
    await files.put('a', bytes(1));
    writeFileSync(join(folder, 'half', 'b.part'), 'half');
    expect((await files.list('')).map(({ path }) => path)).toEqual(['a']);
  });

  it('a list of many pages has all of them', async () => {
    const settings = server?.settings ?? {};
    const files = new S3Bucket({ place: 's3', bucket: BUCKET, prefix: 'pages', settings, pageKeys: 2 });
    for (const path of ['a', 'b', 'c', 'd', 'e']) await files.put(path, bytes(1));
    expect((await files.list('')).map(({ path }) => path)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('S3 that refuses, is not there, or lacks credentials is a sentence', async () => {
    const settings = server?.settings ?? {};
    const stranger = s3BucketAt(`s3://${BUCKET}`, { ...settings, accessKeyId: 'NOBODY' });
    await expect(stranger.list('')).rejects.toThrow(/s3:\/\/checkpoints refuses GET: 403 .*Access Key Id/);
    expect(await s3BucketAt('s3://no-such-bucket', settings).exists()).toBe(false);
    const nobody = s3BucketAt(`s3://${BUCKET}`, { ...settings, endpoint: 'http://127.0.0.1:9' });
    await expect(nobody.list('')).rejects.toThrow(/cannot be reached at http:\/\/127\.0\.0\.1:9/);
    expect(() => s3BucketAt(`s3://${BUCKET}`, { endpoint: 'http://x' })).toThrow(/set AWS_ACCESS_KEY_ID/);
    expect(() => s3BucketAt('s3://', settings)).toThrow(/expected s3:\/\/<bucket>/);
    expect(() => s3BucketAt(`s3://${BUCKET}`, { ...settings, endpoint: 'localhost' })).toThrow(/no address/);
  });

  it('options go before the AWS variables', () => {
    const variables: Record<string, string> = {
      AWS_ENDPOINT_URL: 'http://a',
      AWS_REGION: 'r',
      AWS_ACCESS_KEY_ID: 'k',
      AWS_SECRET_ACCESS_KEY: 's',
      AWS_SESSION_TOKEN: 't',
    };
    const from = (options: { endpoint?: string }): unknown => s3Settings(options, (name) => variables[name]);
    const rest = { region: 'r', accessKeyId: 'k', secretAccessKey: 's', sessionToken: 't' };
    expect(from({})).toEqual({ endpoint: 'http://a', ...rest });
    expect(from({ endpoint: 'http://b' })).toEqual({ endpoint: 'http://b', ...rest });
  });
});
