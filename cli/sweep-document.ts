/** The JSON document of a sweep (`sweep --json`). Scripts read it; fields are added, never renamed. */
import { type FaultCount, type SweepSums, type Unreached, unreached } from '../reports/index.ts';
import { perSecond } from './figures-table.ts';
import { rounded } from './run-document.ts';
import type { SweepFailure, SweepOutcome } from './sweep-run.ts';

interface ScenarioDocument {
  readonly scenario: string;
  readonly lives: number;
  readonly passed: number;
  readonly violated: number;
  readonly notLive: number;
  readonly inconclusive: number;
  readonly livesWithDuplicates: number;
  readonly virtualMs: number;
  readonly events: number;
  readonly records: SweepSums['records'];
  readonly checkpoints: SweepSums['checkpoints'];
  readonly checkpointsCompleted: number;
  readonly restarts: number;
  readonly failovers: number;
  readonly faults: Readonly<Record<string, FaultCount>>;
  /** Nemeses and other patterns: strikes. Empty with a strategy, whose plans are no strikes. */
  readonly patterns: Readonly<Record<string, FaultCount>>;
  readonly probes: Readonly<Record<string, number>>;
  readonly probeLives: Readonly<Record<string, number>>;
  readonly margins: SweepSums['margins'];
  /** What the seeds drew: by path and choice, how many lives, and how many of them did not pass. */
  readonly swarm: SweepSums['swarm'];
  /** Digest of all digests in the order of the seeds; the same for any number of workers. */
  readonly digest: string;
}

export interface SweepDocument extends ScenarioDocument {
  readonly seeds: { readonly from: number; readonly to: number; readonly count: number };
  readonly shard: string;
  readonly workers: number;
  readonly failures: readonly SweepFailure[];
  readonly notDeterministic: readonly string[];
  readonly infrastructure: SweepOutcome['infrastructure'];
  readonly interrupted: boolean;
  /** Lives taken from the result folder instead of lived. */
  readonly resumed: number;
  readonly wallMs: number;
  readonly livesPerSecond: number;
  /** Probes, classes of faults and patterns that occurred in no life of the whole sweep. */
  readonly unreached: Unreached;
  readonly scenarios: readonly ScenarioDocument[];
}

export interface SweepDocumentParts {
  readonly outcome: SweepOutcome;
  readonly seeds: SweepDocument['seeds'];
  readonly shard: string;
  readonly workers: number;
  readonly interrupted: boolean;
  readonly wallMs: number;
}

export function sweepDocument({ outcome, wallMs, ...rest }: SweepDocumentParts): SweepDocument {
  const { total, perScenario, failures, notDeterministic, infrastructure, resumed } = outcome;
  return {
    ...scenarioDocument(perScenario.map(({ scenario }) => scenario).join(', '), total),
    ...rest,
    failures,
    notDeterministic,
    infrastructure,
    resumed,
    unreached: unreached(total),
    wallMs: rounded(wallMs),
    livesPerSecond: perSecond(total.lives - resumed, wallMs),
    scenarios: perScenario.map(({ scenario, sums }) => scenarioDocument(scenario, sums)),
  };
}

function scenarioDocument(scenario: string, sums: SweepSums): ScenarioDocument {
  const { verdicts, checkpoints, lives, livesWithDuplicates, virtualMs, events, records, restarts, failovers } = sums;
  return {
    scenario,
    lives,
    passed: verdicts.passed,
    violated: verdicts.violated,
    notLive: verdicts['not-live'],
    inconclusive: verdicts.inconclusive,
    livesWithDuplicates,
    virtualMs,
    events,
    records,
    checkpoints,
    checkpointsCompleted: checkpoints.completed,
    restarts,
    failovers,
    faults: sums.faults,
    patterns: sums.patterns,
    probes: sums.probes,
    probeLives: sums.probeLives,
    margins: sums.margins,
    swarm: sums.swarm,
    digest: sums.digest,
  };
}
