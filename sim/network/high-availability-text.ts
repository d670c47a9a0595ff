/** A ZooKeeper or Kubernetes message as one text: its size counts, and it is folded into the digest. They are rare and small. */
import type { KubernetesMessage } from '../../engine/protocol/kubernetes-messages.ts';
import type { ZooKeeperMessage } from '../../engine/protocol/zookeeper-messages.ts';

export const highAvailabilityText = (message: ZooKeeperMessage | KubernetesMessage): string => JSON.stringify(message);
