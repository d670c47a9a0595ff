/**
 * Where a scenario or a plan asks for a restore without in-flight data (row X26) of which the judges could not say what it must come to (decision
 * 0121). Refused when the file is read, so that no life of it is judged by half. Pure.
 */
import type { ClientCommand } from '../engine/protocol/client-operations.ts';
import { whyNotGivenUp } from '../sim/judges/given-up-data.ts';
import type { BuiltJob } from './jobs/job-definition.ts';
import type { SectionProblem } from './schema.ts';

export interface GivenUpQuestion {
  /** Name of the job. */
  readonly use: string;
  readonly withoutChannelStateOf: number | undefined;
  readonly firstId: number;
  /** What somebody does to the job, by index of the fault; undefined: that fault is something else. */
  readonly commands: readonly (ClientCommand | undefined)[];
  /** Of a job that can be built; called only where it matters. */
  readonly build: () => BuiltJob;
  /** Where the option stands in the file, and what a command does when the job is over. */
  readonly path: readonly string[];
  readonly resumePath: (fault: number) => readonly PropertyKey[];
}

export function givenUpProblems(question: GivenUpQuestion): SectionProblem[] {
  const { use, withoutChannelStateOf: id, firstId, commands, build, path, resumePath } = question;
  if (id === undefined) return [];
  const problems: SectionProblem[] = [];
  if (id < firstId) {
    const message = `no checkpoint has the id ${id}: the first has ${firstId}`;
    problems.push({ path, message, expected: `at least ${firstId}` });
  }
  const { graph, audit } = build();
  const why = whyNotGivenUp(graph, audit);
  if (why !== undefined) {
    const message = `what ${use} comes to without its in-flight data cannot be said: ${why}`;
    const expected = 'transactions, and state behind the exchanges only: for example keyed-count with its usual sink';
    problems.push({ path, message, expected });
  }
  commands.forEach((command, fault) => {
    const begins = command && otherBeginning(command);
    if (begins === undefined) return;
    const message = `which in-flight data is given up cannot be said where the job begins ${begins}`;
    problems.push({
      path: resumePath(fault),
      message,
      expected: `from: what-it-left and no version with ${path.at(-1)}`,
    });
  });
  return problems;
}

/** What is given up is what lay in the checkpoint that the job goes on from, on edges of the job as it was. */
function otherBeginning(command: ClientCommand): string | undefined {
  if (!('thenResume' in command) || command.thenResume === undefined) return undefined;
  const { from, version } = command.thenResume;
  if (version !== undefined) return 'as another version';
  return from === 'what-it-left' ? undefined : 'from an older snapshot';
}
