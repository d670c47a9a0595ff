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

/** Which checkpoints' directories below `root` these files lie in. */
export const checkpointIdsOf = (paths: readonly string[] | undefined, root: string): ReadonlySet<number> =>
  new Set(paths?.map((path) => checkpointIdOf(path, root)).filter((id) => !Number.isNaN(id)));

/** Files that checkpoints of a job may have in common (row T2). */
export const sharedDirectory = (directory: string, jobId: string): string => `${directory}/${jobId}/shared`;

const SEGMENT_SUFFIX = '.segment';
const MERGED_SUFFIX = '.merged';

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

/** Files that hold state of several subtasks (row S19), by TaskManager. */
export const taskOwnedDirectory = (directory: string, jobId: string): string => `${directory}/${jobId}/taskowned`;

export interface MergedFileQuestion {
  readonly directory: string;
  /** The subtask that the file was opened for: the file belongs to the TaskManager as long as it runs. */
  readonly attempt: number;
  /** Counts the files of a TaskManager's process. */
  readonly number: number;
  /** The first checkpoint that something in it was written for. */
  readonly checkpointId: number;
}

export const mergedFile = ({ directory, attempt, number, checkpointId }: MergedFileQuestion): string =>
  `${directory}/${attempt}-${number}-${checkpointId}${MERGED_SUFFIX}`;

/** Whether state of several subtasks or checkpoints may lie in it. */
export const isMerged = (path: string): boolean => path.endsWith(MERGED_SUFFIX);

/** Of a merged file, the attempt it was opened for. */
export function openerOf(path: string): number {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return Number(name.slice(0, name.indexOf('-')));
}

/** The first checkpoint that a segment or merged file was written for; NaN where the path is of neither. */
export function creatorOf(path: string): number {
  const suffix = path.endsWith(SEGMENT_SUFFIX) ? SEGMENT_SUFFIX : isMerged(path) ? MERGED_SUFFIX : undefined;
  return suffix === undefined ? Number.NaN : Number(path.slice(path.lastIndexOf('-') + 1, -suffix.length));
}

const SHARED_SEGMENT = /\/shared\/[^/]*\.segment$/;

/** Whether checkpoints may have it in common: a savepoint keeps its segments to itself, wherever its directory lies, and merges nothing. */
export const isShared = (path: string): boolean => SHARED_SEGMENT.test(path) || isMerged(path);
