/** What a sink says of its transactions to the subtask it ends (rows K9, C14): to the checkpoint, to the life, and as facts. */
import type { SinkHost } from '../connectors/open-sink.ts';
import type { CommitFact } from '../connectors/sink/committer-operator.ts';
import { type CheckpointId, checkpointId } from '../foundation/ids.ts';
import type { Out } from '../protocol/actor.ts';
import type { TaskDeployment, TaskFailure } from '../protocol/task.ts';
import type { SubtaskCheckpoint } from './subtask-checkpoint.ts';

type TaskIdentity = Pick<TaskDeployment, 'attempt' | 'vertex' | 'subtask'>;

export interface SinkHostOptions {
  readonly task: TaskIdentity;
  readonly checkpoint: Pick<SubtaskCheckpoint, 'preCommitted'>;
  readonly initialized: (out: Out) => void;
  readonly fail: (failure: TaskFailure, out: Out) => void;
}

export function sinkHostOf({ task, checkpoint, initialized, fail }: SinkHostOptions): SinkHost {
  const factOf = (of: CommitFact): TaskIdentity & { transaction: string; checkpointId: CheckpointId } => ({
    ...task,
    transaction: of.transaction,
    checkpointId: checkpointId(of.checkpointId),
  });
  return {
    initialized,
    preCommitted: (id, nowUs, out) => checkpoint.preCommitted(id, nowUs, out),
    fail,
    reportCommit: (fact, out) => out.report({ kind: 'commit-sent', ...factOf(fact) }),
    reportCommitFailure: (fact, outcome, out) => out.report({ kind: 'commit-failed', ...factOf(fact), outcome }),
  };
}
