/**
 * What the checkpoint storage of a life is like, beside what its kind implies: a part of the plan.
 *
 * Owns: the options, and what they usually are. Lengths are in microseconds of virtual time.
 */
export const STORAGE_FLAVOURS = [
  'profile',
  's3-standard',
  's3-express',
  'azure-premium',
  'azure-standard',
  'gcs',
] as const;
export type StorageFlavour = (typeof STORAGE_FLAVOURS)[number];

export interface StoragePhysics {
  /** object-store: whose latencies it has; `profile`: those of the hardware profile. */
  readonly flavour: StorageFlavour;
  /** object-store: writes and lists a second that one prefix takes before it answers SlowDown. */
  readonly putsPerSecond: number;
  /** object-store: the same for reads. */
  readonly getsPerSecond: number;
  /** object-store: an object may be missing from lists for so long after its put, at most; 0: lists are consistent. */
  readonly listDelayUs: number;
  /** filesystem: after so long the server writes out by itself what was written to it. */
  readonly writeBackUs: number;
  /** hdfs: a lease not renewed for so long may be taken by another writer. */
  readonly leaseSoftLimitUs: number;
  /** hdfs: after so long the namenode closes the file itself. */
  readonly leaseHardLimitUs: number;
  /** hdfs: how long a namenode that was restarted or took over refuses changes. */
  readonly safeModeUs: number;
}

export const USUAL_STORAGE: StoragePhysics = {
  flavour: 'profile',
  putsPerSecond: 3_500,
  getsPerSecond: 5_500,
  listDelayUs: 0,
  writeBackUs: 5_000_000,
  leaseSoftLimitUs: 60_000_000,
  leaseHardLimitUs: 1_200_000_000,
  safeModeUs: 3_000_000,
};
