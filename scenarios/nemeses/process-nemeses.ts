/** Nemeses of processes: who goes down, in which order, and at which moment it hurts. */
import type { NodeId } from '../../engine/foundation/ids.ts';
import { sampleUs } from '../../sim/kernel/distribution.ts';
import { jobManagerNodes, machineNodes, taskManagerNodes } from '../../sim/node-names.ts';
import { type FaultBody, lengthUs, type NemesisContext, type Step, withinUs } from './steps.ts';

/** Machines are dealt to so many racks in turn, each kind for itself, as schedulers spread them. */
const RACKS = 2;
/** Writes, restores ... behind the strike among which the one is drawn at which somebody dies. */
const OCCURRENCES_MAX = 6;

const crash = (node: NodeId, restartAfterUs: number): FaultBody => ({ kind: 'crash', node, restartAfterUs });

/** One machine after the other goes down and comes back, as in an upgrade of the cluster; the next does not wait for the last. */
export function rollingRestart(context: NemesisContext): Step[] {
  let afterUs = 0;
  return context
    .site('order')
    .shuffle(machineNodes(context.cluster))
    .map((node) => {
      const downUs = lengthUs(context);
      const step = { afterUs, fault: crash(node, downUs) };
      afterUs += downUs + withinUs(context, downUs);
      return step;
    });
}

/** All machines of a rack, within a moment; power is back for all at once. */
export function rackFailure(context: NemesisContext): Step[] {
  const rack = context.site('rack').choose(RACKS);
  const repairUs = lengthUs(context);
  const gone = [jobManagerNodes(context.cluster), taskManagerNodes(context.cluster)].flatMap((kind) =>
    kind.filter((_, index) => index % RACKS === rack),
  );
  return gone.map((node) => {
    const afterUs = withinUs(context, Math.floor(repairUs / 4));
    return { afterUs, fault: crash(node, repairUs - afterUs) };
  });
}

/**
 * Each machine dies while something that it sent is not durable yet: state of a TaskManager, metadata or pointer of a leader; those that write
 * nothing do not die. The storage may not have the file, have it and not have said so, or have a part of it.
 */
export function crashInFlightWrite(context: NemesisContext): Step[] {
  const { site, cluster, writes } = context;
  const dyingAt = (
    node: NodeId,
    points: readonly ('state-write.sent' | 'metadata-write.sent' | 'pointer-write.sent')[],
  ) => {
    const point = site('write').pick(points);
    // Somewhere within the time that such a write may take: milliseconds of a pointer, tens of them of a file.
    const onTheWayUs = sampleUs(point === 'pointer-write.sent' ? writes.pointer : writes.file, site('latency'));
    return {
      afterUs: site('in-flight').choose(onTheWayUs + 1),
      at: { point, node, occurrence: 1 + site('occurrence').choose(OCCURRENCES_MAX) },
      fault: crash(node, lengthUs(context)),
    };
  };
  const writer = site('who').pick(taskManagerNodes(cluster));
  return [
    dyingAt(writer, ['state-write.sent']),
    ...jobManagerNodes(cluster).map((node) => dyingAt(node, ['metadata-write.sent', 'pointer-write.sent'])),
  ];
}

/** Somebody dies, and somebody dies again at a point of the recovery from that; the second may be a JobManager or the same. */
export function killDuringRecovery(context: NemesisContext): Step[] {
  const { site, cluster } = context;
  const first = site('who').pick(taskManagerNodes(cluster));
  const kills = 1 + site('kills').choose(2);
  const again = Array.from({ length: kills }, (_, index) => ({
    afterUs: site('in-flight').choose(50_001),
    at: {
      point: site('point').pick(['restarting', 'restore.chosen', 'deployed', 'restored'] as const),
      occurrence: 1 + site('occurrence').choose(OCCURRENCES_MAX),
      since: index,
    },
    fault: crash(site('again').pick(machineNodes(context.cluster)), lengthUs(context)),
  }));
  return [{ afterUs: 0, fault: crash(first, lengthUs(context)) }, ...again];
}

/** Somebody stands still until everybody thinks it dead, and then goes on: a zombie. `for`: how long beyond that. */
export function pausePastLease(context: NemesisContext): Step[] {
  const { site, cluster, leaseUs, heartbeatTimeoutUs } = context;
  const isLeader = site('kind').choose(2) === 0;
  const node = site('who').pick(isLeader ? jobManagerNodes(cluster) : taskManagerNodes(cluster));
  const forUs = (isLeader ? leaseUs : heartbeatTimeoutUs) + lengthUs(context);
  return [{ afterUs: 0, fault: { kind: 'pause', node, forUs } }];
}
