/** What the path of a checkpoint's file says. */

/** `<root>chk-<n>/...` gives n, with entropy in front as without; anything else NaN, which compares with nothing. */
export function checkpointIdOf(path: string, root: string): number {
  const directory = `${root}chk-`;
  const at = path.indexOf(directory);
  if (at < 0) return Number.NaN;
  const rest = path.slice(at + directory.length);
  const slash = rest.indexOf('/');
  return slash <= 0 ? Number.NaN : Number(rest.slice(0, slash));
}

/** Files that checkpoints of a job may have in common (row T2). */
export const sharedDirectory = (directory: string, jobId: string): string => `${directory}/${jobId}/shared`;

const SEGMENT_SUFFIX = '.segment';

export interface SegmentFileQuestion {
  /** The shared directory, or that of a savepoint. */
  readonly directory: string;
  readonly operator: string;
  readonly subtask: number;
  readonly attempt: number;
  /** Number of the segment in its backend, or what it is of a state log. */
  readonly segment: number | string;
  /** The checkpoint it is written for. */
  readonly checkpointId: number;
}

/** Each upload has a name of its own, even of the same segment: what one checkpoint gives up is not what another one relies on. */
export const segmentFile = ({
  directory,
  operator,
  subtask,
  attempt,
  segment,
  checkpointId,
}: SegmentFileQuestion): string =>
  `${directory}/${operator}-${subtask}-${attempt}-${segment}-${checkpointId}${SEGMENT_SUFFIX}`;

/** The checkpoint that a segment was written for; NaN where the path is none of a segment. */
export function creatorOf(path: string): number {
  if (!path.endsWith(SEGMENT_SUFFIX)) return Number.NaN;
  return Number(path.slice(path.lastIndexOf('-') + 1, -SEGMENT_SUFFIX.length));
}

const SHARED_SEGMENT = /\/shared\/[^/]*\.segment$/;

/** Whether checkpoints may have it in common: a savepoint keeps its segments to itself, wherever its directory lies. */
export const isShared = (path: string): boolean => SHARED_SEGMENT.test(path);
