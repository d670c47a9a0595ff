/** `tidemark shrink`: the smallest plan that fails in the same way. */
import { chanceSentences, countOf, faultSentence } from '../../reports/index.ts';
import type { CertificateEntry } from '../../scenarios/shrink/certificate.ts';
import { choicesOf } from '../../scenarios/shrink/choices-of-plan.ts';
import { type Capsule, readReplayable } from '../capsule.ts';
import type { CommandCall } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { plainTable } from '../figures-table.ts';
import { checkWritable } from '../files.ts';
import { inPlanSession } from '../plan-session.ts';
import { endText } from '../shrink-end.ts';
import { shrunkFileOf, writeShrunk } from '../shrunk-file.ts';
import { shellWord } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

export async function shrink(call: CommandCall): Promise<ExitCode> {
  const { operands, options, terminal } = call;
  const file = operands[0] ?? '';
  const { plan } = readReplayable(file);
  const out = options.shrunkFile ?? shrunkFileOf(file);
  checkWritable(out, 'file', options.shrunkFile === undefined ? 'The shrunk capsule' : '--out');
  const say = options.json === true ? terminal.err : terminal.out;
  return await inPlanSession(call, 'plans', async ({ livePlan, shrunk, progress }) => {
    const { signature } = (await livePlan(plan)).judgement;
    if (signature === '') throw new UsageError(`${file}: the plan passes; expected one that fails.`);
    say(`${file}: ${signature}, ${countOf(plan.faults.length, 'fault')}`);
    const startedMs = terminal.wallMs();
    const capsule = await shrunk(plan, signature);
    progress.stop();
    if (options.json === true) terminal.out(JSON.stringify({ ...capsule, file: out }, null, 2));
    else tell(call, { capsule, wallMs: terminal.wallMs() - startedMs });
    const isWritten = writeShrunk(out, capsule);
    if (!isWritten) say(`${out} stays as it is: it has a smaller plan of this failure.`);
    const isInterrupted = capsule.shrunk?.ended === 'interrupted';
    if (isInterrupted && isWritten)
      say(`Interrupted: ${out} keeps the smallest plan so far, which may not be minimal.`);
    say(`${terminal.invocation} replay ${shellWord(out)}`);
    return isInterrupted ? EXIT.inconclusive : EXIT.passed;
  });
}

function tell(
  { terminal }: CommandCall,
  { capsule, wallMs }: { readonly capsule: Capsule; readonly wallMs: number },
): void {
  const { plan, shrunk, signature } = capsule;
  if (shrunk === undefined) return;
  const { lives, events, faultsBefore, ended, certificate } = shrunk;
  terminal.out(
    `${countOf(faultsBefore, 'fault')} became ${plan.faults.length}, in ${countOf(lives, 'life', 'lives')}, ${events} events, ${(wallMs / 1_000).toFixed(1)} s.`,
  );
  if (ended !== 'minimal') terminal.out(endText(ended));
  const { cluster, job, topics, liveness } = plan;
  terminal.out(
    `Left: ${job.use} at parallelism ${job.parallelism}, ${countOf(cluster.taskManagers, 'TaskManager')}, ${countOf(cluster.jobManagers, 'JobManager')}, ` +
      `${topics.map(({ name, records, partitions }) => `${countOf(records, 'record')} in ${countOf(partitions, 'partition')} of ${name}`).join(', ')}, storm of ${liveness.stormUs / 1_000_000} s.`,
  );
  for (const fault of plan.faults) terminal.out(`  ${fault.id}: ${faultSentence(fault)}`);
  for (const { path, value } of choicesOf(plan)) terminal.out(`  ${path}: ${JSON.stringify(value)}`);
  for (const sentence of chanceSentences(plan)) terminal.out(sentence);
  const rows = certificate.map((entry) => [entry.without, insteadOf(entry)]);
  if (rows.length > 0) terminal.out(plainTable(['without', `instead of ${signature}`], rows));
}

function insteadOf({ signature, isImpossible }: CertificateEntry): string {
  if (isImpossible === true) return `${signature}, and so does the standard engine without faults`;
  return signature === '' ? 'passes' : signature;
}
