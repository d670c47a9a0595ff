/** The driver of a configuration (row F13; Flink: HighAvailabilityServicesUtils). */
import { unreachable } from '../foundation/assert.ts';
import type { HighAvailabilityServices, ServicesOptions } from './high-availability-services.ts';
import { KubernetesServices } from './kubernetes-services.ts';
import { LeaseStoreServices } from './lease-store-services.ts';
import { StandaloneServices } from './standalone-services.ts';
import { ZooKeeperServices } from './zookeeper-services.ts';

export function highAvailabilityServices(options: ServicesOptions): HighAvailabilityServices {
  const { kind } = options.configuration.highAvailability;
  switch (kind) {
    case 'lease-store':
      return new LeaseStoreServices(options);
    case 'none':
      return new StandaloneServices(options);
    case 'kubernetes':
      return new KubernetesServices(options);
    case 'zookeeper':
      return new ZooKeeperServices(options);
    default:
      return unreachable(kind);
  }
}
