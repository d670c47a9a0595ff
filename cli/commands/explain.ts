/** `tidemark explain`: what decided a failure. */
import { explanationText } from '../../reports/index.ts';
import { explain as explained } from '../../scenarios/explain/explanation.ts';
import { decodeReplayable } from '../capsule.ts';
import type { CommandCall } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { readText, write } from '../files.ts';
import { inPlanSession } from '../plan-session.ts';
import { UsageError } from '../usage-error.ts';

const DEFAULT_RUNS = 30;

export async function explain(call: CommandCall): Promise<ExitCode> {
  const { operands, options, terminal } = call;
  const file = operands[0] ?? '';
  const { plan, isShrunk } = decodeReplayable(file, readText(file));
  return await inPlanSession(call, 'lives', async ({ lives, livePlan, shrunk, progress }) => {
    const { signature } = (await livePlan(plan)).judgement;
    if (signature === '') throw new UsageError(`${file}: the plan passes; expected one that fails.`);
    const isSmall = isShrunk || options.unshrunk === true;
    const small = isSmall ? plan : (await shrunk(plan, signature)).plan;
    const explanation = await lives.answer(explained(small, { runs: options.runs ?? DEFAULT_RUNS }));
    progress.stop();
    const text = explanationText(explanation);
    if (options.explanationFile !== undefined) write(options.explanationFile, text);
    terminal.out(options.json === true ? JSON.stringify(explanation, null, 2) : text);
    return EXIT.passed;
  });
}
