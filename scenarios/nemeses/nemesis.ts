/**
 * Named nemeses: patterns of faults that belong together, each drawn as a whole where a rule of the scenario strikes.
 *
 * Owns: their names, what each is, how long its parts usually last. Does not own: the steps (the files beside), the drawing of a rule
 * (fault-draws.ts).
 *
 * I1: a strike is a function of its context and its streams; what it makes are plain faults of the plan;
 * I2: `any` draws among the nemeses only, never among the published campaigns, whose frequency is part of what they say.
 */
import { assert } from '../../engine/foundation/assert.ts';
import type { RuntimeConfiguration } from '../../engine/protocol/configuration.ts';
import type { Range, Ratio } from '../scenario.ts';
import type { NemesisName } from './nemesis-name.ts';
import {
  appendAfterAbort,
  bridge,
  coordinatorCutFromElection,
  coordinatorCutFromStorage,
  holdAndRelease,
  ringOfMajorities,
  swizzleClog,
} from './network-nemeses.ts';
import {
  crashInFlightWrite,
  killDuringRecovery,
  pausePastLease,
  rackFailure,
  rollingRestart,
} from './process-nemeses.ts';
import {
  longestPartitionUs,
  longestRepairUs,
  longestStallUs,
  publishedFailure,
  publishedPartition,
  publishedStall,
} from './published-nemeses.ts';
import type { NemesisContext, Step } from './steps.ts';

export interface Nemesis {
  readonly name: NemesisName;
  /** One line. */
  readonly description: string;
  /** Length of the whole or of a part, where a rule does not say. */
  readonly forUs: Range;
  readonly strike: (context: NemesisContext) => Step[];
  /** Of one whose times are those of the field: its longest part at that pace, whatever `forUs` says. */
  readonly publishedUs?: (timeScale: Ratio) => number;
}

const seconds = (low: number, high: number): Range => ({ low: low * 1_000_000, high: high * 1_000_000 });

export const NEMESES: readonly Nemesis[] = [
  {
    name: 'swizzle-clog',
    description: 'some machines are clogged one by one in any order, and unclogged one by one in another',
    forUs: seconds(2, 10),
    strike: swizzleClog,
  },
  {
    name: 'bridge',
    description: 'two halves of the machines, and one machine that sees both',
    forUs: seconds(1, 10),
    strike: bridge,
  },
  {
    name: 'ring-of-majorities',
    description: 'each machine hears a majority, and no two the same one',
    forUs: seconds(1, 10),
    strike: ringOfMajorities,
  },
  {
    name: 'hold-and-release',
    description: 'what a machine says is held while it dies and comes back, and arrives afterwards',
    forUs: seconds(1, 8),
    strike: holdAndRelease,
  },
  {
    name: 'append-after-abort',
    description: 'the last writes of a dead TaskManager reach the sink when its transactions are aborted',
    forUs: seconds(2, 10),
    strike: appendAfterAbort,
  },
  {
    name: 'coordinator-cut-from-storage',
    description: 'no JobManager reaches the checkpoint storage, all TaskManagers do',
    forUs: seconds(1, 10),
    strike: coordinatorCutFromStorage,
  },
  {
    name: 'coordinator-cut-from-election',
    description: 'one JobManager loses sight of what elects leaders, and of nothing else',
    forUs: seconds(2, 12),
    strike: coordinatorCutFromElection,
  },
  {
    name: 'rolling-restart',
    description: 'all machines go down and come back one after another',
    forUs: seconds(0.5, 3),
    strike: rollingRestart,
  },
  {
    name: 'rack-failure',
    description: 'half of the machines of each kind go down within a moment and come back together',
    forUs: seconds(1, 6),
    strike: rackFailure,
  },
  {
    name: 'crash-in-flight-write',
    description: 'machines die while something that they sent is not known to be durable',
    forUs: seconds(0.5, 4),
    strike: crashInFlightWrite,
  },
  {
    name: 'kill-during-recovery',
    description: 'a TaskManager dies, and others at points of the recovery from that',
    forUs: seconds(0.5, 4),
    strike: killDuringRecovery,
  },
  {
    name: 'pause-past-lease',
    description: 'a machine stands still until it counts as lost, and so much longer',
    forUs: seconds(0.1, 5),
    strike: pausePastLease,
  },
  {
    name: 'published-partition',
    description: 'a partition as in the field: 69 % complete, 29 % partial, 2 % one-way, mostly of one node',
    forUs: seconds(0, 0),
    strike: publishedPartition,
    publishedUs: longestPartitionUs,
  },
  {
    name: 'published-failure',
    description: 'failures of nodes as in the field: 37 % in bursts, mostly of one rack',
    forUs: seconds(0, 0),
    strike: publishedFailure,
    publishedUs: longestRepairUs,
  },
  {
    name: 'published-stall',
    description: 'collections of garbage, slow machines and slow links as in the field',
    forUs: seconds(0, 0),
    strike: publishedStall,
    publishedUs: longestStallUs,
  },
];

const DRAWN: readonly Nemesis[] = NEMESES.filter(({ publishedUs }) => publishedUs === undefined);

export interface NemesisAction {
  readonly name: NemesisName | 'any';
  readonly forUs?: Range;
  readonly timeScale: Ratio;
}

/** The steps of one strike of a rule, and which nemesis it is. */
export function stepsOf(
  { name, forUs, timeScale }: NemesisAction,
  context: Omit<NemesisContext, 'forUs' | 'timeScale'>,
): { readonly name: NemesisName; readonly steps: Step[] } {
  const nemesis =
    name === 'any' ? context.site('nemesis').pick(DRAWN) : NEMESES.find((candidate) => candidate.name === name);
  assert(nemesis !== undefined, 'a nemesis that has a name is in the list', { name });
  // Each has streams of its own: what another one draws shifts nothing here.
  const site = (purpose: string) => context.site(`${nemesis.name}/${purpose}`);
  const steps = nemesis.strike({ ...context, site, forUs: forUs ?? nemesis.forUs, timeScale });
  return { name: nemesis.name, steps };
}

/** An upper bound of how long one strike may keep a machine from others. `any` is never a published one (I2). */
export function longestNemesisUs({ name, forUs, timeScale }: NemesisAction, runtime: RuntimeConfiguration): number {
  const asked = name === 'any' ? DRAWN : NEMESES.filter((nemesis) => nemesis.name === name);
  const usual = asked.map((nemesis) => nemesis.publishedUs?.(timeScale) ?? (forUs ?? nemesis.forUs).high);
  return Math.max(...usual) + Math.max(runtime.leaseUs, runtime.heartbeatTimeoutUs);
}
