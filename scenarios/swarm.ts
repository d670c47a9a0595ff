/**
 * Swarm testing (Groce et al. 2012; TigerBeetle: options_swarm): each seed draws the options it lives with from the alternatives that the
 * scenario lists, and with `faults: subset` which of its fault rules there are at all. Many small differences find what one setting hides.
 *
 * Owns: the draw. Does not own: reading and checking what may be drawn (swarm-reader.ts).
 *
 * I1: a dimension draws from a stream named by its path: another dimension, or another fault rule, shifts none of its draws.
 * I2: a plan knows nothing of swarms: it has the values that were drawn.
 */
import { Choices } from '../sim/kernel/choice.ts';
import { qualify } from './qualify.ts';
import { streamNamesOf } from './rule-streams.ts';
import type { FaultAction, Scenario, Swarm, SwarmDimension } from './scenario.ts';
import type { ScenarioInput } from './schema.ts';

/** What a seed drew of one dimension: a label, or of a subset those that are in it. */
export interface SwarmChoice {
  readonly path: string;
  readonly chosen: readonly string[];
}

/** `checkpointing.interval=2s;faults=1:crash/taskmanager 4:loss`: one line of text, as the CSV files have it. */
export const swarmText = (choices: readonly SwarmChoice[]): string =>
  choices.map(({ path, chosen }) => `${path}=${chosen.join(' ')}`).join(';');

export const FAULTS_PATH = 'faults';

/** The scenario that a seed lives: plain values in place of what could be drawn. */
export function drawScenario(scenario: Scenario, choices: Choices): Scenario {
  const { swarm } = scenario;
  if (swarm === undefined || swarm.dimensions.length === 0) return scenario;
  let input: unknown = swarm.input;
  for (const dimension of swarm.dimensions) {
    const drawn = dimension.alternatives[drawnIndex(dimension, choices)];
    input = withValueAt(input, stepsOf(dimension.path), drawn?.value);
  }
  // Base and alternatives came out of the schema; jobs are not asked again, since their parameters are complete.
  return { ...qualify(input as ScenarioInput, []), swarm };
}

/** The same scenario with other fault rules, whatever its seeds draw. */
export function withFaults({ swarm, ...scenario }: Scenario, faults: Scenario['faults']): Scenario {
  return swarm === undefined
    ? { ...scenario, faults }
    : { ...scenario, faults, swarm: { ...swarm, input: { ...swarm.input, faults } } };
}

/** Whether a fault rule is in this seed's subset. `name`: of the rule's streams. */
export function isInSubset(swarm: Swarm | undefined, name: string, choices: Choices): boolean {
  return swarm?.faultSubset !== true || choices.site(`faults/${name}/swarm`).chance(1, 2);
}

/** What a seed draws, for people; empty without a swarm. */
export function swarmChoices(scenario: Scenario, seed: string): SwarmChoice[] {
  const { swarm, faults } = scenario;
  if (swarm === undefined) return [];
  const choices = new Choices({ rootSeed: seed });
  const drawn = swarm.dimensions.map((dimension) => ({
    path: dimension.path,
    chosen: [dimension.alternatives[drawnIndex(dimension, choices)]?.label ?? ''],
  }));
  if (!swarm.faultSubset) return drawn;
  const names = streamNamesOf(faults);
  const rules = faults.flatMap(({ action }, index) =>
    isInSubset(swarm, names[index] ?? '', choices) ? [`${index + 1}:${ruleLabel(action)}`] : [],
  );
  return [...drawn, { path: FAULTS_PATH, chosen: rules }];
}

function ruleLabel(action: FaultAction): string {
  switch (action.kind) {
    case 'service':
      return `${action.service}/${action.effect}`;
    case 'partition':
      return `partition/${action.shape}`;
    case 'crash':
    case 'pause':
    case 'slow-cpu':
    case 'out-of-memory':
    case 'disk-damage':
    case 'clock-drift':
      return `${action.kind}/${action.target}`;
    case 'cut':
    case 'hold':
      return `${action.kind}/${action.target}/${action.from}`;
    case 'nemesis':
      return action.name;
    default:
      return action.kind;
  }
}

function drawnIndex({ path, alternatives }: SwarmDimension, choices: Choices): number {
  const total = alternatives.reduce((sum, { weight }) => sum + weight, 0);
  let rest = choices.site(`swarm/${path}`).choose(total);
  const index = alternatives.findIndex(({ weight }) => {
    rest -= weight;
    return rest < 0;
  });
  return Math.max(0, index);
}

export const stepsOf = (path: string): string[] => path.split('.');

/** The same plain value with another one at a path; maps on the way are made where there are none. */
export function withValueAt(root: unknown, steps: readonly string[], value: unknown): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return value;
  if (Array.isArray(root))
    return root.map((item, index) => (String(index) === step ? withValueAt(item, rest, value) : item));
  const map = typeof root === 'object' && root !== null ? (root as Readonly<Record<string, unknown>>) : {};
  return { ...map, [step]: withValueAt(map[step], rest, value) };
}
