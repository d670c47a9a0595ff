/** `tidemark schema`: the JSON Schema of scenario files. */
import { scenarioJsonSchema } from '../../scenarios/schema.ts';
import type { CommandCall } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';

export async function schema({ terminal }: CommandCall): Promise<ExitCode> {
  terminal.out(JSON.stringify(scenarioJsonSchema(), null, 2));
  return EXIT.passed;
}
