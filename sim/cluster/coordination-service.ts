/**
 * The service behind the node `coordination-store`, by the high availability of the plan: the same node name whichever it is, so that
 * every fault reaches it.
 */
import { unreachable } from '../../engine/foundation/assert.ts';
import type { NodeId } from '../../engine/foundation/ids.ts';
import type { HighAvailabilityConfiguration } from '../../engine/protocol/configuration.ts';
import { CoordinationDisk, CoordinationStore, type CoordinationStoreOptions } from '../services/coordination-store.ts';
import { KubernetesApi, KubernetesDisk } from '../services/kubernetes-api.ts';
import type { ServiceActor } from '../services/service-actor.ts';
import { ZooKeeper, ZooKeeperDisk } from '../services/zookeeper.ts';

type Kind = HighAvailabilityConfiguration['kind'];

/** One disk per kind; a life uses one. */
export interface CoordinationDisks {
  readonly 'lease-store': CoordinationDisk;
  readonly zookeeper: ZooKeeperDisk;
  readonly kubernetes: KubernetesDisk;
  readonly none: CoordinationDisk;
}

export const coordinationDisks = (): CoordinationDisks => ({
  'lease-store': new CoordinationDisk(),
  zookeeper: new ZooKeeperDisk(),
  kubernetes: new KubernetesDisk(),
  none: new CoordinationDisk(),
});

export interface CoordinationServiceOptions extends Omit<CoordinationStoreOptions, 'disk'> {
  readonly kind: Kind;
  readonly disks: CoordinationDisks;
  readonly node: NodeId;
}

export function coordinationService({ kind, disks, ...options }: CoordinationServiceOptions): ServiceActor {
  switch (kind) {
    case 'lease-store':
    case 'none':
      return new CoordinationStore({ ...options, disk: disks[kind] });
    case 'kubernetes':
      return new KubernetesApi({ ...options, disk: disks.kubernetes });
    case 'zookeeper':
      return new ZooKeeper({ ...options, disk: disks.zookeeper });
    default:
      return unreachable(kind);
  }
}
