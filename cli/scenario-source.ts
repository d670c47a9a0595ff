/**
 * Finds a scenario by its file or, for shipped ones, by its name, and reads it.
 *
 * I1: everything wrong with a scenario is one UsageError with a line per problem, `file:line:column ...`.
 * I2: data files of a scenario are looked for beside it first, then from the working folder.
 */
import { type CatalogEntry, catalogPath, SCENARIO_CATALOG } from '../scenarios/catalog.ts';
import { didYouMean } from '../scenarios/did-you-mean.ts';
import { parseScenario } from '../scenarios/parse.ts';
import { formatProblem } from '../scenarios/problem.ts';
import type { Scenario } from '../scenarios/scenario.ts';
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
export const shippedFile = (entry: Pick<CatalogEntry, 'name' | 'folder'>): string =>
  joinPath(packageRoot(), 'scenarios', 'catalog', catalogPath(entry));

export function readScenario(asked: string): NamedScenario {
  const file = fileOf(asked);
  const parsed = parseScenario({ text: readText(file), file, locateFile: (path) => located(path, folderOf(file)) });
  if (!parsed.ok) throw new UsageError(parsed.problems.map(formatProblem).join('\n'));
  return { asked, file, scenario: parsed.scenario };
}

function fileOf(asked: string): string {
  if (exists(asked) && !isDirectory(asked)) return asked;
  const shipped = SCENARIO_CATALOG.find(({ name }) => name === asked);
  if (shipped !== undefined) return shippedFile(shipped);
  const names = SCENARIO_CATALOG.map(({ name }) => name);
  if (ENDINGS.some((ending) => ending === fileEnding(asked)) || asked.includes('/')) {
    throw new UsageError(`Scenario file ${asked}: there is no such file.`);
  }
  const near = didYouMean(asked, names);
  const hint = near === undefined ? '' : ` Did you mean '${near}'?`;
  throw new UsageError(
    `There is no scenario '${asked}': expected a file, or a name that 'tidemark list' shows.${hint}`,
  );
}

function located(path: string, folder: string): string {
  const beside = joinPath(folder, path);
  return absolutePath(path) !== path && exists(beside) ? beside : path;
}
