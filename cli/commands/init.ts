/** `tidemark init`: a scenario to begin with, and its schema beside it for editors. */
import { scenarioJsonSchema } from '../../scenarios/schema.ts';
import type { CommandCall } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { exists, folderOf, joinPath, readText, write } from '../files.ts';
import { shippedFile } from '../scenario-source.ts';
import { shellWord } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

const DEFAULT_FILE = 'scenario.yaml';
const SCHEMA_FILE = 'scenario.schema.json';

export async function init({ operands, terminal }: CommandCall): Promise<ExitCode> {
  const file = operands[0] ?? DEFAULT_FILE;
  if (exists(file)) throw new UsageError(`${file} is there already: expected the name of a new file.`);
  const text = readText(shippedFile({ name: 'quickstart' })).replace(/\$schema=\S+/, `$schema=./${SCHEMA_FILE}`);
  write(file, text);
  write(joinPath(folderOf(file), SCHEMA_FILE), `${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`);
  terminal.out(
    `${file} and ${joinPath(folderOf(file), SCHEMA_FILE)} are written. Next: ${terminal.invocation} run ${shellWord(file)}`,
  );
  return EXIT.passed;
}
