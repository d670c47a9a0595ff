/** The flavour of checkpoint storage that a job is configured with (row T1). */
import type { RequestClientOptions } from '../clients/request-client.ts';
import type { CheckpointConfiguration } from '../protocol/configuration.ts';
import type { CheckpointStorage } from './checkpoint-storage.ts';
import { ObjectStoreStorage } from './object-store-storage.ts';

export interface OpenStorageOptions {
  readonly client: RequestClientOptions;
  readonly checkpoint: Pick<CheckpointConfiguration, 'storage'>;
}

export function openStorage({ client }: OpenStorageOptions): CheckpointStorage {
  return new ObjectStoreStorage(client);
}
