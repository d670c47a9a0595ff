/** `tidemark list`: what can be named. */
import { SCENARIO_CATALOG } from '../../scenarios/catalog.ts';
import { MADE_STREAMS, SHIPPED_DATASETS } from '../../scenarios/datasets/dataset-name.ts';
import { FAULT_CATALOG } from '../../scenarios/fault-catalog.ts';
import { JOB_CATALOG } from '../../scenarios/job-catalog.ts';
import { MUTANTS } from '../../scenarios/mutants/mutant-catalog.ts';
import { NEMESES } from '../../scenarios/nemeses/nemesis.ts';
import type { CommandCall } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { plainTable } from '../figures-table.ts';
import { shippedFile } from '../scenario-source.ts';

export async function list({ options, terminal }: CommandCall): Promise<ExitCode> {
  const scenarios = SCENARIO_CATALOG.map((entry) => ({ ...entry, file: shippedFile(entry) }));
  const jobs = JOB_CATALOG.map(({ name, description, parameters }) => ({ name, description, parameters }));
  const datasets = Object.entries({ ...SHIPPED_DATASETS, ...MADE_STREAMS }).map(([name, fields]) => ({
    name,
    fields,
  }));
  if (options.json === true) {
    const nemeses = NEMESES.map(({ name, description }) => ({ name, description }));
    const variants = MUTANTS.map(({ slug, bug, story, scenario }) => ({ slug, bug, story, scenario }));
    terminal.out(JSON.stringify({ scenarios, jobs, datasets, faults: FAULT_CATALOG, nemeses, variants }, null, 2));
    return EXIT.passed;
  }
  terminal.out(
    plainTable(
      ['scenario', 'what it tells'],
      scenarios.map(({ name, description }) => [name, description]),
    ),
  );
  terminal.out(
    plainTable(
      ['job', 'what it does'],
      jobs.map(({ name, description }) => [name, description]),
    ),
  );
  terminal.out(
    plainTable(
      ['data set', 'fields'],
      datasets.map(({ name, fields }) => [name, fields.join(', ')]),
    ),
  );
  terminal.out(
    plainTable(
      ['fault', 'what it does', 'its opposite'],
      FAULT_CATALOG.map(({ name, description, opposite }) => [name, description, opposite]),
    ),
  );
  terminal.out(
    plainTable(
      ['nemesis', 'what it is'],
      NEMESES.map(({ name, description }) => [name, description]),
    ),
  );
  terminal.out(
    plainTable(
      ['engine variant (--variant)', 'the bug it has'],
      MUTANTS.map(({ slug, bug }) => [slug, bug]),
    ),
  );
  terminal.out(
    `Further inputs: generated:<keys>x<skew percent>, nexmark:<events per second>, file:<path>. Next: ${terminal.invocation} run quickstart`,
  );
  return EXIT.passed;
}
