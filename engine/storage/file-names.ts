/** Names of files and directories on a storage that has them. A directory's path ends in a slash where it stands beside files. */

const TEMPORARY = /(?:^|\/)\.[^/]+\.inprogress$/;

/** What a file is called until it is complete (Flink: LocalRecoverableWriter, HadoopRecoverableWriter). */
export function temporaryOf(path: string): string {
  const slash = path.lastIndexOf('/') + 1;
  return `${path.slice(0, slash)}.${path.slice(slash)}.inprogress`;
}

export const isTemporary = (path: string): boolean => TEMPORARY.test(path);
export const isDirectory = (path: string): boolean => path.endsWith('/');
/** Of a file, the directory it lies in; of a directory itself; without the slash. */
export const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));
