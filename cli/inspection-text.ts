/**
 * An inspection as a person reads it: one block per snapshot, then orphans, then problems. `--json` prints the document itself.
 */
import type {
  InspectedHandle,
  InspectedSnapshot,
  InspectionDocument,
  InspectionProblem,
} from '../sim/inspection/directory-inspection.ts';
import type { KeyedContents, StateContents } from '../sim/inspection/state-contents.ts';
import { countOf } from '../reports/index.ts';
import { grouped, plainTable } from './figures-table.ts';

const US_PER_S = 1_000_000;

export function inspectionText(document: InspectionDocument): string {
  const { snapshots, orphans, problems, files } = document;
  const sections = snapshots.map(snapshotText);
  if (orphans.length > 0) {
    const rows = orphans.map(({ path, bytes, kind }) => [path, grouped(bytes), ORPHAN_WORDS[kind]]);
    sections.push(plainTable(['file that no snapshot names', 'bytes', 'what it may be'], rows));
  }
  if (problems.length > 0)
    sections.push(['Problems', ...problems.map((problem) => `  ${problemText(problem)}`)].join('\n'));
  const count = `${grouped(files.count)} ${files.count === 1 ? 'file' : 'files'}, ${grouped(files.bytes)} bytes`;
  // Each snapshot that needs a file has a problem with it.
  const wrong = new Set(problems.map(({ file }) => file)).size;
  const sound = wrong === 0 ? 'every checksum fits and nothing is missing' : `${wrong} damaged or missing`;
  sections.push(`${count}: ${snapshots.length} completed, ${orphans.length} orphans, ${sound}`);
  return sections.join('\n\n');
}

const ORPHAN_WORDS = {
  orphan: 'left behind: nothing here needs it',
  unfinished: 'written for no completed checkpoint: under way, or left behind',
} as const;

export function problemText({ file, offset, kind, message }: InspectionProblem): string {
  return `${file}${offset === undefined ? '' : ` at byte ${offset}`} is ${kind}: ${message}`;
}

function snapshotText(snapshot: InspectedSnapshot): string {
  const { file, checkpointId, jobId, triggeredAtUs, sizes, problems } = snapshot;
  const what =
    snapshot.snapshot === 'checkpoint' ? 'checkpoint' : `${snapshot.format ?? ''} ${snapshot.snapshot}`.trim();
  const lines = [
    `${file}: ${what} ${checkpointId} of job ${jobId}, triggered at ${triggeredAtUs / US_PER_S} s`,
    `  ${grouped(sizes.files)} bytes of state in ${sizes.fileCount} files, ${grouped(sizes.inline)} inline, ${grouped(sizes.metadata)} bytes of metadata; ` +
      (problems.length === 0 ? 'sound' : `NOT restorable: ${problems.length} damaged or missing`),
    plainTable(
      ['operator', 'parallelism', 'of at most', 'state bytes'],
      snapshot.operators.map(({ uid, parallelism, maxParallelism, stateBytes }) => [
        uid,
        String(parallelism),
        String(maxParallelism),
        grouped(stateBytes),
      ]),
    ),
    plainTable(['vertex/subtask', 'operator', 'state', 'bytes', 'where', 'what it holds'], handleRows(snapshot)),
  ];
  for (const { operator, bytes } of snapshot.coordinators)
    lines.push(`  coordinator of ${operator}: ${grouped(bytes)} bytes, inline`);
  return lines.join('\n');
}

function handleRows({ file, subtasks }: InspectedSnapshot): string[][] {
  const directory = file.slice(0, file.lastIndexOf('/') + 1);
  return subtasks.flatMap(({ vertex, subtask, finished, handles }) => {
    const who = `${vertex}/${subtask}${finished === undefined ? '' : ` (${FINISHED_WORDS[finished]})`}`;
    if (handles.length === 0) return [[who, '', '', '', '', finished === undefined ? 'no state' : '']];
    return handles.map((handle, index) => [
      index === 0 ? who : '',
      handle.operator,
      handle.state,
      grouped(handle.bytes),
      placeOf(handle, directory),
      contentsText(handle),
    ]);
  });
}

/** What lies beside its `_metadata` is named from there. */
function placeOf({ file, offset }: Pick<InspectedHandle, 'file' | 'offset'>, directory: string): string {
  if (file === '') return 'inline';
  const place = file.startsWith(directory) ? `./${file.slice(directory.length)}` : file;
  return offset === undefined ? place : `${place} from byte ${grouped(offset)}`;
}

const FINISHED_WORDS = { operators: 'operators finished', task: 'ended' } as const;

function contentsText({ contents, keyGroups, segments }: InspectedHandle): string {
  const range = keyGroups === undefined ? [] : [`key groups ${keyGroups.start} to ${keyGroups.end}`];
  const files = (segments ?? []).map(({ file, offset, bytes }) => {
    const from = offset === undefined ? '' : ` from byte ${grouped(offset)}`;
    return `segment ${file}${from}, ${grouped(bytes)} bytes`;
  });
  return [...range, ...(contents === undefined ? ['DAMAGED OR MISSING'] : pieces(contents)), ...files].join('\n');
}

function pieces(contents: StateContents): readonly string[] {
  switch (contents.kind) {
    case 'keyed':
      return contents.states.map(
        ({ name, kind, type, entries }) =>
          `${name}: ${kind}, ${entries === undefined ? howWithoutCount(contents.format) : `${grouped(entries)} entries`}, ${contents.keyType} -> ${type}`,
      );
    case 'operator':
      return contents.lists.map(
        ({ name, mode, type, elements }) => `${name}: ${mode}, ${elements} elements of ${type}`,
      );
    case 'channel':
      return contents.channels.map(
        ({ edge, peer, buffers, records }) =>
          `edge ${edge}, subtask ${peer}: ${countOf(records, 'record')} in ${countOf(buffers, 'buffer')}`,
      );
    default:
      return contents satisfies never;
  }
}

const howWithoutCount = (format: KeyedContents['format']): string =>
  format === 'log' ? 'in a snapshot and a log' : 'in segments';
