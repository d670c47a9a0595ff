/** `tidemark bugs run`: does each bug still reproduce? */
import { countOf } from '../../reports/index.ts';
import { type Bug, type BrokenBug, existingBase, signatureOf, statusOf } from '../bugs/bug-base.ts';
import { type BugLife, exitCodeOfBugs, liveBugs, runOf } from '../bugs/bug-lives.ts';
import type { CommandCall } from '../command.ts';
import { EXIT, type ExitCode, gravest } from '../exit-codes.ts';
import { plainTable } from '../figures-table.ts';
import { inPlanSession } from '../plan-session.ts';
import { shellWord, type Terminal } from '../terminal.ts';
import { bugDocument } from './bugs-list.ts';

export async function bugsRun(call: CommandCall): Promise<ExitCode> {
  const { operands, options, terminal } = call;
  const base = existingBase(operands[0], terminal);
  const { bugs, broken } = base.entries();
  const lived = await inPlanSession(call, 'bugs', ({ lives }) => liveBugs(bugs, lives));
  const noted = lived.map((one): BugLife => ({ ...one, bug: base.note(one.bug, runOf(one)) }));
  const file = ({ name }: Bug): string => base.path(name, 'plan');
  if (options.json === true) {
    const documents = noted.map(({ bug, outcome, signature, digest, message }) => ({
      ...bugDocument(bug, file(bug)),
      run: { outcome, signature, digest, message },
    }));
    terminal.out(JSON.stringify({ kind: 'tidemark-bugs', folder: base.folder, bugs: documents, broken }, null, 2));
  } else {
    tellRuns(terminal, noted, broken);
    const failing = noted.find(({ outcome }) => outcome !== 'gone' && outcome !== 'not-lived');
    // What is known to be minimal need not be shrunk again.
    const unshrunk = failing?.outcome === 'reproduces' && failing.bug.record?.isMinimal === true ? ' --unshrunk' : '';
    if (failing !== undefined)
      terminal.out(`${terminal.invocation} explain ${shellWord(file(failing.bug))}${unshrunk}`);
  }
  for (const { problem } of broken) terminal.err(problem);
  const code = exitCodeOfBugs(lived, broken.length);
  if (lived.length === bugs.length) return code;
  terminal.err(
    `Interrupted: ${lived.length} of ${countOf(bugs.length, 'bug')} ${lived.length === 1 ? 'was' : 'were'} lived, which is noted in the history of those that have a record.`,
  );
  return gravest([code, EXIT.inconclusive]);
}

/** The table of `run` and `prune`, and a sentence that sums it up. */
export function tellRuns(terminal: Terminal, lives: readonly BugLife[], broken: readonly BrokenBug[]): void {
  const rows = lives.map((one) => [
    one.bug.name,
    statusOf(one.bug),
    signatureOf(one.bug) || '?',
    terminal.paint(one.outcome === 'gone' ? 'good' : 'bad', outcomeText(one)),
    one.message === '' ? '' : shortened(one.message),
  ]);
  for (const { name } of broken) rows.push([name, '?', '?', terminal.paint('bad', 'cannot be read'), '']);
  if (rows.length > 0) terminal.out(plainTable(['bug', 'status', 'signature', 'outcome', 'finding'], rows));
  const count = (outcome: string): number => lives.filter((one) => one.outcome === outcome).length;
  const sums = [
    [count('reproduces') === 1 ? 'reproduces' : 'reproduce', count('reproduces')],
    [count('fails-otherwise') === 1 ? 'fails otherwise' : 'fail otherwise', count('fails-otherwise')],
    ['gone', count('gone')],
    ['inconclusive', count('inconclusive')],
    ['could not be lived', count('not-lived')],
    ['cannot be read', broken.length],
  ] as const;
  const told = sums.filter(([, sum], index) => index < 3 || sum > 0).map(([what, sum]) => `${sum} ${what}`);
  terminal.out(`Of ${countOf(rows.length, 'bug')}: ${told.join(', ')}.`);
}

function outcomeText({ outcome, signature, bug }: BugLife): string {
  switch (outcome) {
    case 'reproduces':
      return statusOf(bug) === 'fixed' ? 'is back' : 'reproduces';
    case 'fails-otherwise':
      return `fails with ${signature}`;
    case 'not-lived':
      return 'could not be lived';
    default:
      return outcome;
  }
}

const SHORT_MAX = 80;
const shortened = (text: string): string => (text.length <= SHORT_MAX ? text : `${text.slice(0, SHORT_MAX - 3)}...`);
