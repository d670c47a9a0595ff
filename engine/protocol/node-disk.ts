/** The local disk of a node, as a process of the engine sees it: whole files under paths. What it holds outlives the process. */
export interface NodeDisk {
  /** The file of a path; undefined: there is none. */
  read(path: string): Uint8Array | undefined;
  /** Creates or replaces a file as a whole. The bytes are not changed afterwards. */
  write(path: string, bytes: Uint8Array): void;
  /** False: there was none. */
  delete(path: string): boolean;
  /** Paths that begin with the prefix, in order. */
  paths(prefix: string): readonly string[];
}
