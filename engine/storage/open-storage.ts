/** The flavour of checkpoint storage that a job is configured with (row T1). */
import type { RequestClientOptions } from '../clients/request-client.ts';
import { unreachable } from '../foundation/assert.ts';
import type { EngineParts } from '../parts.ts';
import type { CheckpointConfiguration } from '../protocol/configuration.ts';
import type { CheckpointStorage } from './checkpoint-storage.ts';
import { FileStorage } from './file-storage.ts';
import { ObjectStoreStorage } from './object-store-storage.ts';

export interface OpenStorageOptions {
  readonly client: RequestClientOptions;
  /** Name of the process that writes; a process that was started anew has another one. */
  readonly writer: string;
  readonly checkpoint: Pick<CheckpointConfiguration, 'storage'>;
  readonly parts: EngineParts;
}

export function openStorage({ client, writer, checkpoint, parts }: OpenStorageOptions): CheckpointStorage {
  const { kind, writeBufferBytes, uploadPartBytes, entropy } = checkpoint.storage;
  switch (kind) {
    case 'jobmanager':
      return new ObjectStoreStorage(client, uploadPartBytes);
    case 'object-store':
      return new ObjectStoreStorage(client, uploadPartBytes, entropy);
    case 'filesystem':
    case 'hdfs':
      return new FileStorage({ client, writer, writeBufferBytes, parts });
    default:
      return unreachable(kind);
  }
}
