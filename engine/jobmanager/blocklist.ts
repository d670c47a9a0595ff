/**
 * Nodes that get no new tasks for a while (row F9; Flink: BlocklistHandler, action MARK_BLOCKED of FLIP-224).
 *
 * Owns: until when a node is blocked, and its failures that count towards it. What runs on a blocked node goes on. Flink fills the list
 * from its slow-task detector only; here, if switched on, a node is blocked that lost its tasks often in short time.
 */
import type { NodeId } from '../foundation/ids.ts';
import type { BlocklistConfiguration } from '../protocol/configuration.ts';

export class Blocklist {
  readonly #configuration: BlocklistConfiguration;
  readonly #failuresUs = new Map<NodeId, readonly number[]>();
  readonly #blockedUntilUs = new Map<NodeId, number>();

  constructor(configuration: BlocklistConfiguration) {
    this.#configuration = configuration;
  }

  /** Tasks were lost with this node. True when it is blocked from now on. */
  failed(node: NodeId, nowUs: number): boolean {
    const { failures, withinUs, forUs } = this.#configuration;
    if (failures === 0) return false;
    const recent = [...(this.#failuresUs.get(node) ?? []).filter((atUs) => nowUs - atUs <= withinUs), nowUs];
    this.#failuresUs.set(node, recent);
    if (recent.length < failures) return false;
    this.#failuresUs.delete(node);
    this.#blockedUntilUs.set(node, nowUs + forUs);
    return true;
  }

  isBlocked(node: NodeId, nowUs: number): boolean {
    return nowUs < (this.#blockedUntilUs.get(node) ?? 0);
  }
}
