/** Names of files and directories on a storage that has them. A directory's path ends in a slash where it stands beside files. */
import type { OpenUpload } from '../protocol/storage-messages.ts';

const TEMPORARY = /(?:^|\/)\.[^/]+\.inprogress$|\?uploadId=[^/?]*$/;
const UPLOAD = /^(.*)\?uploadId=([^/?]*)$/;

/** What a file is called until it is complete (Flink: LocalRecoverableWriter, HadoopRecoverableWriter). */
export function temporaryOf(path: string): string {
  const slash = path.lastIndexOf('/') + 1;
  return `${path.slice(0, slash)}.${path.slice(slash)}.inprogress`;
}

/** What an upload in parts is called where files are listed. */
export const uploadName = ({ path, upload }: OpenUpload): string => `${path}?uploadId=${upload}`;

export function uploadOf(name: string): OpenUpload | undefined {
  const [, path, upload] = UPLOAD.exec(name) ?? [];
  return path === undefined || upload === undefined ? undefined : { path, upload };
}

/** Whether it has not got its last name: nobody may rely on it. */
export const isTemporary = (path: string): boolean => TEMPORARY.test(path);
export const isDirectory = (path: string): boolean => path.endsWith('/');
/** Of a file, the directory it lies in; of a directory itself; without the slash. */
export const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));
