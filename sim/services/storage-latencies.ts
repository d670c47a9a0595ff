/**
 * How long requests to a checkpoint storage take: object stores by name, a file server, HDFS.
 *
 * Owns: the figures and where they come from. Object stores: published medians and spreads (lognormal, with a floor; a put takes its
 * base and a time per MiB), of the fits of the endive project, February 2026, as the reference collection quotes them. The others are
 * orders of magnitude of a file server with disks in the same building.
 */
import type { StorageRequest } from '../../engine/protocol/messages.ts';
import type { ChoiceSite } from '../kernel/choice.ts';
import { type Distribution, lognormal, sampleUs } from '../kernel/distribution.ts';
import type { StorageFlavour } from './storage-physics.ts';

const BYTES_PER_MIB = 1_048_576;

/** A delete and a list are metadata requests, about as fast as the median get. */
const OF_GET = (us: number) => ({ deleteUs: us, listUs: us });

/** Get: median, sigma, floor. Put: base, sigma, and per MiB. */
export const OBJECT_STORES: Readonly<Record<Exclude<StorageFlavour, 'profile'>, ObjectStoreLatency>> = {
  's3-standard': {
    get: lognormal({ medianUs: 27_000, sigma: '0.62', floorUs: 10_000 }),
    putBase: lognormal({ medianUs: 60_000, sigma: '0.29' }),
    putUsPerMiB: 20_000,
    ...OF_GET(27_000),
  },
  's3-express': {
    get: lognormal({ medianUs: 2_500, sigma: '0.57', floorUs: 1_000 }),
    putBase: lognormal({ medianUs: 6_500, sigma: '0.24' }),
    putUsPerMiB: 10_000,
    ...OF_GET(2_500),
  },
  'azure-premium': {
    get: lognormal({ medianUs: 35_000, sigma: '0.08' }),
    putBase: lognormal({ medianUs: 41_000, sigma: '0.1' }),
    putUsPerMiB: 15_000,
    ...OF_GET(35_000),
  },
  'azure-standard': {
    get: lognormal({ medianUs: 38_000, sigma: '0.66' }),
    putBase: lognormal({ medianUs: 45_000, sigma: '0.5' }),
    putUsPerMiB: 25_000,
    ...OF_GET(38_000),
  },
  gcs: {
    get: lognormal({ medianUs: 200_000, sigma: '0.3', floorUs: 80_000 }),
    putBase: lognormal({ medianUs: 200_000, sigma: '0.3' }),
    putUsPerMiB: 17_000,
    ...OF_GET(200_000),
  },
};

export interface ObjectStoreLatency {
  /** Base latency of a put, in microseconds. */
  readonly putBase: Distribution;
  /** Transfer time added for each MiB put; counted per byte. */
  readonly putUsPerMiB: number;
  readonly get: Distribution;
  readonly deleteUs: number;
  readonly listUs: number;
}

export interface FileLatency {
  /** A change of names, a lease, a list: without any bytes. */
  readonly operation: Distribution;
  /** A write to memory of the server or the datanodes, without its bytes. */
  readonly write: Distribution;
  readonly sync: Distribution;
  readonly read: Distribution;
  /** Added per MiB written. */
  readonly usPerMiB: number;
}

/** One switch away: a few hundred microseconds, an fsync on disks behind a controller without battery. */
export const FILE_SERVER: FileLatency = {
  operation: lognormal({ medianUs: 500, sigma: '0.3', floorUs: 150 }),
  write: lognormal({ medianUs: 300, sigma: '0.3', floorUs: 100 }),
  sync: lognormal({ medianUs: 5_000, sigma: '0.6', floorUs: 500 }),
  read: lognormal({ medianUs: 700, sigma: '0.6', floorUs: 150 }),
  usPerMiB: 9_000,
};

/** A namenode that writes its edit log to a quorum, three datanodes in a pipeline. */
export const HDFS: FileLatency = {
  operation: lognormal({ medianUs: 2_000, sigma: '0.6', floorUs: 500 }),
  write: lognormal({ medianUs: 1_000, sigma: '0.3', floorUs: 300 }),
  sync: lognormal({ medianUs: 10_000, sigma: '0.6', floorUs: 2_000 }),
  read: lognormal({ medianUs: 3_000, sigma: '0.6', floorUs: 800 }),
  usPerMiB: 12_000,
};

export function fileLatencyUs(request: StorageRequest, latency: FileLatency, site: ChoiceSite): number {
  if (request.kind === 'storage-get') return sampleUs(latency.read, site);
  if (request.kind !== 'storage-file') return sampleUs(latency.operation, site);
  const { operation } = request;
  if (operation.kind === 'sync') return sampleUs(latency.sync, site);
  if (operation.kind !== 'write') return sampleUs(latency.operation, site);
  return sampleUs(latency.write, site) + transferUs(operation.bytes.length, latency.usPerMiB);
}

export const transferUs = (bytes: number, usPerMiB: number): number => Math.floor((bytes * usPerMiB) / BYTES_PER_MIB);
