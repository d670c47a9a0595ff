/**
 * The form of a scenario file: its schema for people and editors, and the qualification of what was written into a full `Scenario`.
 *
 * Owns: the order of keys and the conditions between sections. Does not own: single sections (schema/), positions in the file (parse.ts).
 */
import { z } from 'zod';
import { defaultMaxParallelism } from '../engine/job/key-groups.ts';
import { parallelismAskedFor } from '../engine/protocol/client-operations.ts';
import { JOB_CATALOG, jobNamed } from './job-catalog.ts';
import type { JobDefinition } from './jobs/job-definition.ts';
import { allNodes, TARGET_GROUPS } from '../sim/node-names.ts';
import type { FaultAction } from './scenario.ts';
import { faultSchema } from './schema/fault-schema.ts';
import { highAvailabilitySchema } from './schema/high-availability-schema.ts';
import { inputSchema } from './schema/input-schema.ts';
import { record, text, duration } from './schema/scalars.ts';
import { storageSchema } from './schema/storage-schema.ts';
import { highAvailabilityProblems, isOfKafka, isOfOutputFiles } from './high-availability-problems.ts';
import {
  checkpointingSchema,
  clusterSchema,
  expectSchema,
  jobSchema,
  limitsSchema,
  livenessSchema,
  restartSchema,
  runtimeSchema,
  schedulerSchema,
} from './schema/section-schemas.ts';
import { notForSchema } from './schema/not-for-schema.ts';
import { sinkSchema } from './schema/sink-schema.ts';
import { swarmSchema } from './schema/swarm-schema.ts';

export const scenarioSchema = record({
  $schema: z.string().optional().describe('Where this schema lies, for editors.'),
  name: text('a name').describe('Name of the scenario.'),
  description: z.string({ error: 'expected text' }).default('').describe('What it tells.'),
  seed: text('a seed, which is any text').optional().describe('Seed when the command line names none.'),
  job: jobSchema.describe('The job that runs.'),
  input: z
    .union([inputSchema, z.array(inputSchema).min(1, { error: 'expected at least one input' })])
    .optional()
    .describe('One topic, or a list of topics.'),
  inputs: z.record(z.string(), inputSchema).optional().describe('Topics by name, instead of `input`.'),
  cluster: clusterSchema.prefault({}).describe('The machines.'),
  highAvailability: highAvailabilitySchema
    .prefault('lease-store')
    .describe('Who elects the leading JobManager and keeps what outlives it.'),
  sink: sinkSchema.prefault({ kind: 'sink-store' }).describe('Where sinks write.'),
  checkpointing: checkpointingSchema.prefault({}).describe('How the engine checkpoints.'),
  storage: storageSchema.prefault({}).describe('What the checkpoint storage is like.'),
  scheduler: schedulerSchema.prefault({ mode: 'default' }).describe('Who chooses the parallelism, and when.'),
  restart: restartSchema
    .prefault({ strategy: 'exponential-delay', initial: '500ms', max: '5s', jitter: '0/1', resetAfter: '30s' })
    .describe(
      'How the job is restarted. Left out: with delays that suit lives of a minute; a strategy that is named has the defaults of Flink.',
    ),
  runtime: runtimeSchema.prefault({}).describe('Timeouts, buffers and connectors.'),
  faults: z.array(faultSchema, { error: 'expected a list of faults' }).default([]).describe('What goes wrong.'),
  duration: duration()
    .prefault('30s')
    .describe('Length of the storm: faults strike before its end and are healed at it.'),
  liveness: livenessSchema.prefault({}).describe('What must happen after the storm.'),
  limits: limitsSchema.prefault({}).describe('Where a life is given up.'),
  expect: expectSchema.default('exactly-once').describe('What the judges demand.'),
  swarm: swarmSchema
    .optional()
    .describe(
      'What each seed draws, by path (`checkpointing.interval`): alternatives, equally likely or as `{ value, weight }`. `faults: subset`: each fault is in half of the plans.',
    ),
  notFor: notForSchema
    .optional()
    .describe(
      'Search strategies (`pct`) and features of swarm (`swarm/checkpointing/often`) that this scenario is left out of, each with the reason: what they change takes its promise away.',
    ),
});

export type ScenarioInput = z.output<typeof scenarioSchema>;

/** A condition between sections that does not hold. */
export interface SectionProblem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly expected: string;
  /** Names to suggest one of. */
  readonly known?: readonly string[];
  /** What was written instead of a known name. */
  readonly found?: string;
}

/** What no section can check alone. */
export function crossCheck(input: ScenarioInput, catalog: readonly JobDefinition[] = JOB_CATALOG): SectionProblem[] {
  return [
    ...jobProblems(input, catalog),
    ...topicProblems(input),
    ...slotProblems(input),
    ...sinkProblems(input),
    ...faultProblems(input),
    ...highAvailabilityProblems(input),
    ...committerProblems(input),
  ];
}

/** Row K8: a committer that is not beside its writer. */
function committerProblems({ sink, checkpointing }: ScenarioInput): SectionProblem[] {
  if (sink.kind !== 'kafka' || sink.committer === 'beside') return [];
  const path = ['sink', 'committer'];
  if (sink.transactionalIds === 'pooling') {
    const message = 'a writer of pooled ids must hear of commits, to use them again';
    return [{ path, message, expected: 'beside, or transactionalIds: incrementing' }];
  }
  if (checkpointing.interval > 0) return [];
  return [{ path, message: 'without checkpoints nothing is ever committed there', expected: 'beside' }];
}

/** The JSON Schema that editors use, as `tidemark schema` prints it. */
export function scenarioJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(scenarioSchema, { io: 'input', target: 'draft-7' });
  return { ...schema, title: 'Tidemark scenario', description: 'What shall happen to a job on a simulated cluster.' };
}

function jobProblems({ job }: ScenarioInput, catalog: readonly JobDefinition[]): SectionProblem[] {
  const definition = jobNamed(job.use, catalog);
  if (definition === undefined) {
    const known = catalog.map((entry) => entry.name);
    return [
      {
        path: ['job', 'use'],
        message: `there is no job "${job.use}"`,
        expected: known.join(', '),
        known,
        found: job.use,
      },
    ];
  }
  return Object.entries(job.parameters).flatMap(([name, value]): SectionProblem[] => {
    const parameter = definition.parameters.find((entry) => entry.name === name);
    const path = ['job', 'parameters', name];
    if (parameter === undefined) {
      const known = definition.parameters.map((entry) => entry.name);
      return [
        {
          path,
          message: `the job "${job.use}" has no parameter "${name}"`,
          expected: known.join(', '),
          known,
          found: name,
        },
      ];
    }
    const wanted = typeof parameter.default;
    return typeof value === wanted
      ? []
      : [{ path, message: `${JSON.stringify(value)} is no ${wanted}`, expected: `a ${wanted}` }];
  });
}

function topicProblems({ input, inputs }: ScenarioInput): SectionProblem[] {
  if ((input === undefined) === (inputs === undefined)) {
    return [
      {
        path: inputs === undefined ? [] : ['inputs'],
        message: 'the scenario has no input or two',
        expected: 'exactly one of input and inputs',
      },
    ];
  }
  if (inputs !== undefined && Object.keys(inputs).length === 0)
    return [{ path: ['inputs'], message: 'the map is empty', expected: 'at least one topic' }];
  return [];
}

/** Whether every parallelism the job may be asked to run with has its slots; one that adapts needs them for the least only. */
function slotProblems({ job, cluster, scheduler, faults }: ScenarioInput): SectionProblem[] {
  const slots = cluster.taskManagers * cluster.slots;
  const problems: SectionProblem[] = [];
  const demand = (parallelism: number, path: readonly PropertyKey[]): void => {
    if (parallelism <= slots) return;
    const message = `${parallelism} subtasks need as many slots, and ${cluster.taskManagers} TaskManagers of ${cluster.slots} slots have ${slots}`;
    problems.push({ path, message, expected: `at most ${slots}` });
  };
  if (scheduler.mode === 'adaptive') {
    demand(scheduler.minParallelism, ['scheduler', 'minParallelism']);
    const most = scheduler.maxParallelism ?? job.parallelism;
    if (scheduler.minParallelism > most) {
      const message = `the job would need at least ${scheduler.minParallelism} subtasks and at most ${most}`;
      problems.push({ path: ['scheduler', 'minParallelism'], message, expected: `at most ${most}` });
    }
    return [...problems, ...keyGroupProblems(most, ['scheduler', 'maxParallelism'], job)];
  }
  demand(job.parallelism, ['job', 'parallelism']);
  faults.forEach(({ action }, index) => {
    const parallelism = action.kind === 'operation' ? parallelismAskedFor(action.command) : undefined;
    if (action.kind !== 'operation' || parallelism === undefined) return;
    const place = action.command.kind === 'rescale' ? ['rescale'] : ['thenResume', 'parallelism'];
    demand(parallelism, ['faults', index, ...place]);
    problems.push(...keyGroupProblems(parallelism, ['faults', index, ...place], job));
  });
  return problems;
}

/** More subtasks than key groups there cannot be: the number of key groups is fixed when the job first starts (row S3). */
function keyGroupProblems(
  parallelism: number,
  path: readonly PropertyKey[],
  job: ScenarioInput['job'],
): SectionProblem[] {
  const most = defaultMaxParallelism(job.parallelism);
  if (parallelism <= most) return [];
  const message = `a job that starts with a parallelism of ${job.parallelism} has ${most} key groups`;
  return [{ path, message, expected: `at most ${most}` }];
}

/** A client is there when it has something to do. */
export const isOperated = (faults: ScenarioInput['faults']): boolean =>
  faults.some(({ action }) => action.kind === 'operation');

export const brokersOf = (sink: ScenarioInput['sink']): number => (sink.kind === 'kafka' ? sink.brokers : 0);

/** What a kind of sink cannot do, or would do without end. */
function sinkProblems({ job, sink, input, inputs }: ScenarioInput): SectionProblem[] {
  const problems: SectionProblem[] = [];
  const isCommitted = sink.kind === 'file' || sink.kind === 'rocketmq';
  if (isCommitted && job.guarantee === 'at-least-once') {
    const message = `a sink of kind ${sink.kind} shows nothing before its checkpoint is complete`;
    problems.push({ path: ['job', 'guarantee'], message, expected: 'exactly-once' });
  }
  if (sink.kind === 'file' && sink.compactEvery !== undefined && sink.storage !== 'hdfs') {
    const message = 'nobody can read an upload before it is completed, so none can be compacted';
    problems.push({ path: ['sink', 'compactEvery'], message, expected: 'storage: hdfs' });
  }
  const topics = [...Object.values(inputs ?? {}), ...(input === undefined ? [] : [input].flat())];
  if (sink.kind === 'rocketmq' && topics.length > 0 && topics.every(({ bounded }) => bounded)) {
    const message =
      'when a bounded job has finished nobody answers a broker that asks, and an end that was lost stays lost';
    problems.push({ path: ['sink', 'kind'], message, expected: 'an input without an end, or another kind' });
  }
  return problems;
}

/** Faults that strike nobody, or after the storm. */
function faultProblems({ faults, cluster, sink, swarm, duration: stormUs }: ScenarioInput): SectionProblem[] {
  const nodes = allNodes({ ...cluster, clients: isOperated(faults) ? 1 : 0, brokers: brokersOf(sink) });
  const groups = TARGET_GROUPS.filter((group) => !group.startsWith('broker') || brokersOf(sink) > 0);
  const known: readonly string[] = [...groups, ...nodes];
  return faults.flatMap((rule, index): SectionProblem[] => {
    const problems = targetsOf(rule.action)
      .filter(([, target]) => !known.includes(target))
      .map(
        ([key, target]): SectionProblem => ({
          path: ['faults', index, key],
          message: `there is no node "${target}"`,
          expected: `one of: ${known.join(', ')}`,
          known,
          found: target,
        }),
      );
    const { time, action } = rule;
    if (time.kind === 'point' && time.node !== undefined && !nodes.includes(time.node)) {
      const expected = `one of: ${nodes.join(', ')}`;
      const message = `there is no node "${time.node}"`;
      problems.push({ path: ['faults', index, 'at', 'node'], message, expected, known: nodes, found: time.node });
    }
    if (isOfKafka(action) && sink.kind !== 'kafka' && swarm?.['sink'] === undefined) {
      const message = `there are no transactions to fence in a sink of kind ${sink.kind}`;
      problems.push({ path: ['faults', index, 'sink'], message, expected: 'sink: { kind: kafka }' });
    }
    if (isOfOutputFiles(action) && sink.kind !== 'file' && swarm?.['sink'] === undefined) {
      const message = `a sink of kind ${sink.kind} writes no files that could be lost`;
      problems.push({ path: ['faults', index, 'power-loss'], message, expected: 'sink: { kind: file }' });
    }
    if (rule.time.kind === 'at' && rule.time.atUs.high >= stormUs) {
      problems.push({
        path: ['faults', index, 'at'],
        message: 'it strikes after the storm',
        expected: 'a time before `duration` ends',
      });
    }
    return problems;
  });
}

/** The keys of an entry that name a target, and what they name. */
function targetsOf(action: FaultAction): readonly (readonly [string, string])[] {
  switch (action.kind) {
    case 'crash':
    case 'pause':
    case 'throw':
    case 'hang':
    case 'clock-step':
    case 'clock-drift':
    case 'slow-cpu':
    case 'out-of-memory':
    case 'disk-damage':
      return [[action.kind, action.target]];
    case 'partition':
      return [['target', action.target]];
    case 'cut':
    case 'hold':
      return [
        [action.kind, action.target],
        ['from', action.from],
      ];
    case 'reset':
      return [
        ['reset', action.target],
        ['peer', action.peer],
      ];
    case 'service':
    case 'power-loss':
    case 'operation':
    case 'nemesis':
      return [];
    default:
      return [
        ['target', action.target],
        ['peer', action.peer],
      ];
  }
}
