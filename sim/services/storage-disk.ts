/**
 * What a checkpoint storage of any kind is to the service in front of it: durable state with rules of its own.
 *
 * Owns: the contract, and how long requests take. Implemented by object-store-disk, file-server-disk, hdfs-disk.
 *
 * I1: a request takes effect at once, in `perform`; whoever has one of the refusals for an answer changed nothing, unless it says so;
 * I2: a disk survives the node of its service; what a loss of power takes is for `losePower` to say.
 */
import type { Micros } from '../../engine/foundation/time.ts';
import type { StorageReply, StorageRequest } from '../../engine/protocol/messages.ts';
import type { StorageRefusal } from '../../engine/protocol/storage-messages.ts';
import type { WorldEvent } from '../history/history-event.ts';
import type { ChoiceSite } from '../kernel/choice.ts';

export type StorageAnswer = Omit<StorageReply, 'kind' | 'requestId'>;
/** What happened to the durable state. */
export type Tell = (event: WorldEvent) => void;

/** What judges may see. */
export interface StorageView {
  /** What a reader of the file finds. */
  object(path: string): Uint8Array | undefined;
  /** All files, those nobody completed among them, by code units. */
  objects(): readonly string[];
  /** What takes up room and is no file: uploads under way, empty directories. */
  leftovers(): readonly string[];
}

export interface StorageDisk extends StorageView {
  /** Names are kept by a node of their own, which may be away while bytes are written. */
  readonly hasNamenode: boolean;
  /** Of a request that the storage is not too slow for. */
  latencyUs(request: StorageRequest, site: ChoiceSite): number;
  /** Says at once that it does not take the request in; undefined: it does. */
  refuses(request: StorageRequest, nowUs: Micros): StorageRefusal | undefined;
  perform(request: StorageRequest, nowUs: Micros, tell: Tell): StorageAnswer;
  /** Its service was started again. */
  restarted(nowUs: Micros): void;
  /** What was not synced is gone, all of it or in part. True: something was not, or was being written. */
  losePower(nowUs: Micros, site: ChoiceSite, tell: Tell): boolean;
}

/** By code units. Paths are unique: the comparator never ties. */
export const sortedPaths = (paths: Iterable<string>): string[] => [...paths].sort((a, b) => (a < b ? -1 : 1));
