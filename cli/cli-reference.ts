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

${commands.join('\n')}`;
}
