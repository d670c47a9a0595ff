/**
 * Named hardware: what a unit of work costs and how slow the world between the machines is.
 *
 * Owns: the figures and the reason for each. Does not own: who is charged when (actors say `busy`, services sample).
 * Figures are orders of magnitude for comparing designs, not a promise about any product. Object store figures are
 * published medians of S3 Standard and S3 Express: lognormal around a base, plus a rate per MiB.
 *
 * I1: costs are whole nanoseconds or microseconds and none is 0.
 */
import { InvariantViolation } from '../../engine/foundation/assert.ts';
import type { Work } from '../../engine/protocol/actor.ts';
import { type Distribution, lognormal } from '../kernel/distribution.ts';

/** The shape sim/services/object-store-disk.ts asks for. */
export interface ObjectStoreLatency {
  /** Base latency of a put, in microseconds. */
  readonly putBase: Distribution;
  /** Transfer time added for each MiB put; counted per byte. */
  readonly putUsPerMiB: number;
  readonly get: Distribution;
  readonly deleteUs: number;
  readonly listUs: number;
}

export interface HardwareProfile {
  readonly name: string;
  /** Virtual CPU time of one unit of work, in nanoseconds. */
  readonly nanoseconds: Readonly<Record<Work, number>>;
  /** One way, between two machines; 0 within one. */
  readonly linkLatency: Distribution;
  /** Of each direction of each link. */
  readonly bandwidthBytesPerSecond: number;
  readonly objectStore: ObjectStoreLatency;
  /** A read or a compare-and-set at the coordination store. */
  readonly coordinationStore: Distribution;
  /** A request at the sink store: append, pre-commit, commit. */
  readonly sinkStore: Distribution;
  /** How long a connection may stall before both ends give it up. */
  readonly streamTimeoutUs: number;
}

/** Linux gives up an established connection after minutes; engines set a user timeout of this order instead. */
const STREAM_TIMEOUT_US = 15_000_000;

/** S3 Standard: get 27 ms, put 60 ms + 20 ms a MiB; a delete and a list are metadata requests, as fast as a get. */
const S3_STANDARD: ObjectStoreLatency = {
  putBase: lognormal({ medianUs: 60_000, sigma: '0.3' }),
  putUsPerMiB: 20_000,
  get: lognormal({ medianUs: 27_000, sigma: '0.6', floorUs: 10_000 }),
  deleteUs: 27_000,
  listUs: 27_000,
};

/** S3 Express One Zone: get 2.5 ms, put 6.5 ms + 10 ms a MiB; stands for a store in the same building. */
const S3_EXPRESS: ObjectStoreLatency = {
  putBase: lognormal({ medianUs: 6_500, sigma: '0.25' }),
  putUsPerMiB: 10_000,
  get: lognormal({ medianUs: 2_500, sigma: '0.6', floorUs: 1_000 }),
  deleteUs: 2_500,
  listUs: 2_500,
};

/** Files on the same machine: an fsync on a consumer SSD for a put, the page cache for the rest. */
const LOCAL_FILES: ObjectStoreLatency = {
  putBase: lognormal({ medianUs: 1_500, sigma: '0.6' }),
  putUsPerMiB: 2_000,
  get: lognormal({ medianUs: 200, sigma: '0.3' }),
  deleteUs: 200,
  listUs: 200,
};

const CLOUD_SMALL: HardwareProfile = {
  name: 'cloud-small',
  nanoseconds: {
    // One core of a small shared instance does about a million records a second through a short chain.
    record: 1_000,
    // 500 MB/s: serializers of object graphs, not a memory copy.
    byte: 2,
    // One hash lookup that misses the cache, and its entry.
    key: 400,
    // Decode, look up the recipient, answer: tens of microseconds for RPC on a JVM.
    message: 20_000,
    // A block that the page cache has: decode it, search it. 3 us is what RocksDB takes for a point read from memory.
    'block-read': 3_000,
    // 250 MB/s: a small network-attached volume, written through a compaction's merge.
    'disk-byte': 4,
    nanosecond: 1,
  },
  // Machines in one availability zone: a round trip of half a millisecond, seldom more than a few.
  linkLatency: lognormal({ medianUs: 250, sigma: '0.3', floorUs: 80 }),
  // 1 Gbit/s, the baseline of small instances.
  bandwidthBytesPerSecond: 125_000_000,
  objectStore: S3_STANDARD,
  // A quorum write over three zones with an fsync on network-attached disks.
  coordinationStore: lognormal({ medianUs: 4_000, sigma: '0.6', floorUs: 1_000 }),
  // A replicated append: the slowest of the in-sync replicas answers.
  sinkStore: lognormal({ medianUs: 3_000, sigma: '0.6', floorUs: 800 }),
  streamTimeoutUs: STREAM_TIMEOUT_US,
};

const DATACENTER: HardwareProfile = {
  name: 'datacenter',
  nanoseconds: {
    // A dedicated server core at full clock is about twice a shared one.
    record: 500,
    // 1 GB/s for the same reason.
    byte: 1,
    // As above, with a large cache.
    key: 200,
    // As above.
    message: 10_000,
    // As above, at twice the clock.
    'block-read': 1_500,
    // 1 GB/s: NVMe, bound by the merge.
    'disk-byte': 1,
    nanosecond: 1,
  },
  // Two switches apart: a round trip of 100 us through the kernel's network stack.
  linkLatency: lognormal({ medianUs: 50, sigma: '0.25', floorUs: 20 }),
  // 10 Gbit/s to each machine.
  bandwidthBytesPerSecond: 1_250_000_000,
  objectStore: S3_EXPRESS,
  // A quorum write within a room, fsync on NVMe.
  coordinationStore: lognormal({ medianUs: 1_000, sigma: '0.6', floorUs: 300 }),
  // A replicated append within a room.
  sinkStore: lognormal({ medianUs: 1_000, sigma: '0.6', floorUs: 300 }),
  streamTimeoutUs: STREAM_TIMEOUT_US,
};

const LAPTOP: HardwareProfile = {
  name: 'laptop',
  nanoseconds: {
    // Fast cores, but all processes share few of them.
    record: 800,
    // As `record`.
    byte: 2,
    // As `record`.
    key: 300,
    // As `record`.
    message: 15_000,
    // As `record`.
    'block-read': 2_000,
    // One SSD for all processes.
    'disk-byte': 1,
    nanosecond: 1,
  },
  // Loopback between processes: two system calls and a wake-up.
  linkLatency: lognormal({ medianUs: 30, sigma: '0.6', floorUs: 10 }),
  // Loopback moves a few GB/s; both ends share the memory bus.
  bandwidthBytesPerSecond: 2_000_000_000,
  objectStore: LOCAL_FILES,
  // One process with an fsync on the same SSD.
  coordinationStore: lognormal({ medianUs: 1_500, sigma: '0.6' }),
  // One broker without replicas, acknowledged from the page cache.
  sinkStore: lognormal({ medianUs: 500, sigma: '0.6' }),
  streamTimeoutUs: STREAM_TIMEOUT_US,
};

export const DEFAULT_PROFILE = CLOUD_SMALL;
export const HARDWARE_PROFILES: readonly HardwareProfile[] = [CLOUD_SMALL, DATACENTER, LAPTOP];

/** A plan names only profiles that exist: its decoder refuses others. */
export function profileNamed(name: string): HardwareProfile {
  const profile = HARDWARE_PROFILES.find((known) => known.name === name);
  if (profile === undefined) throw new InvariantViolation('a plan names a known hardware profile', { name });
  return profile;
}
