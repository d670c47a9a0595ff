/**
 * Checkpoint files in a bucket of an S3-compatible store. The only file that touches the network (decision 0081).
 *
 * Owns the requests: GET, HEAD, PUT, DELETE of an object, and ListObjects in its first version, which every compatible store knows. Signing and repeating are aws4fetch's. Contract:
 * checkpoint-files.ts.
 *
 * I1: a put carries `If-None-Match: *`, so that a store that knows it never replaces an object; for others a HEAD before it does so unless two
 *     write at once;
 * I2: what the store refuses, and a store that cannot be reached, is a UsageError with its own words.
 */
import { AwsClient } from 'aws4fetch';
import { type CheckpointFiles, checkedPath, type StoredFile } from './checkpoint-files.ts';
import { UsageError } from './usage-error.ts';

/** What the options and the AWS_* variables say. */
export interface S3Settings {
  /** Undefined: Amazon's, of the region. */
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  readonly sessionToken?: string | undefined;
}

const DEFAULT_REGION = 'us-east-1';
/** Of a request that was throttled or failed inside the store; aws4fetch waits longer each time. */
const RETRIES = 4;
const PAGE_KEYS = 1_000;
const NOT_FOUND = 404;
/** Of a put whose name is taken. */
const PRECONDITION_FAILED = 412;

export const isS3Place = (place: string): boolean => place.startsWith('s3://');

/** Options go before variables. */
export function s3Settings(
  options: { readonly endpoint?: string | undefined; readonly region?: string | undefined },
  variable: (name: string) => string | undefined,
): S3Settings {
  return {
    endpoint: options.endpoint ?? variable('AWS_ENDPOINT_URL_S3') ?? variable('AWS_ENDPOINT_URL'),
    region: options.region ?? variable('AWS_REGION') ?? variable('AWS_DEFAULT_REGION'),
    accessKeyId: variable('AWS_ACCESS_KEY_ID'),
    secretAccessKey: variable('AWS_SECRET_ACCESS_KEY'),
    sessionToken: variable('AWS_SESSION_TOKEN'),
  };
}

export function s3BucketAt(place: string, settings: S3Settings): S3Bucket {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]*)(?:\/(.*))?$/.exec(place);
  if (match?.[1] === undefined) throw new UsageError(`'${place}': expected s3://<bucket> or s3://<bucket>/<prefix>.`);
  return new S3Bucket({ place, bucket: match[1], prefix: (match[2] ?? '').replace(/\/+$/, ''), settings });
}

interface S3BucketOptions {
  readonly place: string;
  readonly bucket: string;
  /** Without a slash at its end; empty: the whole bucket. */
  readonly prefix: string;
  readonly settings: S3Settings;
  /** Keys per answer to a list; stores give at most 1,000. */
  readonly pageKeys?: number;
}

export class S3Bucket implements CheckpointFiles {
  readonly place: string;
  readonly #client: AwsClient;
  readonly #url: string;
  /** With its slash; empty: none. */
  readonly #root: string;
  readonly #pageKeys: number;

  constructor({ place, bucket, prefix, settings, pageKeys = PAGE_KEYS }: S3BucketOptions) {
    this.#pageKeys = pageKeys;
    const { accessKeyId, secretAccessKey, sessionToken, endpoint, region = DEFAULT_REGION } = settings;
    if (accessKeyId === undefined || secretAccessKey === undefined)
      throw new UsageError(`${place} needs credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`);
    this.place = place;
    this.#root = prefix === '' ? '' : `${prefix}/`;
    this.#url =
      endpoint === undefined
        ? `https://${bucket}.s3.${region}.amazonaws.com/`
        : `${checkedEndpoint(endpoint).replace(/\/+$/, '')}/${bucket}/`;
    this.#client = new AwsClient({
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      service: 's3',
      region,
      retries: RETRIES,
    });
  }

  async exists(): Promise<boolean> {
    return (await this.#ask('HEAD', this.#url)).status !== NOT_FOUND;
  }

  async list(prefix: string): Promise<readonly StoredFile[]> {
    const files: StoredFile[] = [];
    const query = new URLSearchParams({ 'max-keys': String(this.#pageKeys), prefix: `${this.#root}${prefix}` });
    for (;;) {
      const answer = await this.#ask('GET', `${this.#url}?${query.toString()}`);
      if (answer.status === NOT_FOUND) return [];
      const page = listedIn(await answer.text());
      for (const { path, bytes } of page.files) files.push({ path: path.slice(this.#root.length), bytes });
      const last = page.files.at(-1);
      if (!page.isTruncated || last === undefined) break;
      query.set('marker', last.path);
    }
    /* Keys are unique: it never ties. */
    return files.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    const answer = await this.#ask('GET', this.#object(path));
    return answer.status === NOT_FOUND ? undefined : new Uint8Array(await answer.arrayBuffer());
  }

  async size(path: string): Promise<number | undefined> {
    const answer = await this.#ask('HEAD', this.#object(path));
    return answer.status === NOT_FOUND ? undefined : Number(answer.headers.get('content-length'));
  }

  async put(path: string, bytes: Uint8Array): Promise<'stored' | 'already-exists'> {
    if ((await this.size(path)) !== undefined) return 'already-exists';
    const answer = await this.#ask('PUT', this.#object(path), bytes);
    return answer.status === PRECONDITION_FAILED ? 'already-exists' : 'stored';
  }

  async delete(path: string): Promise<void> {
    await this.#ask('DELETE', this.#object(path));
  }

  #object(path: string): string {
    return this.#url + `${this.#root}${checkedPath(path)}`.split('/').map(encodeURIComponent).join('/');
  }

  /** Answers what has been asked for, "there is none" or "there is one already"; anything else is refused. */
  async #ask(method: 'GET' | 'HEAD' | 'PUT' | 'DELETE', url: string, body?: Uint8Array): Promise<Response> {
    const init = body === undefined ? { method } : { method, body, headers: { 'if-none-match': '*' } };
    let answer: Response;
    try {
      answer = await this.#client.fetch(url, init);
    } catch (error) {
      throw new UsageError(`${this.place} cannot be reached at ${new URL(url).origin}: ${reasonOf(error)}.`);
    }
    if (answer.ok || answer.status === NOT_FOUND || answer.status === PRECONDITION_FAILED) return answer;
    const said = textOf(await answer.text(), 'Message') ?? answer.statusText;
    throw new UsageError(`${this.place} refuses ${method}: ${answer.status} ${said}`.trim());
  }
}

function checkedEndpoint(endpoint: string): string {
  if (/^https?:\/\/[^/]+/.test(endpoint)) return endpoint;
  throw new UsageError(`The endpoint '${endpoint}' is no address: expected http://host:port or https://host.`);
}

/** One page of a listing, whose elements are flat and closed. */
function listedIn(xml: string): { readonly files: readonly StoredFile[]; readonly isTruncated: boolean } {
  const files = [...xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)].map(([, item = '']) => ({
    path: textOf(item, 'Key') ?? '',
    bytes: Number(textOf(item, 'Size') ?? 0),
  }));
  return { files, isTruncated: textOf(xml, 'IsTruncated') === 'true' };
}

function textOf(xml: string, element: string): string | undefined {
  const text = new RegExp(`<${element}>(.*?)</${element}>`, 's').exec(xml)?.[1];
  return text?.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (_, hex?: string, decimal?: string, name = '') => {
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return Number.isNaN(code) ? (ENTITIES[name] ?? '') : String.fromCodePoint(code);
  });
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

/** `fetch` says only that it failed; why stands in the cause. */
function reasonOf(error: unknown): string {
  const { cause } = error instanceof Error ? error : { cause: undefined };
  if (cause instanceof Error) return cause.message === '' ? String((cause as { code?: unknown }).code) : cause.message;
  return error instanceof Error ? error.message : String(error);
}
