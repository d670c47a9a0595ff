/**
 * Finds a scenario by its file or, for shipped ones, by its name, and reads it.
 *
 * I1: everything wrong with a scenario is one UsageError with a line per problem, `file:line:column ...`.
 * I2: data files of a scenario are looked for beside it first, then from the working folder.
 */
import { SCENARIO_CATALOG } from '../scenarios/catalog.ts';
import { formatDatasetName, parseDatasetName } from '../scenarios/datasets/dataset-name.ts';
import { didYouMean } from '../scenarios/did-you-mean.ts';
import { parseScenario } from '../scenarios/parse.ts';
import { formatProblem } from '../scenarios/problem.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import type { TopicPlan } from '../sim/plan.ts';
import { absolutePath, exists, fileEnding, folderOf, isDirectory, joinPath, packageRoot, readText } from './files.ts';
import { UsageError } from './usage-error.ts';

export interface NamedScenario {
  /** As it was asked for; the replay command repeats it. */
  readonly asked: string;
  readonly file: string;
  readonly scenario: Scenario;
}

const ENDINGS = ['.yaml', '.yml', '.json'] as const;

/** The file of a shipped scenario. */
export const shippedFile = (name: string): string => joinPath(packageRoot(), 'scenarios', 'catalog', `${name}.yaml`);

export function readScenario(asked: string): NamedScenario {
  const file = fileOf(asked);
  const parsed = parseScenario({ text: readText(file), file });
  if (!parsed.ok) throw new UsageError(parsed.problems.map(formatProblem).join('\n'));
  const { scenario } = parsed;
  return {
    asked,
    file,
    scenario: { ...scenario, topics: scenario.topics.map((topic) => located(topic, folderOf(file))) },
  };
}

function fileOf(asked: string): string {
  if (exists(asked) && !isDirectory(asked)) return asked;
  const names = SCENARIO_CATALOG.map(({ name }) => name);
  if (names.includes(asked)) return shippedFile(asked);
  if (ENDINGS.some((ending) => ending === fileEnding(asked)) || asked.includes('/')) {
    throw new UsageError(`Scenario file ${asked}: there is no such file.`);
  }
  const near = didYouMean(asked, names);
  const hint = near === undefined ? '' : ` Did you mean '${near}'?`;
  throw new UsageError(`There is no scenario '${asked}': expected a file or one of ${names.join(', ')}.${hint}`);
}

function located(topic: TopicPlan, folder: string): TopicPlan {
  const name = parseDatasetName(topic.dataset);
  if (!name.ok || name.spec.kind !== 'file') return topic;
  const beside = joinPath(folder, name.spec.path);
  const path = absolutePath(name.spec.path) !== name.spec.path && exists(beside) ? beside : name.spec.path;
  return { ...topic, dataset: formatDatasetName({ ...name.spec, path }) };
}
