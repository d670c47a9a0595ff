/**
 * The storm that `expectExactlyOnce` puts a job into: crashes, pauses, partitions, lost, doubled and overtaking messages, services that fail,
 * and options of the engine, drawn by each seed. Other kinds (delays, holds, clocks, disks, user code that throws) are for `faultPlan`, or a
 * scenario of one's own: plans of a seed stay what they are.
 *
 * Owns: that one scenario. Does not own: the rows of a user's input: its one topic reads the data set `rows`, which the caller has.
 */
import { parseScenario } from '../../scenarios/parse.ts';
import { formatProblem } from '../../scenarios/problem.ts';
import type { JobDefinition, Parameters } from '../../scenarios/jobs/job-definition.ts';
import { checkRecords, IN_PLACE_OF_ROWS, ROWS } from './rows.ts';
import type { Scenario } from '../../scenarios/scenario.ts';

export interface StormOptions {
  readonly job: JobDefinition;
  readonly parameters?: Parameters | undefined;
  readonly records: number;
  /** Default 2. */
  readonly parallelism?: number | undefined;
  /** The input ends, and the job with it. Default false. */
  readonly bounded?: boolean | undefined;
}

/** The input comes over so many seconds, so that faults strike while the job works. */
const INPUT_SECONDS = 20;

export function stormScenario(options: StormOptions): Scenario {
  const { job, parameters = {}, records, parallelism = 2, bounded = false } = options;
  checkRecords('stormScenario', records);
  const text = JSON.stringify({
    name: `storm-${job.name}`,
    job: { use: job.name, parallelism, parameters },
    inputs: {
      [ROWS]: {
        dataset: IN_PLACE_OF_ROWS,
        records,
        rate: `${Math.max(1, Math.ceil(records / INPUT_SECONDS))}/s`,
        partitions: 2,
        bounded,
      },
    },
    cluster: { taskManagers: 3, slots: parallelism, jobManagers: 2 },
    checkpointing: { interval: '2s', timeout: '5s' },
    restart: { strategy: 'exponential-delay', initial: '200ms', max: '2s', resetAfter: '30s' },
    faults: FAULTS,
    duration: `${INPUT_SECONDS + 8}s`,
    swarm: SWARM,
  });
  const parsed = parseScenario({ text, file: 'storm', jobs: [job] });
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
  return parsed.scenario;
}

const AGAIN = '8s..40s';
const FAULTS = [
  { crash: 'taskmanager', every: '6s..20s', restartAfter: '300ms..3s' },
  { crash: 'jobmanager', every: AGAIN, restartAfter: '500ms..4s' },
  { crash: 'taskmanager', at: { point: 'snapshot.taken', occurrence: 3 }, restartAfter: '300ms..2s', inPlan: '1/3' },
  { crash: 'jobmanager', at: { point: 'metadata-write.done', occurrence: 2 }, restartAfter: '1s..4s', inPlan: '1/3' },
  { crash: 'machine', at: { point: 'completed', occurrence: 2 }, restartAfter: '300ms..2s', inPlan: '1/3' },
  { pause: 'machine', every: AGAIN, for: '1s..10s' },
  { partition: 'isolate-one', target: 'machine', every: AGAIN, for: '500ms..8s' },
  { partition: 'one-way', target: 'machine', every: AGAIN, for: '500ms..8s' },
  { loss: '1/5', every: AGAIN, for: '1s..8s' },
  { duplicate: '1/3', every: AGAIN, for: '1s..8s' },
  { reorder: '1/3', every: AGAIN, for: '1s..8s' },
  { storage: 'unavailable', every: AGAIN, for: '500ms..4s' },
  { storage: 'unknown-outcome', chance: '1/3', every: AGAIN, for: '1s..8s' },
  { coordination: 'unknown-outcome', chance: '1/3', every: AGAIN, for: '1s..8s' },
  { log: 'unavailable', every: AGAIN, for: '500ms..4s' },
  { sink: 'unavailable', every: AGAIN, for: '500ms..4s' },
  { sink: 'unknown-outcome', chance: '1/3', every: AGAIN, for: '1s..8s' },
];

const SWARM = {
  'checkpointing.interval': ['1s', '2s', '4s'],
  'checkpointing.unaligned': [false, true],
  'runtime.bufferSize': ['1KiB', '32KiB'],
  [`inputs.${ROWS}.partitions`]: [1, 2, 4],
  faults: 'subset',
};
