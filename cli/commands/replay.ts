/** `tidemark replay`: a saved plan or capsule, lived again; its digest must be the one it had. */
import { planHash } from '../../scenarios/plan-hash.ts';
import { firstDifference } from '../../sim/kernel/digest.ts';
import { readReplayable, type Replayable } from '../capsule.ts';
import type { CommandCall } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { packageVersion } from '../files.ts';
import type { Life } from '../life.ts';
import { livePlanOnce } from '../single-life.ts';
import { shellWord, type Terminal } from '../terminal.ts';

export async function replay(call: CommandCall): Promise<ExitCode> {
  const { operands, options, terminal } = call;
  const file = operands[0] ?? '';
  const replayable = readReplayable(file);
  const { plan } = replayable;
  const say = options.json === true ? terminal.err : terminal.out;
  say(`scenario ${plan.scenario} (from ${file})`);
  say(`seed ${plan.seed}`);
  say(`plan ${planHash(plan)}`);
  const again = `${terminal.invocation} replay ${shellWord(file)}`;
  const check = (life: Life): ExitCode => compared(replayable, life, terminal);
  return (await livePlanOnce(call, { plan, again, check, isReplay: true })).code;
}

/** Another version of the engine may take another course; the same one may not. */
function compared({ remembered }: Replayable, life: Life, terminal: Terminal): ExitCode {
  const { record } = life;
  if (remembered === undefined || remembered.digest === record.digest) return EXIT.passed;
  if (remembered.engineVersion !== packageVersion()) {
    terminal.err(
      `The capsule was made by version ${remembered.engineVersion}, whose digest was ${remembered.digest}; this is ${packageVersion()}.`,
    );
    return EXIT.passed;
  }
  // A life that passes keeps no ladder: there is nothing to compare.
  const difference = record.rungs.length === 0 ? undefined : firstDifference(remembered.rungs, record.rungs);
  const where =
    difference === undefined
      ? ''
      : ` They part after event ${difference.sameUpTo}, at event ${difference.differsAt} at the latest.`;
  terminal.err(
    `Not deterministic: the digest is ${record.digest}, the capsule has ${remembered.digest}.${where} Unless the code of this version was changed meanwhile: then it lives another life.`,
  );
  return EXIT.notDeterministic;
}
