/** docs/cli.md, made from the tables; a test keeps it current. */
import { COMMANDS } from './command-table.ts';
import { OPTIONS } from './option-table.ts';

export function cliReference(): string {
  const commands = COMMANDS.map(({ name, operands, sentence, options, example }) => {
    const rows = options.map((option) => {
      const { flag, unit, absent, sentence: meaning } = OPTIONS[option];
      return `| \`${flag}\` | ${unit} | ${absent} | ${meaning} |`;
    });
    const table =
      rows.length === 0 ? '' : `\n| option | unit | default | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`;
    return `## tidemark ${`${name} ${operands}`.trim().replaceAll('<', '&lt;').replaceAll('>', '&gt;')}\n\n${sentence}\n${table}\n    ${example}\n`;
  });
  return `# The command line

A scenario is named by its file or, for shipped ones, by its name (\`tidemark list\`). Results go to standard output;
progress, notes and errors to standard error. This file is made from \`cli/option-table.ts\` and \`cli/command-table.ts\`.

| exit code | meaning |
|---|---|
| 0 | everything asked for held |
| 1 | a safety property was violated |
| 2 | a flag, file or scenario was wrong |
| 3 | safe, but not live in time |
| 4 | inconclusive: a limit was hit, or the work was interrupted |
| 5 | not deterministic: one plan took two courses |
| 70 | an internal error |

What an option or an operand says is written (\`--out\`, \`--rows\`, \`--trace\` and others) is looked at before the work begins: a place where
nothing can be written ends it with exit code 2.

Ctrl-C, or SIGTERM, lets the lives that were begun end; a second one ends the process at once. Then a line says what is kept, and the exit code
is 4 unless something graver was found: of \`sweep\` all lives (\`--out\`) and the capsules of failures, of \`shrink\` the smallest plan so
far, of \`explain\` the shrunk capsule, of \`crashpoints\` the table and the capsules of the cases that were lived, of \`bugs run\` the runs
of the bugs that were lived, of \`mutants\` the rows (\`--rows\`) and a table of what is measured. \`bugs add\` and \`bugs prune\` change
nothing. \`run\`, \`replay\` and \`bench\` end at once: of a life in its middle nothing is kept, of suites those that ended.

${commands.join('\n')}`;
}
