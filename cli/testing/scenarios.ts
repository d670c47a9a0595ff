/** `scenario(job)`: random clusters, inputs and options of the engine for a job, without faults; `faultPlan(scenario)` has those. */
import fc from 'fast-check';
import type { JobDefinition } from '../../scenarios/jobs/job-definition.ts';
import { parseScenario } from '../../scenarios/parse.ts';
import { formatProblem } from '../../scenarios/problem.ts';
import type { Scenario } from '../../scenarios/scenario.ts';
import { checkRecords, IN_PLACE_OF_ROWS, ROWS } from './rows.ts';

export interface ScenarioOptions {
  readonly job: JobDefinition;
  /** Rows of the input. */
  readonly records: number;
  /** Most topics; they all read the same rows. Default 1. */
  readonly topics?: number;
}

/** Options that are drawn, as a scenario file has them. */
const OPTIONS = fc.record({
  parallelism: fc.integer({ min: 1, max: 4 }),
  taskManagers: fc.integer({ min: 2, max: 4 }),
  jobManagers: fc.integer({ min: 1, max: 2 }),
  partitions: fc.integer({ min: 1, max: 4 }),
  bounded: fc.boolean(),
  interval: fc.constantFrom('500ms', '2s', '5s'),
  minPause: fc.constantFrom('0s', '1s'),
  retained: fc.integer({ min: 1, max: 3 }),
  firstId: fc.constantFrom(1, 8, 98),
  inlineThreshold: fc.constantFrom('0B', '256B', '20KiB'),
  barriers: fc.constantFrom({}, { unaligned: true }, { unaligned: true, alignedTimeout: '20ms' }, { maxConcurrent: 2 }),
  highAvailability: fc.constantFrom('lease-store', 'zookeeper', 'kubernetes'),
  bufferSize: fc.constantFrom('512B', '32KiB'),
  failover: fc.constantFrom('region', 'full'),
  storage: fc.constantFrom('object-store', 'filesystem', 'hdfs'),
  /** Somebody operates the job, so that fault plans have operations. */
  operated: fc.boolean(),
});

const STORM_SECONDS = 24;

export function scenario({ job, records, topics = 1 }: ScenarioOptions): fc.Arbitrary<Scenario> {
  checkRecords('scenario', records);
  return fc.tuple(OPTIONS, fc.integer({ min: 1, max: topics })).map(([options, count]) => {
    const { parallelism, taskManagers, jobManagers, partitions, bounded, barriers, highAvailability } = options;
    const topic = {
      dataset: IN_PLACE_OF_ROWS,
      records,
      rate: `${Math.max(1, Math.ceil(records / 12))}/s`,
      partitions,
      bounded,
    };
    const text = JSON.stringify({
      name: `any-${job.name}`,
      job: { use: job.name, parallelism },
      inputs: Object.fromEntries(Array.from({ length: count }, (_, index) => [`${ROWS}-${index + 1}`, topic])),
      cluster: { taskManagers, slots: parallelism * 2, jobManagers },
      checkpointing: {
        interval: options.interval,
        minPause: options.minPause,
        timeout: '5s',
        retained: options.retained,
        firstId: options.firstId,
        inlineThreshold: options.inlineThreshold,
        storage: options.storage,
        ...barriers,
      },
      highAvailability,
      restart: {
        strategy: 'exponential-delay',
        initial: '200ms',
        max: '2s',
        failover: options.failover,
        resetAfter: '30s',
      },
      runtime: { bufferSize: options.bufferSize },
      duration: `${STORM_SECONDS}s`,
    });
    const parsed = parseScenario({ text, file: 'any', jobs: [job] });
    if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
    const { cluster } = parsed.scenario;
    return options.operated ? { ...parsed.scenario, cluster: { ...cluster, clients: 1 } } : parsed.scenario;
  });
}
