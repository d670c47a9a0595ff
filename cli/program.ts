/**
 * The program behind the `tidemark` command, without a process: arguments and a terminal in, an exit code out.
 *
 * Owns: parsing by the tables, turning errors into exit codes. Does not own: what commands do.
 * I1: a wrong option, operand, file or scenario ends with one clear sentence and exit code 2; a defect of our own with 70.
 */
import { Command, CommanderError, Option } from 'commander';
import type { CommandCall } from './command.ts';
import { COMMANDS, type CommandRow, GROUPS } from './command-table.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { checkWritable, packageVersion } from './files.ts';
import { checkTogether, flagKey, type OptionName, type OptionRow, OPTIONS, type OptionValues } from './option-table.ts';
import { Interrupted } from './interruption.ts';
import type { Terminal } from './terminal.ts';
import { InvalidJob } from '../engine/api/invalid-job.ts';
import { UsageError } from './usage-error.ts';

export async function runProgram(
  argv: readonly string[],
  terminal: Terminal,
  parts: NonNullable<CommandCall['parts']> = {},
): Promise<ExitCode> {
  let code: ExitCode = EXIT.passed;
  const program = emptyProgram(terminal);
  for (const row of COMMANDS) {
    const command = describe(program, row);
    command.action(async (...values: unknown[]) => {
      const options = optionsOf(row, command.opts());
      checkTogether(options);
      checkPlaces(row, options);
      const operands = values.slice(0, -2).flatMap((value) => (Array.isArray(value) ? value : [value]));
      const call = { operands: operands.filter((value) => typeof value === 'string'), options, terminal, parts };
      code = await (await row.load())(call);
    });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    return exitCodeOfError(error, terminal);
  }
}

function emptyProgram(terminal: Terminal): Command {
  return new Command('tidemark')
    .description(
      'Proves, prices and replays the checkpoints of a stream-processing job, in a simulated cluster decided by one seed.',
    )
    .version(packageVersion(), '-V, --version', 'Print the version.')
    .helpOption('-h, --help', 'Print this help.')
    .helpCommand(false)
    .showHelpAfterError("('tidemark --help' lists commands, 'tidemark <command> --help' its options)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
    });
}

function describe(program: Command, row: CommandRow): Command {
  const words = row.name.split(' ');
  const [group, name = row.name] = words.length === 1 ? [undefined, row.name] : words;
  const parent = group === undefined ? program : groupOf(program, group);
  const command = parent
    .command(`${name} ${row.operands}`.trim())
    .description(row.sentence)
    .helpOption('-h, --help', 'Print this help.')
    .allowExcessArguments(false)
    .addHelpText('after', `\nExample:\n  ${row.example}`);
  for (const name of row.options) {
    const { flag, sentence, unit, absent, decode } = OPTIONS[name];
    const text = unit === '-' ? sentence : `${sentence} (${unit}; default: ${absent})`;
    const option = new Option(flag, text);
    command.addOption(unit === '-' ? option : option.argParser<unknown>(decode));
  }
  return command;
}

/** The command that only has commands of its own. */
function groupOf(program: Command, name: string): Command {
  const known = program.commands.find((command) => command.name() === name);
  if (known !== undefined) return known;
  return program
    .command(name)
    .description(GROUPS[name] ?? '')
    .helpOption('-h, --help', 'Print this help.')
    .helpCommand(false);
}

/** Commander's record back to the names of the table. */
function optionsOf(row: CommandRow, found: Readonly<Record<string, unknown>>): OptionValues {
  const entries = row.options.map((name: OptionName) => [name, found[flagKey(name)]] as const);
  // Each value came out of the decoder of its own row.
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as OptionValues;
}

/** What cannot be written is told before the work, not after it. */
function checkPlaces(row: CommandRow, options: OptionValues): void {
  for (const name of row.options) {
    const { flag, writes }: OptionRow<unknown> = OPTIONS[name];
    const path = options[name];
    if (writes !== undefined && typeof path === 'string') checkWritable(path, writes, flag.split(' ')[0] ?? '');
  }
}

function exitCodeOfError(error: unknown, terminal: Terminal): ExitCode {
  // Commander has said its sentence already; code 0 is help or version.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.passed : EXIT.usage;
  if (error instanceof UsageError) {
    terminal.err(error.message);
    return EXIT.usage;
  }
  if (error instanceof Interrupted) {
    terminal.err(error.message);
    return EXIT.inconclusive;
  }
  // A plan of a job that is not known here, or of a version that the job does not have.
  if (error instanceof InvalidJob) {
    terminal.err(error.message);
    return EXIT.usage;
  }
  terminal.err(
    `Internal error; please report it with this text.\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  return EXIT.internal;
}
