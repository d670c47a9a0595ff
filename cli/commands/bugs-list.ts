/** `tidemark bugs list`: what a bug base has, without living anything. */
import { type Bug, existingBase, signatureOf, statusOf } from '../bugs/bug-base.ts';
import { isTold, titleOf } from '../bugs/bug-story.ts';
import type { CommandCall } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { plainTable } from '../figures-table.ts';

export async function bugsList({ operands, options, terminal }: CommandCall): Promise<ExitCode> {
  const base = existingBase(operands[0], terminal);
  const { bugs, broken } = base.entries();
  if (options.json === true) {
    const documents = bugs.map((bug) => bugDocument(bug, base.path(bug.name, 'plan')));
    terminal.out(JSON.stringify({ kind: 'tidemark-bugs', folder: base.folder, bugs: documents, broken }, null, 2));
  } else {
    const rows = bugs.map((bug) => [
      bug.name,
      statusOf(bug),
      signatureOf(bug) || '?',
      faultsOf(bug),
      seenOf(bug),
      bug.record?.runs.at(-1)?.outcome ?? '-',
      isTold(bug.story) ? titleOf(bug.story) : 'not told',
    ]);
    const head = ['bug', 'status', 'signature', 'faults', 'first seen', 'last run', 'story'];
    terminal.out(rows.length === 0 ? `${base.folder}: no bugs.` : plainTable(head, rows));
  }
  for (const { problem } of broken) terminal.err(problem);
  return broken.length === 0 ? EXIT.passed : EXIT.usage;
}

export function bugDocument(bug: Bug, planFile: string): object {
  const { name, record, plan, story } = bug;
  return {
    name,
    status: statusOf(bug),
    signature: signatureOf(bug),
    plan: planFile,
    variant: plan.variant,
    faults: plan.faults.length,
    faultsAtTimes: atTimes(bug),
    title: titleOf(story),
    told: isTold(story),
    ...(record === undefined
      ? {}
      : { isMinimal: record.isMinimal ?? null, firstSeen: record.firstSeen, runs: record.runs }),
  };
}

/** Faults whose trigger is a time: a later engine may be elsewhere by then. */
const atTimes = ({ plan }: Bug): number => plan.faults.filter(({ trigger }) => 'atUs' in trigger).length;

function faultsOf(bug: Bug): string {
  const times = atTimes(bug);
  const isLarge = bug.record?.isMinimal === false;
  return `${bug.plan.faults.length}${times === 0 ? '' : `, ${times} at ${times === 1 ? 'a time' : 'times'}`}${isLarge ? ', not minimal' : ''}`;
}

function seenOf({ record, plan }: Bug): string {
  const { scenario, seed, on } = record?.firstSeen ?? { scenario: plan.scenario, seed: plan.seed };
  return `${scenario}, seed ${seed}${on === undefined ? '' : `, ${on}`}`;
}
