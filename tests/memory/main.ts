/**
 * What is still held when a life ends, by how much longer it is, judges on and off.
 *
 *     npx tsc -b && node --expose-gc dist/tests/memory/main.js standard --times 1,10,100
 *
 * The storm is drawn out. The input is the same, and comes more slowly; with `--input grows` it comes as fast as ever, so that there is more of it.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { shippedFile } from '../../cli/scenario-source.ts';
import { compile, parseScenario, SCENARIO_CATALOG } from '../../scenarios/index.ts';
import { live } from '../../scenarios/live.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { Dataset } from '../../sim/judges/job-audit.ts';
import { loadDataset } from '../support/lives.ts';

const BYTES_PER_MB = 1_000_000;
const EVENTS_MAX = 1_000_000_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    times: { type: 'string', default: '1,10,100' },
    seed: { type: 'string', default: '1' },
    input: { type: 'string', default: 'same' },
  },
});

const DURATION = /^duration: (\d+)s$/m;

/** The same file with a storm so many times as long. */
function drawnOut(name: string, times: number): SimulationPlan {
  const entry = SCENARIO_CATALOG.find((one) => one.name === name);
  if (entry === undefined) throw new Error(`there is no scenario '${name}'`);
  const file = shippedFile(entry);
  const text = readFileSync(file, 'utf8');
  const seconds = DURATION.exec(text)?.[1];
  if (seconds === undefined) throw new Error(`${file} says no duration in whole seconds`);
  const parsed = parseScenario({ text: text.replace(DURATION, `duration: ${Number(seconds) * times}s`), file });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  const plan = compile(parsed.scenario, values.seed);
  const topics = plan.topics.map((topic) =>
    values.input === 'grows'
      ? { ...topic, records: topic.records * times }
      : { ...topic, ratePerSecond: topic.ratePerSecond / times },
  );
  return { ...plan, topics, limits: { ...plan.limits, maxEvents: EVENTS_MAX } };
}

/** As many rows as are asked for: those of the tests, over and over. */
function rowsFor({ topics }: SimulationPlan): (name: string) => Dataset {
  const count = topics.reduce((most, { records }) => Math.max(most, records), 0);
  const made = new Map<string, Dataset>();
  return (name) => {
    const known = made.get(name);
    if (known !== undefined) return known;
    const { values: rows } = loadDataset(name);
    const dataset: Dataset = {
      name,
      values: Array.from({ length: Math.max(count, rows.length) }, (_, index) => rows[index % rows.length]),
      timestampsUs: Array.from({ length: Math.max(count, rows.length) }, (_, index) => index * 1_000),
    };
    made.set(name, dataset);
    return dataset;
  };
}

function heapUsed(): number {
  // Twice: what finalizers release goes with the second.
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/** Megabytes that the life holds when it ends, beside its input. */
function held(plan: SimulationPlan, judges: boolean): string {
  const rows = rowsFor(plan);
  for (const { dataset } of plan.topics) rows(dataset);
  const before = heapUsed();
  let atEnd = 0;
  const record = live(plan, {
    loadDataset: rows,
    judges,
    inspect: () => {
      atEnd = heapUsed();
    },
  });
  const seconds = Math.round(record.virtualUs / 1_000_000);
  const { triggered } = record.checkpoints;
  const megabytes = ((atEnd - before) / BYTES_PER_MB).toFixed(1);
  const cells = [judges ? 'on' : 'off', seconds, triggered, record.records.out, record.faultRecords.length, megabytes];
  return `| ${cells.join(' | ')} |`;
}

if (globalThis.gc === undefined) throw new Error('node --expose-gc is needed: what is garbage is not held');
const name = positionals[0] ?? 'standard';
const times = values.times.split(',').map(Number);
held(drawnOut(name, times[0] ?? 1), true);
console.log(
  '| judges | virtual s | checkpoints | records | faults | MB held |\n| --- | ---: | ---: | ---: | ---: | ---: |',
);
for (const judges of [true, false]) for (const time of times) console.log(held(drawnOut(name, time), judges));
