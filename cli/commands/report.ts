/** `tidemark report`: one page of a result folder. */
import { countOf } from '../../reports/index.ts';
import type { CommandCall } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { exists, joinPath } from '../files.ts';
import { writeReport } from '../report-files.ts';
import { LIVES_FILE } from '../result-store.ts';
import { shellWord } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

export async function report({ operands, terminal }: CommandCall): Promise<ExitCode> {
  const folder = operands[0] ?? '';
  if (!exists(joinPath(folder, LIVES_FILE))) {
    throw new UsageError(
      `${folder} has no ${LIVES_FILE}: expected a folder written by 'sweep --out', 'run --report' or 'start'.`,
    );
  }
  const written = writeReport({
    folder,
    title: folder,
    replayOf: ({ scenario, seed, capsule }) =>
      capsule === ''
        ? `${terminal.invocation} run ${shellWord(scenario)} --seed ${shellWord(seed)}`
        : `${terminal.invocation} replay ${shellWord(joinPath(folder, capsule))}`,
  });
  if (written.lives === 0) throw new UsageError(`${joinPath(folder, LIVES_FILE)} holds no lives.`);
  terminal.out(`${countOf(written.lives, 'life', 'lives')}: ${written.html}, ${written.markdown}`);
  return EXIT.passed;
}
