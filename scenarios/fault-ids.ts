/** Ids for faults that join a plan: above those there are, since what was left out may have left gaps. */
import type { Fault } from '../sim/faults/fault.ts';

/** The list with further faults behind it, each under an id of its own. */
export function withFaultsBehind(faults: readonly Fault[], further: readonly Fault[]): readonly Fault[] {
  const list = [...faults];
  for (const fault of further) list.push({ ...fault, id: nextFaultId(list) });
  return list;
}

/** `f7`, where `f6` is the highest of these. */
function nextFaultId(faults: readonly Pick<Fault, 'id'>[]): string {
  const numbers = faults.map(({ id }) => Number(/^f(\d+)$/.exec(id)?.[1] ?? 0));
  return `f${Math.max(0, ...numbers) + 1}`;
}
