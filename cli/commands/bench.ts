/** `tidemark bench`: suites of figures, to CSV, SVG and Markdown. */
import { BENCH_SUITES, type BenchResult, type BenchSuite } from '../../bench/index.ts';
import { benchFiles } from '../../reports/index.ts';
import { datasetNeeds, live } from '../../scenarios/live.ts';
import type { CommandCall } from '../command.ts';
import { DatasetStore } from '../datasets.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { plainTable } from '../figures-table.ts';
import { checkWritable, joinPath, write } from '../files.ts';
import { readScenario } from '../scenario-source.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

const DEFAULT_FOLDER = 'out/bench';
const DEFAULT_PAIRS = 3;

export async function bench(call: CommandCall): Promise<ExitCode> {
  const { operands, options, terminal } = call;
  const suites = operands.length === 0 ? BENCH_SUITES : operands.map(suiteNamed);
  const folder = options.out ?? DEFAULT_FOLDER;
  checkWritable(folder, 'folder', 'The folder of results');
  const standard = readScenario('standard').scenario;
  const datasets = new DatasetStore();
  await datasets.prepare(datasetNeeds(standard));
  const livePlan = call.parts?.livePlan ?? live;
  const results: BenchResult[] = [];
  for (const suite of suites) {
    const progress = terminal.progress(suite.name, 0);
    const result = await suite.run({
      live: (plan, { judges }) => livePlan(plan, { loadDataset: datasets.load, judges }),
      standard,
      pairs: options.pairs ?? DEFAULT_PAIRS,
      quick: options.quick === true,
      onProgress: (done, total, note) => progress.update(done, `of ${total}: ${note}`),
    });
    progress.stop();
    results.push(result);
    const files = benchFiles(result);
    for (const { name, text } of files) write(joinPath(folder, name), text);
    if (options.json !== true) tell(terminal, { result, folder, names: files.map(({ name }) => name) });
  }
  if (options.json === true) terminal.out(JSON.stringify({ folder, suites: results }, null, 2));
  return EXIT.passed;
}

function suiteNamed(name: string): BenchSuite {
  const suite = BENCH_SUITES.find((one) => one.name === name);
  if (suite !== undefined) return suite;
  throw new UsageError(`There is no suite '${name}': expected ${BENCH_SUITES.map((one) => one.name).join(' or ')}.`);
}

function tell(
  terminal: Terminal,
  {
    result,
    folder,
    names,
  }: { readonly result: BenchResult; readonly folder: string; readonly names: readonly string[] },
): void {
  for (const { title, kind, columns, rows, isDetail } of result.tables) {
    if (isDetail === true) continue;
    terminal.out(`${title} (${kind === 'virtual' ? 'virtual time, exact' : 'wall clock, noisy'})`);
    // The spread stands in the files: a screen has no room for it.
    const shown = columns
      .map((column, index) => ({ name: column.name, index }))
      .filter(({ name }) => kind === 'wall-clock' || !name.includes('_mad_'));
    terminal.out(
      plainTable(
        shown.map(({ name }) => name.replaceAll('_', '\n')),
        rows.map((row) => shown.map(({ index }) => String(row[index] ?? ''))),
      ),
    );
  }
  for (const note of result.notes) terminal.out(note);
  terminal.out(`Files in ${folder}: ${names.join(', ')}`);
}
