/**
 * Where a scenario asks for a restore without in-flight data (row X26) of which the judges could not say what it must come to (decision 0121).
 * Refused when the file is read, so that no life of it is judged by half. Pure.
 */
import { whyNotGivenUp } from '../sim/judges/given-up-data.ts';
import type { BuiltJob } from './jobs/job-definition.ts';
import type { ScenarioInput, SectionProblem } from './schema.ts';

const PATH = ['checkpointing', 'withoutChannelStateOf'] as const;

/** `build`: of a job that can be built; called only where it matters. */
export function givenUpProblems(input: ScenarioInput, build: () => BuiltJob): SectionProblem[] {
  const { withoutChannelStateOf: id, firstId } = input.checkpointing;
  if (id === undefined) return [];
  const problems: SectionProblem[] = [];
  if (id < firstId) {
    const message = `no checkpoint has the id ${id}: the first has ${firstId}`;
    problems.push({ path: PATH, message, expected: `at least ${firstId}` });
  }
  const { graph, audit } = build();
  const why = whyNotGivenUp(graph, audit);
  if (why !== undefined) {
    const message = `what ${input.job.use} comes to without its in-flight data cannot be said: ${why}`;
    const expected = 'a job that keeps no state in front of an exchange, such as keyed-count';
    problems.push({ path: PATH, message, expected });
  }
  return [...problems, ...beginningProblems(input)];
}

/** What is given up is what lay in the checkpoint that the job goes on from, on edges of the job as it was. */
function beginningProblems({ faults }: ScenarioInput): SectionProblem[] {
  return faults.flatMap(({ action }, index) => {
    if (action.kind !== 'operation' || !('thenResume' in action.command)) return [];
    const { from = 'what-it-left', version } = action.command.thenResume ?? {};
    if (from === 'what-it-left' && version === undefined) return [];
    const begins = version === undefined ? 'from an older snapshot' : 'as another version';
    const message = `which in-flight data is given up cannot be said where the job begins ${begins}`;
    const expected = 'from: what-it-left and no version, with checkpointing.withoutChannelStateOf';
    return [{ path: ['faults', index, 'thenResume'], message, expected }];
  });
}
