/**
 * How each service says who leads: the names and forms of its records. The lease store's lease is beside the pointer
 * (checkpoint-pointer.ts).
 *
 * Owns: names and forms. Does not own: the elections (engine/high-availability). Judges read these records too.
 */

/** ZooKeeper: parent of the contenders' ephemeral sequential nodes. */
export const latchPath = (jobId: string): string => `/${jobId}/latch`;

/** Number of a contender's node; undefined when the path is none. Its reign has this number plus one as epoch. */
export function latchSequence(path: string): number | undefined {
  const digits = /-latch-(\d{10})$/.exec(path)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Kubernetes: annotation of the job's ConfigMap (client-go: resourcelock.LeaderElectionRecordAnnotationKey). */
export const LEADER_ANNOTATION = 'control-plane.alpha.kubernetes.io/leader';

/** Kubernetes: what the annotation says (client-go: LeaderElectionRecord). */
export interface LeaderElectionRecord {
  readonly holderIdentity: string;
  readonly leaseDurationUs: number;
  readonly acquireTimeUs: number;
  /** By the holder's clock: others only see that it changes. */
  readonly renewTimeUs: number;
  /** Rises with each new holder: the epoch. */
  readonly leaderTransitions: number;
}

export const encodeLeaderRecord = (record: LeaderElectionRecord): string => JSON.stringify(record);
export const decodeLeaderRecord = (value: string): LeaderElectionRecord => JSON.parse(value) as LeaderElectionRecord;
