/** Committers behind their writers (rows K5, K6, K8, B11; X61 SinkV2ITCase). */
import { describe, expect, it } from 'vitest';
import { StreamExecutionEnvironment } from '../../../../../engine/api/stream-execution-environment.ts';
import { supportsUnaligned } from '../../../../../engine/barrier/barrier-alignment.ts';
import { CommitterOperator } from '../../../../../engine/connectors/sink/committer-operator.ts';
import { CommitterTask } from '../../../../../engine/connectors/sink/committer-task.ts';
import type {
  CommitAnswer,
  CommitAnswered,
  Committer,
  CommitOutcome,
  CommittableWithLineage,
} from '../../../../../engine/connectors/sink/sink-contract.ts';
import type { JobGraph, KafkaSinkSpec } from '../../../../../engine/job/job-graph.ts';
import { withParallelism } from '../../../../../engine/job/scaled-graph.ts';
import { standardParts } from '../../../../../engine/parts.ts';
import { id } from '../../../../support/engine-values.ts';
import { RecordingOut } from '../../../../support/recording-out.ts';

/** The test sink of the ITCase: notes what is committed, and answers when it is told. */
class TestCommitter implements Committer {
  readonly commits: string[] = [];
  #answered: CommitAnswered | undefined;

  commit({ committable }: CommittableWithLineage, answered: CommitAnswered): void {
    this.commits.push(committable);
    this.#answered = answered;
  }

  answer(outcome: CommitOutcome, out: RecordingOut): void {
    const answer: CommitAnswer = { outcome, reason: outcome, failure: 'commit-failed' };
    this.#answered?.(answer, out);
  }

  transactionOf(committable: string): string {
    return committable;
  }

  handleReply(): void {
    // It is answered by the test.
  }

  handleTimer(): boolean {
    return false;
  }
}

function bench(isGlobal: boolean) {
  const told: string[] = [];
  const committer = new TestCommitter();
  const operator = new CommitterOperator({
    committer,
    parts: standardParts,
    retryDelayUs: 5,
    isGlobal,
    host: {
      fail: (failure) => told.push(failure),
      reportCommit: () => undefined,
      reportCommitFailure: ({ transaction }, reason) => told.push(`${reason} ${transaction}`),
      committed: (request, isDropped, lateOut) => {
        told.push(`committed ${request.committable}`);
        if (!isDropped) task.committed(request, lateOut);
      },
    },
  });
  const initialized = (): number => told.push('initialized');
  const behind: unknown[] = [];
  const place = { uid: 'c', subtask: 0, parallelism: 1 };
  const task = new CommitterTask({
    ...place,
    committer: operator,
    behind: { process: (value) => behind.push(value) },
    initialized,
  });
  const out = new RecordingOut((timer, nowUs, lateOut) => task.handleTimer(timer, nowUs, lateOut));
  /** What a writer of two sends for a checkpoint. */
  const group = (checkpointId: number, subtask: number, ...committables: string[]): void => {
    task.process({ kind: 'committable-summary', checkpointId, subtask, subtasks: 2, count: committables.length });
    for (const committable of committables) task.process({ kind: 'committable', checkpointId, subtask, committable });
  };
  return { told, committer, task, out, group, behind };
}

const NOTHING = { committables: [], writers: [] };

describe('a committer behind its writers', () => {
  it('K8: what is committed goes to whoever is behind, once the end of data has not left', () => {
    const { task, out, group, committer, behind } = bench(false);
    task.initialize(NOTHING, 0, out);
    group(1, 0, 'a');
    group(2, 0, 'b');
    task.notifyComplete(id(1), out);
    expect(behind).toEqual([]);
    committer.answer('committed', out);
    expect(behind).toEqual([{ kind: 'committable', checkpointId: 1, subtask: 0, committable: 'a' }]);
    task.endInput();
    task.notifyComplete(id(2), out);
    committer.answer('committed', out);
    expect(behind).toHaveLength(1);
  });

  it('K6: commits on notice, in order, one at a time; committed already is as good as committed', () => {
    const { task, out, group, committer, told } = bench(false);
    task.initialize(NOTHING, 0, out);
    group(1, 0, 'a', 'b');
    group(2, 0, 'c');
    expect(committer.commits).toEqual([]);
    task.notifyComplete(id(1), out);
    committer.answer('already-committed', out);
    committer.answer('committed', out);
    expect(committer.commits).toEqual(['a', 'b']);
    expect(told).toEqual(['initialized', 'committed a', 'committed b']);
    expect(task.snapshot().committables.map(({ committable }) => committable)).toEqual(['c']);
  });

  it('K6: what failed for a known reason is dropped and said, for an unknown one it fails the job', () => {
    const { task, out, group, committer, told } = bench(false);
    task.initialize(NOTHING, 0, out);
    group(1, 0, 'a', 'b');
    task.notifyComplete(id(1), out);
    committer.answer('failed-known', out);
    committer.answer('failed-unknown', out);
    expect(told).toEqual(['initialized', 'failed-known a', 'committed a', 'failed-unknown b', 'commit-failed']);
    expect(task.snapshot().committables.map(({ committable }) => committable)).toEqual(['b']);
  });

  it('K7: what was restored is committed before the subtask runs', () => {
    const { task, out, committer, told } = bench(false);
    const row = { checkpointId: 3, subtask: 0, subtasks: 2, expected: 1, received: 1, committable: 'a' };
    task.initialize({ committables: [row], writers: [] }, 3, out);
    expect(told).toEqual([]);
    committer.answer('committed', out);
    expect(told).toEqual(['committed a', 'initialized']);
  });

  it('K8: a global one waits for what was announced, also after the notice', () => {
    const { task, out, group, committer } = bench(true);
    task.initialize(NOTHING, 0, out);
    group(1, 0, 'a');
    task.process({ kind: 'committable-summary', checkpointId: 1, subtask: 1, subtasks: 2, count: 1 });
    task.notifyComplete(id(1), out);
    expect(committer.commits).toEqual([]);
    task.process({ kind: 'committable', checkpointId: 1, subtask: 1, committable: 'b' });
    task.notifyComplete(id(2), out);
    expect(committer.commits).toEqual(['a']);
  });

  it('K8: anything but a committable is a broken assumption', () => {
    expect(() => bench(false).task.process({ key: 'a', count: 1 })).toThrow(/sends committables/);
  });
});

describe('the graph of a sink', () => {
  const graphOf = (committer: NonNullable<KafkaSinkSpec['committer']> | 'beside'): JobGraph => {
    const env = new StreamExecutionEnvironment({ jobId: 'job', name: 'Job', parallelism: 3 });
    const kafka = { partitions: 1, naming: 'incrementing', transactionTimeoutUs: 1 } as const;
    env
      .fromLog<number>({ topic: 't', partitions: [0, 1, 2], uid: 'source' })
      .rebalance()
      .map((value) => value)
      .sinkTo({ guarantee: 'exactly-once', kafka: committer === 'beside' ? kafka : { ...kafka, committer } })
      .uid('out');
    return env.jobGraph();
  };
  const shapeOf = ({ vertices }: JobGraph): [string, number][] =>
    vertices.map(({ name, parallelism }) => [name, parallelism]);

  it('X61, B11: barriers may overtake on every exchange but the one within the sink', () => {
    const graph = graphOf('separate');
    expect(graph.edges.map((edge) => [edge.sinkInternal === true, supportsUnaligned(graph, edge)])).toEqual([
      [false, true],
      [true, false],
    ]);
  });

  it('K8: one committer for each writer, one for all, or none of its own', () => {
    expect(shapeOf(graphOf('beside')).at(-1)).toEqual(['Map -> Sink', 3]);
    expect(shapeOf(graphOf('separate')).at(-1)).toEqual(['Committer', 3]);
    expect(shapeOf(graphOf('global')).at(-1)).toEqual(['Global committer', 1]);
    expect(graphOf('global').vertices.at(-1)?.operators[0]?.uid).toBe('out-committer');
  });

  it('K8: whatever the parallelism, there is one global committer', () => {
    expect(shapeOf(withParallelism(graphOf('global'), 2))).toEqual([
      ['Source: t', 2],
      ['Map -> Sink', 2],
      ['Global committer', 1],
    ]);
  });
});
