/** Lives for tests: a shipped scenario or a small plan of its own, lived in-process on generated input. */
import { readFileSync } from 'node:fs';
import { catalogPath, compile, parseScenario, SCENARIO_CATALOG, type Scenario } from '../../scenarios/index.ts';
import { live, type LiveOptions } from '../../scenarios/live.ts';
import type { Dataset } from '../../sim/judges/job-audit.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { RunRecord } from '../../sim/run-record.ts';

const AIRPORTS = ['ATL', 'BOS', 'DEN', 'DFW', 'JFK', 'LAX', 'MIA', 'ORD', 'PHX', 'SEA', 'SFO', 'STL'];

/** Rows shaped like the flights, so that tests need no file: 20,000 of them, by arithmetic. */
function flightLike(name: string): Dataset {
  const values: unknown[] = [];
  const timestampsUs: number[] = [];
  for (let index = 0; index < 20_000; index += 1) {
    const origin = AIRPORTS[(index * 7 + (index >> 4)) % AIRPORTS.length];
    const destination = AIRPORTS[(index * 5 + 3) % AIRPORTS.length];
    values.push({
      date: '2001/01/01 00:00',
      delay: ((index * 37) % 120) - 20,
      distance: 100 + ((index * 13) % 900),
      origin,
      destination,
    });
    timestampsUs.push(index * 1_000);
  }
  return { name, values, timestampsUs };
}

const FLIGHTS = flightLike('flights-20k');

/** Prices shaped like the stocks: five shares, a price every 30 days, which falls by a third and more every few months. */
function stockLike(): Dataset {
  const values: unknown[] = [];
  const timestampsUs: number[] = [];
  for (let index = 0; index < 560; index += 1) {
    const month = Math.floor(index / 5);
    const symbol = ['AAPL', 'AMZN', 'GOOG', 'IBM', 'MSFT'][index % 5];
    values.push({ symbol, date: '', price: 100 - 12 * ((month + index) % 6) });
    timestampsUs.push((10_957 + month * 30) * 86_400_000_000);
  }
  return { name: 'stocks', values, timestampsUs };
}

const STOCKS = stockLike();

export const loadDataset: LiveOptions['loadDataset'] = (name) => (name === 'stocks' ? STOCKS : FLIGHTS);

export function shippedScenario(name: string): Scenario {
  const entry = SCENARIO_CATALOG.find((one) => one.name === name);
  if (entry === undefined) throw new Error(`no scenario ${name}`);
  const file = new URL(`../../scenarios/catalog/${catalogPath(entry)}`, import.meta.url);
  const parsed = parseScenario({ text: readFileSync(file, 'utf8'), file: `${name}.yaml` });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  return parsed.scenario;
}

export const planOf = (scenario: string, seed: string): SimulationPlan => compile(shippedScenario(scenario), seed);

export const liveIt = (plan: SimulationPlan, options: Partial<LiveOptions> = {}): RunRecord =>
  live(plan, { loadDataset, ...options });

/** What a person needs to see when a life did not pass. */
export function findings(record: RunRecord): string {
  const wrong = record.verdicts.filter(({ outcome }) => outcome !== 'passed');
  return [`seed ${record.seed}: ${record.verdict}`, ...wrong.map(({ judge, message }) => `${judge}: ${message}`)].join(
    '\n',
  );
}

/** Of a life whose history was kept. */
export const eventsOf = ({ history }: RunRecord) => history.map(({ event }) => event);

/** What restores began from, in order; 0: from nothing. */
export const restoresOf = (record: RunRecord): number[] =>
  eventsOf(record).flatMap((event) => (event.kind === 'restore-chosen' ? [event.checkpointId] : []));

/** What became of one of its checkpoints. */
export const checkpointOf = ({ checkpointRecords }: RunRecord, id: number) =>
  checkpointRecords.find(({ checkpointId }) => checkpointId === id);

/** Names of the probes that such a life reached, as often as it did. */
export const probesOf = (record: RunRecord): string[] =>
  eventsOf(record).flatMap((event) => (event.kind === 'probe' ? [event.probe] : []));
