/** The driver of a configuration (row F13; Flink: HighAvailabilityServicesUtils). */
import type { HighAvailabilityServices, ServicesOptions } from './high-availability-services.ts';
import { LeaseStoreServices } from './lease-store-services.ts';

export function highAvailabilityServices(options: ServicesOptions): HighAvailabilityServices {
  return new LeaseStoreServices(options);
}
