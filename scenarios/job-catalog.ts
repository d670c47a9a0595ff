/**
 * The jobs a scenario can name: an explicit list, so that what can run is found by reading.
 */
import { broadcastRules } from './jobs/broadcast-rules.ts';
import { checkedExchanges } from './jobs/checked-exchanges.ts';
import { evolvingCounts } from './jobs/evolving-counts.ts';
import { evolvingProfile } from './jobs/evolving-profile.ts';
import { flightDelays } from './jobs/flight-delays.ts';
import type { JobDefinition } from './jobs/job-definition.ts';
import { keyedCascade } from './jobs/keyed-cascade.ts';
import { flightWindows } from './jobs/flight-windows.ts';
import { hourlyCounts } from './jobs/hourly-counts.ts';
import { auditedCommits } from './jobs/audited-commits.ts';
import { keyedCount } from './jobs/keyed-count.ts';
import { keyedStates } from './jobs/keyed-states.ts';
import { nexmark } from './jobs/nexmark/nexmark.ts';
import { bufferingMap, unionOffsets } from './jobs/operator-lists.ts';
import { ledgeredCounts } from './jobs/ledgered-counts.ts';
import { parallelPipelines } from './jobs/parallel-pipelines.ts';
import { recentCounts } from './jobs/recent-counts.ts';
import { renewedCounts } from './jobs/renewed-counts.ts';
import { statesWhenAsked } from './jobs/states-when-asked.ts';
import { splitCount } from './jobs/split-count.ts';
import { batchCleaning } from './jobs/batch-cleaning.ts';
import { logAnalytics } from './jobs/log-analytics.ts';
import { tradeMonitoring } from './jobs/trade-monitoring.ts';
import { versionedTallies } from './jobs/versioned-tallies.ts';
import { stagedCount } from './jobs/staged-count.ts';

export const JOB_CATALOG: readonly JobDefinition[] = [
  keyedCount,
  auditedCommits,
  keyedCascade,
  flightDelays,
  parallelPipelines,
  ledgeredCounts,
  splitCount,
  stagedCount,
  checkedExchanges,
  broadcastRules,
  bufferingMap,
  unionOffsets,
  hourlyCounts,
  flightWindows,
  keyedStates,
  statesWhenAsked,
  recentCounts,
  renewedCounts,
  evolvingProfile,
  evolvingCounts,
  versionedTallies,
  tradeMonitoring,
  logAnalytics,
  batchCleaning,
  nexmark,
];

/** The job of a name; undefined when there is none. */
export function jobNamed(name: string, catalog: readonly JobDefinition[] = JOB_CATALOG): JobDefinition | undefined {
  return catalog.find((job) => job.name === name);
}
