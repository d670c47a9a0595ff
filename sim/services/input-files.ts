/**
 * Input files on the storage that checkpoints lie on: written by somebody else, whole from the moment they are there, never changed.
 *
 * Owns: their bytes and from when on they are there. Stands in front of the disk of the storage, whose latencies, limits and refusals hold for
 * them, too; judges of checkpoint files do not see them. Writes its lines by itself, without the engine's reader.
 */
import { crc32c } from '../../engine/foundation/crc32c.ts';
import type { RecordValue } from '../../engine/protocol/stream-elements.ts';
import type { Micros } from '../../engine/foundation/time.ts';
import type { StorageRequest } from '../../engine/protocol/messages.ts';
import { DiskInFront } from './disk-in-front.ts';
import { sortedPaths, type StorageAnswer, type StorageDisk, type Tell } from './storage-disk.ts';

export interface InputFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** From this time on it is there. */
  readonly atUs: number;
}

export interface InputLine {
  readonly sourceIndex: number;
  readonly timestampUs: number;
  readonly value: RecordValue;
}

/** The bytes of a file, and where each of its lines begins. */
export function fileOfLines(lines: readonly InputLine[]): {
  readonly bytes: Uint8Array;
  readonly begins: readonly number[];
} {
  const begins: number[] = [];
  const parts: Uint8Array[] = [];
  let length = 0;
  const add = (content: string): void => {
    const text = ascii(content);
    const line = ascii(`${crc32c(text).toString(16).padStart(8, '0')} ${content}\n`);
    begins.push(length);
    parts.push(line);
    length += line.length;
  };
  for (const { sourceIndex, timestampUs, value } of lines)
    add(escaped(JSON.stringify([sourceIndex, timestampUs, value])));
  add('end');
  begins.pop();
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { bytes, begins };
}

/** What is no ASCII, as JSON may write it. */
const escaped = (json: string): string =>
  json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (unit) => unit.charCodeAt(0));

export class InputFilesDisk extends DiskInFront {
  readonly #files: ReadonlyMap<string, InputFile>;

  constructor(disk: StorageDisk, files: readonly InputFile[]) {
    super(disk);
    this.#files = new Map(files.map((file) => [file.path, file]));
  }

  perform(request: StorageRequest, nowUs: Micros, tell: Tell): StorageAnswer {
    if (request.kind === 'storage-get') {
      const file = this.#files.get(request.path);
      if (file !== undefined && file.atUs <= nowUs)
        return { outcome: 'done', bytes: file.bytes, checksum: crc32c(file.bytes) };
    }
    const answer = this.disk.perform(request, nowUs, tell);
    if (request.kind !== 'storage-list' || answer.paths === undefined) return answer;
    const there = [...this.#files.values()].filter(
      ({ path, atUs }) => atUs <= nowUs && path.startsWith(request.prefix),
    );
    return there.length === 0
      ? answer
      : { ...answer, paths: sortedPaths([...answer.paths, ...there.map(({ path }) => path)]) };
  }
}
