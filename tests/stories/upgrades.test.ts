/**
 * A job that begins again as another version (rows S13, S24, C31; X17 RestoreUpgradedJob, SnapshotMigration): who asks for it is told when it runs
 * or why it cannot, what it was to begin from stays, and whoever leads next runs the same version.
 */
import { describe, expect, it } from 'vitest';
import { nodeId } from '../../engine/foundation/ids.ts';
import type { ThenResume } from '../../engine/protocol/client-operations.ts';
import { JOB_CATALOG } from '../../scenarios/job-catalog.ts';
import type { JobDefinition } from '../../scenarios/jobs/job-definition.ts';
import type { LiveOptions } from '../../scenarios/live.ts';
import type { Fault } from '../../sim/faults/fault.ts';
import type { JobAudit } from '../../sim/judges/job-audit.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { findings, liveIt, planOf, probesOf } from '../support/lives.ts';

type Version = Pick<ThenResume, 'version' | 'fallBack'> & { readonly allowNonRestored?: boolean };

/** Stopped with a savepoint after so many seconds, then begun as that version. */
const upgrade = (seconds: number, { allowNonRestored = false, ...version }: Version): Fault => ({
  id: `upgrade-${seconds}`,
  kind: 'operation',
  trigger: { atUs: seconds * 1_000_000 },
  command: {
    kind: 'stop-with-savepoint',
    drain: false,
    format: 'canonical',
    thenResume: { from: 'what-it-left', claimMode: 'no-claim', allowNonRestored, ...version },
  },
});

const leaderCrashes = (seconds: number): Fault => ({
  id: `crash-${seconds}`,
  kind: 'crash',
  node: nodeId('jobmanager-1'),
  restartAfterUs: 20_000_000,
  trigger: { atUs: seconds * 1_000_000 },
});

function lived(faults: readonly Fault[], options: Partial<LiveOptions> = {}): RunRecord {
  return liveIt({ ...planOf('upgrade-under-faults', '1'), faults }, { keepHistory: true, ...options });
}

/** What the client was told of each submission. */
const answers = (record: RunRecord): string[] =>
  record.history.flatMap(({ event }) =>
    event.kind === 'operation-answered' && event.operation === 'resume' ? [event.reason || event.outcome] : [],
  );

const FORM_1 = 'record@1(count: int@1, size: enum@1(small: symbol@1, busy: symbol@1), farthest: int@1)';
const FORM_3 = 'record@1(count: string@1, size: enum@1(small: symbol@1, busy: symbol@1), farthest: int@1)';

/** All jobs, with an audit that makes something else of a state. */
function misjudging(state: string, wrong: (content: unknown) => unknown): readonly JobDefinition[] {
  const changed = (audit: JobAudit): JobAudit => ({
    ...audit,
    upgraded: (left) => {
      const content = audit.upgraded?.(left);
      return left.state === state ? wrong(content) : content;
    },
  });
  return JOB_CATALOG.map((job): JobDefinition => {
    const build: JobDefinition['build'] = (input) => {
      const built = job.build(input);
      return { ...built, audit: changed(built.audit) };
    };
    return { ...job, build };
  });
}

const violatedBy = ({ verdicts }: RunRecord): string[] =>
  verdicts.filter(({ outcome }) => outcome === 'violated').map(({ judge }) => judge);

describe('a job of another version', () => {
  it('goes on with migrated state, also under the next leader (X17 SnapshotMigration)', () => {
    const record = lived([upgrade(4, { version: 2 }), leaderCrashes(7)]);
    expect(record.verdict, findings(record)).toBe('passed');
    expect(answers(record)).toEqual(['done']);
    expect(record.history.some(({ event }) => event.kind === 'leadership-acquired' && event.epoch === 2)).toBe(true);
  });

  it('that cannot read the state is answered with operator, state and both forms; the version before begins from the same savepoint', () => {
    const record = lived([upgrade(4, { version: 3, fallBack: 1 })]);
    expect(record.verdict, findings(record)).toBe('passed');
    const why = `operator 'profiles': state 'profile' has type ${FORM_1}, which cannot be read as ${FORM_3}`;
    expect(answers(record)).toEqual([why, 'done']);
  });

  it('that cannot read the state is answered so by the next leader, too', () => {
    const record = lived([upgrade(4, { version: 3, fallBack: 1 }), leaderCrashes(4.2)]);
    expect(record.verdict, findings(record)).toBe('passed');
    expect(answers(record)).toHaveLength(2);
    expect(answers(record)[0]).toContain('which cannot be read as');
  });

  it('with other key groups than its state fails when it is to be deployed, and the version before begins from the same savepoint (C31)', () => {
    const jobs = JOB_CATALOG.map((job): JobDefinition => {
      const build: JobDefinition['build'] = (input) => {
        const built = job.build(input);
        if (input.parameters['version'] !== 2) return built;
        const fixed = { maxParallelism: 64, hasExplicitMaxParallelism: true } as const;
        return {
          ...built,
          graph: { ...built.graph, vertices: built.graph.vertices.map((one) => ({ ...one, ...fixed })) },
        };
      };
      return { ...job, build };
    });
    const record = lived([upgrade(4, { version: 2, fallBack: 1 })], { jobs });
    expect(probesOf(record)).toContain('restore-refused');
    expect(answers(record)).toEqual(['the job failed', 'done']);
    expect(record.verdict, findings(record)).toBe('passed');
  });

  it('without one of the operators is refused, unless its state is given up (C31 allowNonRestoredState)', () => {
    const refused = lived([upgrade(4, { version: 4, fallBack: 1 })]);
    expect(refused.verdict, findings(refused)).toBe('passed');
    expect(answers(refused)).toEqual(["the job has no operator 'archive', whose state is in the snapshot", 'done']);
    // The next leader reads the savepoint itself: that state is given up is durable, too.
    const given = lived([upgrade(4, { version: 4, allowNonRestored: true }), leaderCrashes(4.2)]);
    expect(given.verdict, findings(given)).toBe('passed');
    expect(answers(given)).toEqual(['done']);
  });

  it('is judged by what its audit makes of the state before (X17 RestoreUpgradedJob)', () => {
    const jobs = misjudging('profile', (content) => ({ ...(content as object), since: 1 }));
    const violated = violatedBy(lived([upgrade(4, { version: 2 })], { jobs }));
    expect(violated).toEqual(['exactly-once-output', 'exactly-once-state', 'consistent-cut']);
  });

  it('and of the lists that belong to no key', () => {
    const jobs = misjudging('seen', (content) => (content as readonly object[]).map((seen) => ({ ...seen, by: 2 })));
    const violated = violatedBy(lived([upgrade(4, { version: 2 })], { jobs }));
    expect(violated).toEqual(['exactly-once-state', 'consistent-cut']);
  });
});

describe('versions that cannot read what is kept, each for another reason', () => {
  const TALLY = 'row@1(records: int@1, farthest: int@1)';
  const SEEN = 'tuple@1(0: string@1, 1: int@1)';
  /** By version. */
  const REASONS: ReadonlyMap<number, string> = new Map([
    [
      3,
      `operator 'tally': state 'tally' has type ${TALLY}, which cannot be read as row@1(records: int@1, longest: int@1)`,
    ],
    [
      4,
      `operator 'see': operator state 'seen' has type ${SEEN}, which cannot be read as row@1(place: string@1, times: int@1)`,
    ],
    [5, "operator state 'seen' was stored as split-distribute, which cannot become broadcast"],
    [6, "operator state 'seen' was stored as split-distribute, which cannot become union"],
    [7, "operator 'tally': state 'count' is a value state, not a list state"],
    [
      8,
      `operator 'tally': state 'tally' has type ${TALLY}, which cannot be read as row@1(records: int@1, farthest: string@1)`,
    ],
  ]);

  it('S6, S7, S13: are refused by that reason, and the one before goes on; that entries expire is none (S12)', () => {
    const tried = [...REASONS.keys()].map((version, index) => upgrade(2 + 2.6 * index, { version, fallBack: 1 }));
    const record = liveIt(
      { ...planOf('refused-versions', '1'), faults: [...tried, upgrade(17.6, { version: 2 })] },
      { keepHistory: true },
    );
    expect(record.verdict, findings(record)).toBe('passed');
    expect(answers(record)).toEqual([...REASONS.values()].flatMap((why) => [why, 'done']).concat('done'));
  });
});

describe('a job of another version whose state waits for timers (decision 0106)', () => {
  const plan = planOf('upgrade-event-time', '1');
  const job = { ...plan.job, parameters: { ...plan.job.parameters, minutes: 0.001, time: 'log', outOfOrderness: 0 } };
  const topics = plan.topics.map((topic) => ({ ...topic, bounded: true }));
  const upgraded = (faults: readonly Fault[], options: Partial<LiveOptions> = {}): RunRecord =>
    liveIt({ ...plan, job, topics, faults }, { keepHistory: true, ...options });

  interface Closed {
    readonly key: string;
    readonly end: number;
    readonly count: number;
    readonly closedBy?: number;
  }
  const closedIn = ({ history }: RunRecord): readonly Closed[] =>
    history.flatMap(({ event }) => (event.kind === 'transaction-committed' ? (event.values as Closed[]) : []));

  it('S11: the next version closes what the one before has begun, by its timer, with the records of both', () => {
    const before = closedIn(upgraded([]));
    const record = upgraded([upgrade(6, { version: 2 })]);
    expect(record.verdict, findings(record)).toBe('passed');
    const closed = closedIn(record);
    const plainly = (all: readonly Closed[]): string[] =>
      all.map(({ key, end, count }) => `${key}/${end}/${count}`).sort((a, b) => (a < b ? -1 : 1));
    expect(plainly(closed)).toEqual(plainly(before));
    expect(new Set(closed.map(({ closedBy }) => closedBy))).toEqual(new Set([undefined, 2]));
  });

  it('is judged by what it shows: a count that the upgrade changed is found', () => {
    const oneMore = (content: unknown): unknown =>
      new Map([...(content as Map<number, number>)].map(([end, count]) => [end, count + 1]));
    const jobs = misjudging('counts-by-span-end', oneMore);
    expect(violatedBy(upgraded([upgrade(6, { version: 2 })], { jobs }))).toContain('exactly-once-output');
  });
});
