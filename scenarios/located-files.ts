/** Where the data files of a scenario lie: whoever reads the scenario file knows its folder, the schema does not. */

/** The path as written, to the path to open. */
export type LocateFile = (path: string) => string;

export const AS_WRITTEN: LocateFile = (path) => path;
