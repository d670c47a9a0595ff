/** `tidemark bugs prune`: what no longer reproduces goes, and what is there twice. */
import { countOf } from '../../reports/index.ts';
import { type LivedBug, type Pruning, pruningOf } from '../../scenarios/bugs/pruning.ts';
import { existingBase, isNamedByBase, signatureOf, statusOf } from '../bugs/bug-base.ts';
import { type BugLife, exitCodeOfBugs, liveBugs, runOf } from '../bugs/bug-lives.ts';
import { isTold } from '../bugs/bug-story.ts';
import type { CommandCall } from '../command.ts';
import type { ExitCode } from '../exit-codes.ts';
import { Interrupted } from '../interruption.ts';
import { inPlanSession } from '../plan-session.ts';

const DONE = { keep: 'kept', remove: 'removed', fix: 'kept as fixed' } as const;
const PLANNED = { keep: 'is kept', remove: 'would be removed', fix: 'would be kept as fixed' } as const;

export async function bugsPrune(call: CommandCall): Promise<ExitCode> {
  const { operands, options, terminal } = call;
  const base = existingBase(operands[0], terminal);
  const { bugs, broken } = base.entries();
  const lived = await inPlanSession(call, 'bugs', ({ lives }) => liveBugs(bugs, lives));
  // What was not lived may be the one that another is compared with.
  if (lived.length < bugs.length) throw new Interrupted('nothing is pruned, and no file was changed');
  const decisions = pruningOf(lived.map(livedBug));
  const isDry = options.dryRun === true;
  if (!isDry) {
    for (const [index, one] of lived.entries()) {
      const { action } = decisions[index] ?? { action: 'keep' };
      if (action === 'remove') base.remove(one.bug);
      else {
        const noted = base.note(one.bug, runOf(one));
        if (action === 'fix') base.markFixed(noted);
      }
    }
  }
  if (options.json === true) {
    const document = { kind: 'tidemark-pruning', folder: base.folder, dryRun: isDry, bugs: decisions, broken };
    terminal.out(JSON.stringify(document, null, 2));
  } else {
    const words = isDry ? PLANNED : DONE;
    for (const { name, action, why } of decisions) terminal.out(`${name} ${words[action]}: ${why}.`);
    terminal.out(summary(decisions, isDry));
  }
  for (const { problem } of broken) terminal.err(problem);
  // Bugs that reproduce are what a base is for; only what cannot be read or lived is trouble.
  const notLived = lived.filter(({ outcome }) => outcome === 'not-lived');
  return exitCodeOfBugs(notLived, broken.length);
}

function livedBug({ bug, outcome }: BugLife): LivedBug {
  const { name, plan, story, record } = bug;
  const age = { runs: record?.runs.length ?? 0, firstSeen: record?.firstSeen.on, hasOwnName: isNamedByBase(bug) };
  return { name, status: statusOf(bug), signature: signatureOf(bug), outcome, isTold: isTold(story), plan, age };
}

function summary(decisions: readonly Pruning[], isDry: boolean): string {
  const removed = decisions.filter(({ action }) => action === 'remove').length;
  return `${removed} of ${countOf(decisions.length, 'bug')} ${isDry ? 'would be removed' : 'removed'}.`;
}
