/**
 * The service behind the node `object-store`, by the checkpoint storage of the plan: the same node name whichever it is, so that every
 * fault reaches it.
 */
import { unreachable } from '../../engine/foundation/assert.ts';
import type { StorageConfiguration } from '../../engine/protocol/configuration.ts';
import type { ChoiceSite } from '../kernel/choice.ts';
import { FileServerDisk } from '../services/file-server-disk.ts';
import { HdfsDisk } from '../services/hdfs-disk.ts';
import { ObjectStoreDisk } from '../services/object-store-disk.ts';
import type { StorageDisk } from '../services/storage-disk.ts';
import { FILE_SERVER, HDFS, OBJECT_STORES, type ObjectStoreLatency } from '../services/storage-latencies.ts';
import type { StoragePhysics } from '../services/storage-physics.ts';

export interface StorageDiskOptions {
  readonly kind: StorageConfiguration['kind'];
  readonly physics: StoragePhysics;
  /** Of the hardware profile. */
  readonly latency: ObjectStoreLatency;
  /** Draws how late lists of objects are. */
  readonly delaySite: ChoiceSite;
}

export function storageDisk({ kind, physics, latency, delaySite }: StorageDiskOptions): StorageDisk {
  switch (kind) {
    case 'jobmanager':
    case 'object-store': {
      const { flavour, putsPerSecond, getsPerSecond, listDelayUs } = physics;
      const own = flavour === 'profile' ? latency : OBJECT_STORES[flavour];
      return new ObjectStoreDisk({ latency: own, putsPerSecond, getsPerSecond, listDelayUs, delaySite });
    }
    case 'filesystem':
      return new FileServerDisk({ latency: FILE_SERVER, writeBackUs: physics.writeBackUs });
    case 'hdfs':
      return new HdfsDisk({ ...physics, latency: HDFS });
    default:
      return unreachable(kind);
  }
}
