/**
 * The disk: every file that is read or written goes through here.
 *
 * Owns: reading, writing, where shipped files lie. Does not own: what files mean (datasets.ts, result-store.ts).
 * I1: a missing or unreadable file is a UsageError that names it.
 * I2: `write` replaces a file as a whole or leaves the old one; `Appender` writes whole lines.
 */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from './usage-error.ts';

/** Appends whole lines to a file; the file exists from the start. */
export interface Appender {
  append(lines: string): void;
  close(): void;
}

const CHUNK_BYTES = 1 << 20;
const NEWLINE = 0x0a;
/** Ends the name of a file that is being written. */
const PART_ENDING = '.part';

/** The folder with package.json: one above the sources, two above their compiled form. */
const PACKAGE_ROOT = [
  join(dirname(fileURLToPath(import.meta.url)), '..'),
  join(dirname(fileURLToPath(import.meta.url)), '..', '..'),
].find((folder) => existsSync(join(folder, 'package.json')));

export function packageRoot(): string {
  if (PACKAGE_ROOT === undefined) throw new UsageError('The installation is incomplete: package.json is missing.');
  return PACKAGE_ROOT;
}

/** Version of this package. */
export function packageVersion(): string {
  const { version } = JSON.parse(readText(join(packageRoot(), 'package.json'))) as { version: string };
  return version;
}

/** A file inside the folder of an installed package, also where the package exports only its entry. */
export function fileOfPackage(name: string, path: string): string {
  const entry = createRequire(import.meta.url).resolve(name);
  for (let folder = dirname(entry); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, path))) return join(folder, path);
  }
  throw new UsageError(`The package ${name} has no file ${path}: install ${name} again.`);
}

export const exists = (path: string): boolean => existsSync(path);
export const isDirectory = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();
export const joinPath = (...parts: readonly string[]): string => join(...parts);
export const absolutePath = (path: string): string => resolve(path);
export const folderOf = (path: string): string => dirname(path);
export const fileEnding = (path: string): string => extname(path);

export function readText(path: string): string {
  return reading(path, () => readFileSync(path, 'utf8'));
}

/**
 * Throws a UsageError where a file, or a folder with files, could not be written later: asked before work whose result goes there.
 * `who`: the option, or what goes there.
 */
export function checkWritable(path: string, kind: 'file' | 'folder', who: string): void {
  if (existsSync(path) && statSync(path).isDirectory() !== (kind === 'folder'))
    throw new UsageError(`${who} ${path}: it is a ${kind === 'file' ? 'folder' : 'file'}; expected ${NAMES_OF[kind]}.`);
  // A file is written beside its place first; folders are made.
  let there = kind === 'file' ? dirname(path) : path;
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  if (!statSync(there).isDirectory())
    throw new UsageError(
      `${who} ${path}: ${there} is a file, not a folder; expected ${NAMES_OF[kind]} in a folder that is there or can be made.`,
    );
  try {
    accessSync(there, constants.W_OK);
  } catch (error) {
    throw new UsageError(
      `${who} ${path}: ${there} cannot be written (${reason(error)}); expected ${NAMES_OF[kind]} where files can be written.`,
    );
  }
}

const NAMES_OF = { file: 'the name of a file', folder: 'the name of a folder' } as const;

export function write(path: string, text: string): void {
  writing(path, () => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}${PART_ENDING}`, text);
    renameSync(`${path}${PART_ENDING}`, path);
  });
}

/** The bytes of a file; undefined when there is none. */
export function readBytes(path: string): Uint8Array | undefined {
  return existsSync(path) ? reading(path, () => new Uint8Array(readFileSync(path))) : undefined;
}

/** The size of a file in bytes; undefined when there is none. */
export function sizeOf(path: string): number | undefined {
  return existsSync(path) ? reading(path, () => statSync(path).size) : undefined;
}

/** Writes a file as a whole unless there is one of that name; answers whether it did. */
export function writeNew(path: string, bytes: Uint8Array): boolean {
  return writing(path, () => {
    mkdirSync(dirname(path), { recursive: true });
    const part = `${path}${PART_ENDING}`;
    writeFileSync(part, bytes);
    try {
      // Unlike a rename, a link fails when the name is taken, and the name never stands for a part of the file.
      linkSync(part, path);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    } finally {
      rmSync(part, { force: true });
    }
  });
}

/** Removes a file; one that is not there is removed already. */
export function removeFile(path: string): void {
  writing(path, () => rmSync(path, { force: true }));
}

/** All files below a folder, by paths relative to it with `/`; none when there is no such folder. Parts of files are left out. */
export function filesBelow(folder: string): readonly { readonly path: string; readonly bytes: number }[] {
  if (!isDirectory(folder)) return [];
  return reading(folder, () =>
    readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
      if (!entry.isFile() || entry.name.endsWith(PART_ENDING)) return [];
      const file = join(entry.parentPath, entry.name);
      return [{ path: relative(folder, file).split(sep).join('/'), bytes: statSync(file).size }];
    }),
  );
}

/** Names of what lies in a folder itself, in order; none when there is no such folder. Parts of files are left out. */
export function namesIn(folder: string): string[] {
  if (!isDirectory(folder)) return [];
  const names = reading(folder, () => readdirSync(folder)).filter((name) => !name.endsWith(PART_ENDING));
  return names.sort((a, b) => (a < b ? -1 : 1));
}

export function rename(from: string, to: string): void {
  writing(to, () => renameSync(from, to));
}

/** Opens a file for appending, with its folder; `fresh` empties it first. */
export function appender(path: string, fresh: boolean): Appender {
  const file = writing(path, () => {
    mkdirSync(dirname(path), { recursive: true });
    if (!fresh) dropTornLine(path);
    return openSync(path, fresh ? 'w' : 'a');
  });
  return {
    append: (lines) => void writing(path, () => writeSync(file, lines)),
    close: () => closeSync(file),
  };
}

/** The lines of a file, without holding all of them. */
export function* readLines(path: string): Generator<string> {
  const file = reading(path, () => openSync(path, 'r'));
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let rest: Buffer = Buffer.alloc(0);
  try {
    for (let size = readSync(file, chunk); size > 0; size = readSync(file, chunk)) {
      const bytes = Buffer.concat([rest, chunk.subarray(0, size)]);
      let start = 0;
      for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
        yield bytes.toString('utf8', start, end);
        start = end + 1;
      }
      rest = bytes.subarray(start);
    }
    if (rest.length > 0) yield rest.toString('utf8');
  } finally {
    closeSync(file);
  }
}

/** A file as Parquet readers want it: its length, and slices on demand. */
export function randomAccess(path: string): { byteLength: number; slice(start: number, end?: number): ArrayBuffer } {
  const byteLength = reading(path, () => statSync(path).size);
  return {
    byteLength,
    slice: (start, end = byteLength) => {
      const bytes = new Uint8Array(end - start);
      const file = openSync(path, 'r');
      try {
        for (let at = 0; at < bytes.length; ) {
          const size = readSync(file, bytes, at, bytes.length - at, start + at);
          if (size === 0) throw new UsageError(`${path} ends in the middle of a block.`);
          at += size;
        }
      } finally {
        closeSync(file);
      }
      return bytes.buffer;
    },
  };
}

/** What was cut off when a process died in the middle of a line is not a line. */
function dropTornLine(path: string): void {
  if (!existsSync(path)) return;
  const { size } = statSync(path);
  const tail = Buffer.alloc(Math.min(size, CHUNK_BYTES));
  const file = openSync(path, 'r');
  readSync(file, tail, 0, tail.length, size - tail.length);
  closeSync(file);
  truncateSync(path, size - tail.length + tail.lastIndexOf(NEWLINE) + 1);
}

function reading<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new UsageError(`Cannot read ${path}: ${reason(error)}.`);
  }
}

function writing<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new UsageError(`Cannot write ${path}: ${reason(error)}.`);
  }
}

function reason(error: unknown): string {
  const code = codeOf(error);
  if (code === 'ENOENT') return 'there is no such file or folder';
  if (code === 'EISDIR') return 'it is a folder';
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'what should be a folder of its path is a file';
  if (code === 'EROFS') return 'its disk takes no writes';
  if (code === 'EACCES') return 'permission is missing';
  if (code === 'ENOSPC') return 'the disk is full';
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
