/**
 * Which TaskManagers answer, with which process and how many slots (Flink: SlotPool, HeartbeatManager).
 *
 * Owns: liveness by heartbeat. Invariant I1: a TaskManager that was silent for the time-out, or came back as another process, is lost.
 */
import type { NodeId } from '../foundation/ids.ts';
import type { ListedExecution } from '../protocol/messages.ts';
import type { ExecutionAttemptId } from '../foundation/ids.ts';

export interface RegisteredTaskManager {
  readonly node: NodeId;
  readonly incarnation: number;
  readonly slots: number;
  readonly heardUs: number;
  /** What it said runs there, last time. */
  readonly executions: ReadonlyMap<ExecutionAttemptId, ListedExecution>;
}

export class TaskManagerRegistry {
  readonly #registered = new Map<NodeId, RegisteredTaskManager>();

  get size(): number {
    return this.#registered.size;
  }

  /** Returns the node if its former process is gone. */
  heard(taskManager: RegisteredTaskManager): 'known' | 'new' | 'restarted' {
    const before = this.#registered.get(taskManager.node);
    if (before !== undefined && before.incarnation > taskManager.incarnation) return 'known';
    this.#registered.set(taskManager.node, taskManager);
    if (before === undefined) return 'new';
    return before.incarnation === taskManager.incarnation ? 'known' : 'restarted';
  }

  /** Removes and returns those silent since before `sinceUs`. */
  removeSilent(sinceUs: number): readonly NodeId[] {
    const silent = [...this.#registered.values()].filter(({ heardUs }) => heardUs < sinceUs).map(({ node }) => node);
    for (const node of silent) this.#registered.delete(node);
    return silent;
  }

  /** A newer process spoke before its first heartbeat: what the older one offered is void. */
  forgetBefore(node: NodeId, incarnation: number): void {
    const before = this.#registered.get(node);
    if (before !== undefined && before.incarnation < incarnation) this.#registered.delete(node);
  }

  /** An attempt ended after the last heartbeat listed it. */
  ended(node: NodeId, attempt: ExecutionAttemptId): void {
    const taskManager = this.#registered.get(node);
    if (taskManager === undefined || !taskManager.executions.has(attempt)) return;
    const executions = new Map(taskManager.executions);
    executions.delete(attempt);
    this.#registered.set(node, { ...taskManager, executions });
  }

  of(node: NodeId): RegisteredTaskManager | undefined {
    return this.#registered.get(node);
  }

  /** By name, so that placement does not depend on who answered first. */
  sorted(): readonly RegisteredTaskManager[] {
    return [...this.#registered.values()].sort((a, b) => (a.node < b.node ? -1 : a.node > b.node ? 1 : 0));
  }

  clear(): void {
    this.#registered.clear();
  }
}

/** All slots, dealt out over the TaskManagers in turn. */
export function slotsInTurn(
  taskManagers: readonly RegisteredTaskManager[],
): { readonly taskManager: RegisteredTaskManager; readonly slot: number }[] {
  const slots: { taskManager: RegisteredTaskManager; slot: number }[] = [];
  const slotsMax = taskManagers.reduce((most, { slots: count }) => Math.max(most, count), 0);
  for (let slot = 0; slot < slotsMax; slot += 1) {
    for (const taskManager of taskManagers) if (slot < taskManager.slots) slots.push({ taskManager, slot });
  }
  return slots;
}
