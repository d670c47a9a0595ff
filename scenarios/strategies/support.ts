/**
 * What a good outcome rested on: the steps, messages, writes and machines without which the output of a checkpoint would not have been
 * committed in the way it was (Alvaro, Rosen, Hellerstein 2015: Molly).
 *
 * Owns: reading a support out of a history, and the fault that takes an element of it away. Does not own: which to take away
 * (lineage.ts).
 *
 * The good outcome: what was read before the target checkpoint is committed. In a life that is the work of the first checkpoint from the target
 * on that completes, and of the restore before it where there was one. Subtasks of one vertex are alike: the first one stands for all.
 */
import { unreachable } from '../../engine/foundation/assert.ts';
import type { NodeId } from '../../engine/foundation/ids.ts';
import { pointOf } from '../../sim/faults/checkpoint-point.ts';
import type { Fault } from '../../sim/faults/fault.ts';
import type { HistoryEvent } from '../../sim/history/history-event.ts';
import { allNodes, SERVICE_NODES } from '../../sim/node-names.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { machinesOf } from '../crashpoints/crash-case.ts';
import { crashPoints, type PointTrigger } from '../crashpoints/crash-point.ts';
import { during } from '../crashpoints/typical-checkpoint.ts';

/** A machine that lived on, a message that arrived, a write that was answered. */
type ElementKind = 'life' | 'message' | 'write';

export interface SupportElement {
  readonly kind: ElementKind;
  readonly trigger: PointTrigger;
  /** Where it happened. */
  readonly node: NodeId;
}

export interface Support {
  /** The checkpoint that did it; 0: none did. */
  readonly checkpoint: number;
  readonly elements: readonly SupportElement[];
}

/** The first two checkpoints are of a job that has just begun. */
export const TARGET_CHECKPOINT = 3;

/** Who is written to at a point. */
const WRITTEN_TO: Partial<Record<PointTrigger['point'], NodeId>> = {
  'state-write.sent': SERVICE_NODES.storage,
  'metadata-write.sent': SERVICE_NODES.storage,
  'pointer-write.sent': SERVICE_NODES.coordination,
  'commit.sent': SERVICE_NODES.sink,
};

const RESTART_AFTER_US = 1_000_000;
/** While the message is on its way, and while the write is done and answered. */
const SILENT_FOR_US = 500_000;
const UNANSWERED_FOR_US = 300_000;

/** `target`: the checkpoint whose output shall be committed, by it or by a later one. Where a job has ended before it, its last one. */
export function supportOf(history: readonly HistoryEvent[], target: number): Support {
  const completed = history.flatMap(({ event }) => (event.kind === 'checkpoint-completed' ? [event.checkpointId] : []));
  const checkpoint = completed.find((id) => id >= target) ?? completed.at(-1);
  if (checkpoint === undefined) return { checkpoint: 0, elements: [] };
  const isOfCheckpoint = during([checkpoint], history);
  const isOfRestore = restoreBefore(checkpoint, history);
  const elements: SupportElement[] = [];
  const seen = new Set<string>();
  for (const { trigger, at } of crashPoints(history, (entry) => isOfCheckpoint(entry) || isOfRestore(entry))) {
    const node = history[at]?.node;
    const alike = `${trigger.point} ${trigger.checkpoint ?? ''} ${trigger.vertex ?? ''}`;
    if (node === undefined || seen.has(alike)) continue;
    seen.add(alike);
    const kinds: ElementKind[] = [
      'life',
      ...(trigger.point.endsWith('.sent') ? (['message'] as const) : []),
      ...(WRITTEN_TO[trigger.point] === undefined ? [] : (['write'] as const)),
    ];
    for (const kind of kinds) elements.push({ kind, trigger, node });
  }
  return { checkpoint, elements };
}

/** Restores of tasks behind the first fault and before the checkpoint was complete: without them it would not have been. */
function restoreBefore(checkpoint: number, history: readonly HistoryEvent[]): (entry: HistoryEvent) => boolean {
  const fault = history.findIndex(({ event }) => event.kind === 'fault-started');
  const done = history.findIndex(
    ({ event }) => event.kind === 'checkpoint-completed' && event.checkpointId === checkpoint,
  );
  return (entry) => fault >= 0 && entry.index > fault && entry.index < done && pointOf(entry)?.point === 'restored';
}

/** What takes the element away; undefined: nothing can (a service does not crash). */
export function faultAgainst(plan: SimulationPlan, { kind, trigger, node }: SupportElement): Fault | undefined {
  switch (kind) {
    case 'life':
      return machinesOf(plan).includes(node)
        ? { id: '', trigger, kind: 'crash', node, restartAfterUs: RESTART_AFTER_US }
        : undefined;
    case 'message': {
      const others = allNodes(plan.cluster).filter((other) => other !== node);
      const shape = { kind: 'partition', shape: 'one-way', oneWay: true } as const;
      return { id: '', trigger, ...shape, a: [node], b: others, forUs: SILENT_FOR_US };
    }
    case 'write': {
      const service = WRITTEN_TO[trigger.point];
      if (service === undefined) return undefined;
      const always = { numerator: 1, denominator: 1 };
      const effect = { kind: 'service', effect: 'unknown-outcome', factor: 1, chance: always } as const;
      return { id: '', trigger, ...effect, node: service, forUs: UNANSWERED_FOR_US };
    }
    default:
      return unreachable(kind);
  }
}

/** Names an element in sets. */
export const elementName = ({ kind, trigger, node }: SupportElement): string =>
  JSON.stringify([kind, node, trigger.point, trigger.checkpoint, trigger.vertex, trigger.subtask, trigger.occurrence]);
