/** `tidemark/testing`: what a job's own code does wrong is said of the job, with operator, record and what was expected. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  compileOnRows,
  expectExactlyOnce,
  JobError,
  liveTest,
  matchers,
  rowsDataset,
  stormScenario,
} from '../../../cli/testing/index.ts';
import { StreamExecutionEnvironment } from '../../../engine/api/stream-execution-environment.ts';
import type { Collector, RuntimeContext, StateKey } from '../../../engine/job/functions.ts';
import type { ListState, MapState, ValueState } from '../../../engine/state/keyed-state.ts';
import { listState, mapState, valueState } from '../../../engine/state/state-descriptor.ts';
import { Types } from '../../../engine/state/type-information.ts';
import { JOB_CATALOG, type JobDefinition } from '../../../scenarios/index.ts';
import { liveIt, loadDataset, planOf } from '../../support/lives.ts';

interface Row {
  readonly key: string;
  readonly n: number;
}
const input = Array.from({ length: 60 }, (_, n) => ({ key: `k${n % 3}`, n }));
const row = '{"key":"k0","n":0}';

interface States {
  readonly count: ValueState<number>;
  readonly seen: ListState<unknown>;
  readonly by: MapState<string, number>;
  readonly subtasks: number;
}
interface UserCode {
  readonly key?: (row: Row) => unknown;
  readonly map?: (row: Row) => unknown;
  readonly open?: (runtime: RuntimeContext) => void;
  readonly process?: (row: Row, states: States, out: Collector<unknown>) => void;
}

/** Counts by key, but for what is given: anything JavaScript lets a user write. */
function jobOf({ key = ({ key: field }) => field, map = (one) => one, open, process }: UserCode): JobDefinition {
  const name = 'counts';
  return {
    name,
    description: name,
    parameters: [],
    build({ parallelism, topics, guarantee }) {
      const env = new StreamExecutionEnvironment({ jobId: name, name, parallelism });
      env
        .fromLog<Row>({ topic: 'rows', partitions: topics[0]?.partitions ?? [], uid: 'rows' })
        .map((one) => map(one) as Row)
        .uid('map')
        .keyBy(key as (row: Row) => string)
        .process<unknown>({
          states: [
            valueState('count', Types.int),
            listState('seen', Types.json),
            mapState<StateKey, number>('by', Types.string, Types.int),
          ],
          create() {
            let states: States | undefined;
            return {
              open: (runtime) => {
                open?.(runtime);
                states = {
                  count: runtime.value('count'),
                  seen: runtime.list('seen'),
                  by: runtime.map('by'),
                  subtasks: runtime.parallelism,
                };
              },
              processElement(one, _context, out) {
                if (states === undefined) return;
                if (process !== undefined) return process(one, states, out);
                states.count.update((states.count.value() ?? 0) + 1);
                out.collect(one);
              },
            };
          },
        })
        .uid('count')
        .sinkTo({ guarantee })
        .uid('sink');
      return { graph: env.jobGraph(), audit: { stateIsOrderInsensitive: true, outputValues: 'lineage' } };
    },
  };
}

const folder = mkdtempSync(join(tmpdir(), 'tidemark-user-code-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function errorOf(code: UserCode): Promise<unknown> {
  return expectExactlyOnce(jobOf(code), { input, seeds: 1, out: folder }).catch((error: unknown) => error);
}
const anyValue = (value: unknown): never => value as never;

describe('user code', () => {
  it.each<[string, UserCode, string]>([
    [
      'a key selector that finds no such field',
      { key: (one) => Reflect.get(one, 'customer') },
      `operator 'count': the key selector for the record ${row} answers undefined; expected a key of type string.`,
    ],
    [
      'keys that are no strings, and nobody said so',
      { key: ({ n }) => n },
      `answers 0; expected a key of type string. keyBy takes the type of keys that are no strings as its last argument`,
    ],
    [
      'a key selector that throws',
      { key: (one) => Reflect.get(Reflect.get(one, 'customer') as object, 'id') },
      `operator 'count': the key selector for the record ${row} throws TypeError: `,
    ],
    [
      'a function that always throws',
      {
        process: () => {
          throw new Error('no such customer');
        },
      },
      `operator 'count': processElement for the record ${row} throws Error: no such customer, without any fault; expected it to return. In a cluster that is a restart without end.`,
    ],
    [
      'a function that throws on one record',
      {
        map: (one) => {
          if (one.n === 17) throw new RangeError('17');
          return one;
        },
      },
      `operator 'map': map for the record {"key":"k2","n":17} throws RangeError: 17, without any fault`,
    ],
    [
      'a function that answers nothing',
      { map: () => undefined },
      `operator 'map': map for the record ${row} emits undefined; expected what JSON can say`,
    ],
    [
      'a value that cannot be sent',
      { process: (one, _states, out) => out.collect({ ...one, when: [new Date(0)] }) },
      `operator 'count': processElement for the record ${row} emits {"key":"k0","n":0,"when":["1970-01-01T00:00:00.000Z"]}; expected what JSON can say, since it goes over the wire and into checkpoints, but .when[0] is an instance of Date.`,
    ],
    [
      'a state value of another type',
      { process: (_one, { count }) => count.update(anyValue('many')) },
      `operator 'count': processElement for the record ${row} puts "many" into state 'count'; expected a value of type int (`,
    ],
    [
      'no value at all',
      { process: (_one, { count }) => count.update(anyValue(undefined)) },
      `puts undefined into state 'count'; expected a value of type int (`,
    ],
    [
      'an element of a list that cannot be written',
      { process: (_one, { seen }) => seen.add({ later: () => 1n }) },
      `puts {"later":"[a function]"} into state 'seen'; expected a value of type json (`,
    ],
    [
      'a value of a map',
      { process: ({ key }, { by }) => by.put(key, 0.5) },
      `puts 0.5 into state 'by'; expected a value of type int (`,
    ],
    [
      'state that nobody declared',
      { open: (runtime) => void runtime.value('counts') },
      `operator 'count': open asks for the value state 'counts'; expected one of those it declares: value 'count', list 'seen', map 'by'.`,
    ],
  ])('%s', async (_what, code, message) => {
    const error = await errorOf(code);
    expect(error).toBeInstanceOf(JobError);
    expect(String(error)).toContain('JobError: counts: ');
    expect(String(error)).toContain(message);
    expect(String(error)).not.toMatch(/engine|seed|Smallest plan|cut off/);
  });

  it('what is changed in place after it was put into state is found when a checkpoint is written', async () => {
    const error = await errorOf({
      process(one, { seen }, out) {
        const list: unknown[] = [one.n];
        seen.add(list);
        list.push(() => 0);
        out.collect(one);
      },
    });
    expect(String(error)).toMatch(
      /JobError: counts: operator 'count' left .* in state 'seen'; expected a value of type json/,
    );
  });

  it('a function that throws now and then restarts the job; a failure says so, whatever it is', () => {
    // Not in the judges' own run, which has one subtask.
    let hasThrown = false;
    const job = jobOf({
      process(one, { count, subtasks }, out) {
        if (subtasks > 1 && one.n > 9 && !hasThrown) {
          hasThrown = true;
          throw new Error('now and then');
        }
        count.update((count.value() ?? 0) + 1);
        out.collect(one);
      },
    });
    const plan = { ...compileOnRows(stormScenario({ job, records: input.length }), '1'), faults: [] };
    const life = liveTest(plan, { jobs: [job], loadDataset: () => rowsDataset(input) });
    expect(matchers.toBeExactlyOnce(life).pass).toBe(true);
    expect(life.record.restarts).toBeGreaterThan(0);
    expect(life.thrown).toMatch(
      /^Thrown while the job's own code ran, by no fault of the plan: operator 'count': processElement for the record .*: Error: now and then$/,
    );
  });

  it.each([
    'bounded-join',
    'broadcast-rules',
    'event-time-windows',
    'event-time-timers',
    'keyed-states',
    'late-data',
    'trade-monitoring',
    'union-offsets',
  ])('a job that does nothing wrong lives as if nobody watched: %s (watched-calls I1)', (scenario) => {
    const plan = planOf(scenario, '1');
    const { record, thrown } = liveTest(plan, { jobs: JOB_CATALOG, loadDataset });
    expect(thrown).toBeUndefined();
    expect(record.digest).toBe(liveIt(plan).digest);
    expect(record.verdict).toBe('passed');
  });
});
