/**
 * Scenarios for situations that no other one reaches for certain (docs/probes.md): each leads into one or two of them on purpose, with every
 * judge watching.
 */
interface RareScenario {
  readonly name: string;
  readonly folder: 'rare';
  /** One line. */
  readonly description: string;
}

export const RARE_SCENARIOS: readonly RareScenario[] = [
  {
    name: 'rare-blocked-nodes',
    folder: 'rare',
    description: 'deployments come too late, and TaskManagers that fail often are blocked',
  },
  {
    name: 'rare-broadcast-stuck',
    folder: 'rare',
    description: 'records of a broadcasting source stick in full outputs; triggers wait for them',
  },
  {
    name: 'rare-cancelled-behind-older',
    folder: 'rare',
    description: 'barriers of checkpoints that were given up end alignments for older ones',
  },
  {
    name: 'rare-ends-among-barriers',
    folder: 'rare',
    description: 'sources of a job that does not align end one by one among barriers of several checkpoints',
  },
  {
    name: 'rare-fifty-pending',
    folder: 'rare',
    description: 'a savepoint and forty-nine checkpoints are pending at a subtask that does not align them',
  },
  {
    name: 'rare-fenced-writer',
    folder: 'rare',
    description: 'pre-commits are asked again after another attempt took the producer over',
  },
  {
    name: 'rare-fenced-writes',
    folder: 'rare',
    description: 'pointer writes of a leader arrive at ZooKeeper or Kubernetes after another one took over',
  },
  {
    name: 'rare-jobmanager-memory',
    folder: 'rare',
    description: 'snapshots with in-flight data are too large for the JobManager for a while',
  },
  {
    name: 'rare-late-shared-files',
    folder: 'rare',
    description: 'acknowledgements with shared files come when their checkpoint has expired',
  },
  { name: 'rare-log-broker', folder: 'rare', description: 'the log broker crashes, fails and forgets to answer' },
  {
    name: 'rare-nothing-to-dispose-of',
    folder: 'rare',
    description: 'savepoints are disposed of that there are none of',
  },
  {
    name: 'rare-overdraft',
    folder: 'rare',
    description: 'records stick in full outputs without overdraft buffers; barriers and triggers wait for them',
  },
  {
    name: 'rare-overtaken-in-flight',
    folder: 'rare',
    description: 'unaligned checkpoints follow each other while notices of aborts are lost',
  },
  { name: 'rare-timer-bursts', folder: 'rare', description: 'hundreds of timers of processing time are due at once' },
  {
    name: 'rare-undecided-for-long',
    folder: 'rare',
    description: 'pointer writes are unanswered for longer than a checkpoint may take',
  },
  { name: 'rare-uploads', folder: 'rare', description: 'uploads in parts take effect without an answer' },
];
