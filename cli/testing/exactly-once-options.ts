/**
 * What `expectExactlyOnce` is called with, and whether it makes sense.
 *
 * Owns: the options and what is said of wrong ones. Callers in plain JavaScript have no compiler: what is misspelt would be left out without a
 * word, and what is wrong would show as a problem of a scenario that they have never seen.
 */
import { didYouMean } from '../../scenarios/did-you-mean.ts';
import type { JobDefinition, Parameters } from '../../scenarios/jobs/job-definition.ts';
import type { Scenario } from '../../scenarios/scenario.ts';
import { shown } from './job-error.ts';
import type { InputRow } from './rows.ts';

export interface ExactlyOnceOptions {
  /** The rows the job reads, in their order. Left out only with `scenario` or `replay`, whose inputs are data sets. */
  readonly input?: readonly InputRow[];
  /** Field of the rows that is their event time, in milliseconds. Default: one row per millisecond. */
  readonly time?: string;
  /** How many seeds, or which. Default 100. */
  readonly seeds?: number | readonly string[];
  /** What the job lets you set. */
  readonly parameters?: Parameters;
  /** Subtasks of each operator. Default 2. */
  readonly parallelism?: number;
  /** The input ends, and the job with it. Default false. */
  readonly bounded?: boolean;
  /** In place of the storm: a scenario of your own (`parseScenario`). */
  readonly scenario?: Scenario;
  /** Path of a capsule: live this one only, as it is. Nothing is shrunk or written, and the job and its input must be those of the capsule. */
  readonly replay?: string;
  /** Where capsules of failures go. Default `out`. */
  readonly out?: string;
}

type Check = (value: unknown) => boolean;

/** Ten thousand subtasks are a benchmark, and need a scenario of their own. */
const PARALLELISM_MAX = 100;

const isWhole = (value: unknown, most = Number.MAX_SAFE_INTEGER): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= most;
const isText: Check = (value) => typeof value === 'string' && value !== '';
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isListOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

/** What each must be, in the order in which they are named. */
const OPTIONS: Readonly<Record<keyof ExactlyOnceOptions, readonly [Check, string]>> = {
  input: [isListOf(isRecord), "a list of rows, each an object like { customer: 'c1', euros: 3 }"],
  time: [isText, 'the name of a field of the rows'],
  seeds: [
    (value) => isWhole(value) || (isListOf(isText)(value) && (value as readonly unknown[]).length > 0),
    'a whole number from 1, or a list of texts',
  ],
  parameters: [isRecord, 'an object with parameters of the job'],
  parallelism: [(value) => isWhole(value, PARALLELISM_MAX), `a whole number from 1 to ${PARALLELISM_MAX}`],
  bounded: [(value) => typeof value === 'boolean', 'true or false'],
  scenario: [(value) => isRecord(value) && isRecord(value['engine']), 'a scenario, as parseScenario() answers it'],
  replay: [isText, 'the path of a capsule'],
  out: [isText, 'the path of a folder'],
};

/** Throws `TypeError`. */
export function checkCall(job: unknown, options: unknown): void {
  if (!(isRecord(job) && typeof job['name'] === 'string' && typeof job['build'] === 'function'))
    refuse('expected a job definition first, an object with name and build()');
  if (!isRecord(options)) refuse('expected options second, at least { input }');
  for (const [name, value] of Object.entries(options)) {
    if (!isOption(name)) {
      const names = Object.keys(OPTIONS);
      const hint = didYouMean(name, names);
      refuse(
        `there is no option '${name}'; expected ${names.join(', ')}${hint === undefined ? '' : `. Did you mean '${hint}'?`}`,
      );
    }
    const [check, expected] = OPTIONS[name];
    if (value !== undefined && !check(value)) refuse(`expected ${name} as ${expected}; found ${shown(value)}`);
  }
}

/** Throws `TypeError`. */
export function checkParameters({ name: job, parameters }: JobDefinition, given: Parameters = {}): void {
  for (const [name, value] of Object.entries(given)) {
    const known = parameters.find((one) => one.name === name);
    if (known === undefined)
      refuse(`${job} has no parameter '${name}'; expected ${parameters.map((one) => one.name).join(', ') || 'none'}`);
    else if (typeof value !== typeof known.default)
      refuse(`expected the parameter '${name}' of ${job} as a ${typeof known.default}; found ${shown(value)}`);
  }
}

const isOption = (name: string): name is keyof ExactlyOnceOptions => Object.hasOwn(OPTIONS, name);

function refuse(sentence: string): never {
  throw new TypeError(`expectExactlyOnce: ${sentence}.`);
}
