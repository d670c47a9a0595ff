/**
 * Which slots there are, and which of them a deployment gets (rows F5, F9, F10; Flink: SlotPool with BlocklistHandler and
 * PreviousAllocationSlotSelectionStrategy).
 *
 * Owns: who answers, who is blocked. Does not own: the choice among usable slots (slot-placement), how many are needed (the job master).
 */
import type { ExecutionAttemptId, NodeId } from '../foundation/ids.ts';
import type { EngineConfiguration } from '../protocol/configuration.ts';
import { Blocklist } from './blocklist.ts';
import type { ExecutionGraph } from './execution-graph.ts';
import { type EngineParts, standardParts } from '../parts.ts';
import type { SlotPlace } from './slot-placement.ts';
import { type RegisteredTaskManager, TaskManagerRegistry } from './task-manager-registry.ts';

/** Places by subtask index. */
export type Places = readonly (SlotPlace | undefined)[];

export class SlotPool {
  readonly registry = new TaskManagerRegistry();
  readonly #blocklist: Blocklist;
  readonly #nodesRemember: boolean;
  readonly #placeSlots: EngineParts['placeSlots'];

  constructor(
    { runtime, checkpoint }: Pick<EngineConfiguration, 'runtime' | 'checkpoint'>,
    { placeSlots }: Pick<EngineParts, 'placeSlots'> = standardParts,
  ) {
    this.#placeSlots = placeSlots;
    this.#nodesRemember = checkpoint.localRecovery === 'working-directory';
    this.#blocklist = new Blocklist(runtime.blocklist);
  }

  /** True when the node is blocked from now on. */
  failed(node: NodeId, nowUs: number): boolean {
    return this.#blocklist.failed(node, nowUs);
  }

  /** Slots that may be used now. */
  count(executions: ExecutionGraph | undefined, nowUs: number): number {
    return this.#usable(executions, nowUs).reduce((sum, { slots }) => sum + slots, 0);
  }

  /** A place for each of these subtask indices; undefined when there are too few. */
  place(indices: readonly number[], executions: ExecutionGraph | undefined, nowUs: number): Places | undefined {
    const previous = (executions?.current() ?? []).map(({ subtask, node, incarnation, slot, state }) => ({
      subtask,
      node,
      incarnation,
      slot,
      isLive: state !== 'canceled',
    }));
    const nodesRemember = this.#nodesRemember;
    return this.#placeSlots({ taskManagers: this.#usable(executions, nowUs), indices, previous, nodesRemember });
  }

  /** Not of blocked nodes, nor where something still runs that was cancelled or is not ours (row F10). */
  #usable(executions: ExecutionGraph | undefined, nowUs: number): readonly RegisteredTaskManager[] {
    const isOurs = (attempt: ExecutionAttemptId): boolean => executions?.of(attempt) !== undefined;
    return this.registry.sorted().filter(({ node, executions: listed }) => {
      return !this.#blocklist.isBlocked(node, nowUs) && [...listed.keys()].every(isOurs);
    });
  }
}
