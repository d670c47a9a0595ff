/**
 * Campaigns as the field has them, from published statistics. Times pass `timeScale` as fast as there, so that a life of a minute sees
 * what an hour brings.
 *
 * Sources: Alquraan et al., OSDI '18 (shapes of partitions and who is cut off), the study of CENIC's five years (software-caused partitions:
 * median 162 s, sigma 1.21; the nearest integer table is 1.2), Ford et al., OSDI '10 (37 % of node failures in bursts of 120 s, of one rack
 * above 70 %), Hazelcast's measurements of garbage collectors (pauses of 200 ms to minutes).
 */
import type { NodeId } from '../../engine/foundation/ids.ts';
import { type Distribution, lognormal, longestUs, sampleUs } from '../../sim/kernel/distribution.ts';
import { allNodes, jobManagerNodes, machineNodes, SERVICE_NODES, taskManagerNodes } from '../../sim/node-names.ts';
import type { Ratio } from '../scenario.ts';
import type { FaultBody, NemesisContext, Step } from './steps.ts';

const PARTITION: Distribution = lognormal({ medianUs: 162_000_000, sigma: '1.2' });
/** A process starts again at once or its machine boots: half a minute to ten. */
const REPAIR: Distribution = lognormal({ medianUs: 120_000_000, sigma: '0.9' });
/** A full collection of a large heap. */
const COLLECTION: Distribution = lognormal({ medianUs: 12_000_000, sigma: '0.9' });
const BURST_US = 120_000_000;
const PERCENT = 100;
const COMPLETE_PERCENT = 69;
const PARTIAL_PERCENT = 29;
const SINGLE_NODE_PERCENT = 88;
/** Of the cuts of a single node: any worker. The rest: the leader or a central service. */
const WORKER_PERCENT = 51;
const BURST_PERCENT = 37;
const SAME_RACK_PERCENT = 70;
const RACKS = 2;

/** A partition; what else happens in its time are other rules of the scenario. */
export function publishedPartition(context: NemesisContext): Step[] {
  const { site, cluster } = context;
  const forUs = scaledUs(context, sampleUs(PARTITION, site('for')));
  const shape = site('shape').choose(PERCENT);
  const a = site('single').choose(PERCENT) < SINGLE_NODE_PERCENT ? [oneOf(context)] : halfOf(context);
  const rest = allNodes(cluster).filter((node) => !a.includes(node));
  const cut = (other: Pick<Extract<FaultBody, { kind: 'partition' }>, 'shape' | 'b' | 'oneWay'>): Step[] => [
    { afterUs: 0, fault: { kind: 'partition', a, ...other, forUs } },
  ];
  if (shape < COMPLETE_PERCENT)
    return cut({ shape: a.length === 1 ? 'isolate-one' : 'halves', b: rest, oneWay: false });
  // Partial: some still see both sides.
  const some = site('peers').shuffle(rest);
  const seen = some.slice(0, 1 + site('how-many').choose(Math.max(1, some.length - 1)));
  if (shape < COMPLETE_PERCENT + PARTIAL_PERCENT) return cut({ shape: 'pair', b: seen, oneWay: false });
  return cut({ shape: 'one-way', b: rest, oneWay: true });
}

/** A node fails, or several within the time of a burst, mostly of one rack. */
export function publishedFailure(context: NemesisContext): Step[] {
  const { site, cluster } = context;
  const order = site('order').shuffle(machineNodes(cluster));
  const [first, ...rest] = order;
  if (first === undefined) return [];
  const crash = (node: NodeId, afterUs: number): Step => ({
    afterUs,
    fault: { kind: 'crash', node, restartAfterUs: scaledUs(context, sampleUs(REPAIR, site('for'))) },
  });
  if (site('burst').choose(PERCENT) >= BURST_PERCENT) return [crash(first, 0)];
  const near = rest.filter((node) => rackOf(node) === rackOf(first));
  const far = rest.filter((node) => rackOf(node) !== rackOf(first));
  const isSameRack = site('same-rack').choose(PERCENT) < SAME_RACK_PERCENT && near.length > 0;
  const candidates = isSameRack ? near : [...far, ...near];
  const more = candidates.slice(0, 1 + site('how-many').choose(Math.max(1, candidates.length)));
  return [crash(first, 0), ...more.map((node) => crash(node, scaledUs(context, site('gap').choose(BURST_US))))];
}

/** A collector stops a process; a slow machine is slow for minutes instead. */
export function publishedStall(context: NemesisContext): Step[] {
  const { site, cluster } = context;
  const node = site('who').pick(machineNodes(cluster));
  if (site('kind').choose(2) === 0)
    return [
      { afterUs: 0, fault: { kind: 'pause', node, forUs: scaledUs(context, sampleUs(COLLECTION, site('for'))) } },
    ];
  const forUs = scaledUs(context, sampleUs(PARTITION, site('for')));
  const factor = 2 + site('factor').choose(49);
  const b = allNodes(cluster).filter((other) => other !== node);
  return site('what').choose(2) === 0
    ? [{ afterUs: 0, fault: { kind: 'slow-cpu', node, factor, forUs } }]
    : [{ afterUs: 0, fault: { kind: 'slow-link', a: [node], b, factor, forUs } }];
}

/** A worker, a JobManager, or the storage. */
function oneOf({ site, cluster }: NemesisContext): NodeId {
  if (site('worker').choose(PERCENT) < WORKER_PERCENT) return site('who').pick(taskManagerNodes(cluster));
  return site('who').pick([...jobManagerNodes(cluster), SERVICE_NODES.storage]);
}

function halfOf({ site, cluster }: NemesisContext): NodeId[] {
  const machines = site('half').shuffle(machineNodes(cluster));
  return machines.slice(0, Math.max(1, Math.floor(machines.length / 2)));
}

const rackOf = (node: NodeId): number => Number(/-(\d+)$/.exec(node)?.[1] ?? 0) % RACKS;

/** How long none of these keeps a machine from others, at that pace. */
export const longestPartitionUs = (timeScale: Ratio): number => scaledUs({ timeScale }, longestUs(PARTITION));
export const longestRepairUs = (timeScale: Ratio): number => scaledUs({ timeScale }, longestUs(REPAIR));
/** Of a collection, of a slow machine, of a slow link. */
export const longestStallUs = (timeScale: Ratio): number =>
  scaledUs({ timeScale }, Math.max(longestUs(COLLECTION), longestUs(PARTITION)));

const scaledUs = ({ timeScale }: Pick<NemesisContext, 'timeScale'>, us: number): number =>
  Math.max(1_000, Math.floor((us * timeScale.numerator) / timeScale.denominator));
