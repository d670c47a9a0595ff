/** `run --keep-checkpoints` and `inspect`: the whole path, on the disk and in S3; then one byte is damaged (rows U10, U11). */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runProgram } from '../../../cli/program.ts';
import type { InspectionDocument } from '../../../sim/inspection/directory-inspection.ts';
import { BUCKET, startS3Server } from '../../support/s3-server.ts';
import { type FakeTerminal, fakeTerminal } from './fake-terminal.ts';

let folder = '';
let terminal: FakeTerminal = fakeTerminal();
/** What a life left; never changed. */
let kept = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-inspect-'));
  kept = join(folder, 'kept');
  expect(await runProgram(['run', 'quickstart', '--keep-checkpoints', kept], fakeTerminal())).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  terminal = fakeTerminal();
});

const tidemark = async (...argv: string[]): Promise<number> => await runProgram(argv, terminal);
const said = (): string => terminal.stdout.join('\n');
const filesOf = (place: string): string[] =>
  readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
async function documentOf(place: string, code: number, ...options: string[]): Promise<InspectionDocument> {
  terminal = fakeTerminal();
  expect(await tidemark('inspect', place, '--json', ...options)).toBe(code);
  return JSON.parse(said());
}

let copies = 0;
/** A copy of its own, and a file of it. */
function copyOf(ending: RegExp): { readonly place: string; readonly file: string; readonly name: string } {
  copies += 1;
  const place = join(folder, `copy-${copies}`);
  cpSync(kept, place, { recursive: true });
  const file = filesOf(place).find((path) => ending.test(path));
  if (file === undefined) throw new Error(`the life left no ${String(ending)}`);
  return { place, file, name: file.slice(place.length + 1) };
}

describe('tidemark inspect', () => {
  it('tells what a life left: operators, key groups, types, counts; exit code 0', async () => {
    expect(await tidemark('inspect', kept)).toBe(0);
    expect(said()).toMatch(/checkpoint \d+ of job keyed-count/);
    expect(said()).toMatch(/key groups 0 to \d+/);
    expect(said()).toMatch(/count: value, \d+ entries, string@1 -> int@1/);
    expect(said()).toMatch(/offsets: union, 1 elements of row@1\(partition: int@1, offset: int@1\)/);
    expect(said()).toMatch(/0 orphans, every checksum fits and nothing is missing$/);
  });

  it('--json has the same as a document, whole directory or single checkpoint', async () => {
    const whole = await documentOf(kept, 0);
    expect(whole).toMatchObject({ outcome: 'fine', problems: [], orphans: [] });
    expect(whole.files.count).toBe(filesOf(kept).length);
    const [newest] = filesOf(kept).filter((path) => path.endsWith('/_metadata'));
    const single = await documentOf(dirname(newest ?? ''), 0);
    expect(single.snapshots).toHaveLength(1);
    const [mine, same] = [single.snapshots[0], whole.snapshots[0]];
    expect(mine).toMatchObject({ checkpointId: same?.checkpointId, sizes: same?.sizes, problems: [] });
    const keyed = mine?.subtasks.flatMap(({ handles }) => handles).filter(({ state }) => state === 'keyed') ?? [];
    expect(keyed.map(({ keyGroups }) => keyGroups?.start)).toContain(0);
    expect(keyed.every(({ contents }) => contents?.kind === 'keyed' && contents.states[0]?.name === 'count')).toBe(
      true,
    );
  });

  it('a flipped byte of a state file: file and offset, exit code 1', async () => {
    const { place, file, name } = copyOf(/\.keyed$/);
    const bytes = readFileSync(file);
    const at = bytes.length - 10;
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    writeFileSync(file, bytes);
    expect(await tidemark('inspect', place)).toBe(1);
    expect(said()).toContain(`${name} at byte `);
    expect(said()).toMatch(/is damaged: the block of key group \d+ does not match its checksum/);
    expect(said()).toMatch(/NOT restorable: 1 damaged or missing/);
    expect(said()).toMatch(/, 1 damaged or missing$/);
    const { problems } = await documentOf(place, 1);
    expect(problems).toEqual([expect.objectContaining({ kind: 'damaged', file: name })]);
    // The block in which the byte lies begins before it.
    expect(problems[0]?.offset).toBeLessThanOrEqual(at);
  });

  it('S19: state in merged files is found by its place in them, and so is damage', async () => {
    const place = join(folder, 'merged');
    const plan = ['run', 'file-merging', '--seed', '2', '--keep-checkpoints', place];
    expect(await runProgram(plan, fakeTerminal())).toBe(0);
    expect(await tidemark('inspect', place)).toBe(0);
    expect(said()).toMatch(/\.merged from byte \d+/);
    const { snapshots } = await documentOf(place, 0);
    const handles = snapshots.flatMap(({ subtasks }) => subtasks.flatMap((subtask) => subtask.handles));
    const handle = handles.find(({ offset = 0 }) => offset > 0);
    if (handle?.offset === undefined) throw new Error('no state lies behind other state');
    const bytes = readFileSync(join(place, handle.file));
    const at = handle.offset + handle.bytes - 1;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(join(place, handle.file), bytes);
    const [problem] = (await documentOf(place, 1)).problems;
    expect(problem).toMatchObject({ kind: 'damaged', file: handle.file });
    expect(problem?.offset).toBeGreaterThanOrEqual(handle.offset);
    expect(problem?.offset).toBeLessThanOrEqual(at);
  });

  it('a flipped byte of _metadata: file and offset, and nothing it named is believed', async () => {
    const { place, file, name } = copyOf(/_metadata$/);
    const bytes = readFileSync(file);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const { problems, orphans } = await documentOf(place, 1);
    expect(problems).toEqual([
      { kind: 'damaged', file: name, offset: bytes.length - 4, message: 'the checksum of _metadata differs' },
    ]);
    expect(orphans.length).toBeGreaterThan(0);
  });

  it('a truncated, an empty and a missing file, and one in the place of another', async () => {
    const truncated = copyOf(/\.keyed$/);
    truncateSync(truncated.file, 100);
    expect((await documentOf(truncated.place, 1)).problems[0]).toMatchObject({ file: truncated.name, offset: 100 });
    const empty = copyOf(/\.keyed$/);
    truncateSync(empty.file, 0);
    expect((await documentOf(empty.place, 1)).problems[0]).toMatchObject({ file: empty.name, offset: 0 });
    const missing = copyOf(/\.keyed$/);
    rmSync(missing.file);
    expect((await documentOf(missing.place, 1)).problems[0]).toMatchObject({ kind: 'missing', file: missing.name });
    const swapped = copyOf(/\.keyed$/);
    const other = filesOf(swapped.place).find((path) => /\.keyed$/.test(path) && path !== swapped.file) ?? '';
    cpSync(other, swapped.file);
    expect((await documentOf(swapped.place, 1)).problems[0]).toMatchObject({ kind: 'damaged', file: swapped.name });
  });

  it('what no snapshot names is an orphan, and no damage (row U11)', async () => {
    const { place, file, name } = copyOf(/_metadata$/);
    writeFileSync(`${file.slice(0, -'_metadata'.length)}left-behind.keyed`, 'x');
    const directory = name.slice(0, -'_metadata'.length);
    expect(await documentOf(place, 0)).toMatchObject({
      orphans: [{ path: `${directory}left-behind.keyed`, bytes: 1, kind: 'orphan' }],
    });
  });

  it('files of a checkpoint that was not completed may be under way', async () => {
    const { place, file } = copyOf(/_metadata$/);
    const job = dirname(dirname(file));
    cpSync(dirname(file), join(job, 'chk-999'), { recursive: true });
    rmSync(join(job, 'chk-999', '_metadata'));
    const { orphans } = await documentOf(place, 0);
    expect(orphans.length).toBeGreaterThan(0);
    expect(new Set(orphans.map(({ kind }) => kind))).toEqual(new Set(['unfinished']));
    rmSync(join(job, 'chk-999'), { recursive: true });
    mkdirSync(join(job, 'shared'));
    const newest = Math.max(...readdirSync(job).map((name) => Number(/^chk-(\d+)$/.exec(name)?.[1] ?? 0)));
    for (const id of [newest - 1, newest]) writeFileSync(join(job, 'shared', `count-0-1-log-1-${id}.segment`), 'x');
    expect((await documentOf(place, 0)).orphans.map(({ kind }) => kind)).toEqual(['orphan', 'unfinished']);
    rmSync(join(place, 'checkpoints'), { recursive: true });
    writeFileSync(join(place, 'something'), 'else');
    expect((await documentOf(place, 1)).problems).toEqual([
      { kind: 'missing', file: '_metadata', message: 'there is no completed checkpoint here' },
    ]);
  });

  it.each([
    [['inspect', '/nowhere/at/all'], /Cannot inspect \/nowhere\/at\/all: there is no such folder or bucket/],
    [['inspect', 's3://bucket'], /s3:\/\/bucket needs credentials/],
    [['inspect'], /missing required argument/],
  ])('%j is refused with a sentence and exit code 2', async (argv, message) => {
    expect(await tidemark(...argv)).toBe(2);
    expect(terminal.stderr.join('\n')).toMatch(message);
  });

  it('of a job that has finished nothing is left, and the life says so', async () => {
    const place = join(folder, 'finished');
    expect(await tidemark('run', 'bounded-input', '--keep-checkpoints', place)).toBe(0);
    expect(said()).toContain('Checkpoints: none were left, as the job is over');
    expect(said()).not.toContain(`inspect ${place}`);
  });

  it('a place that holds files is not written into', async () => {
    expect(await tidemark('run', 'quickstart', '--keep-checkpoints', kept)).toBe(2);
    expect(terminal.stderr.join('\n')).toMatch(/already holds checkpoints\/.*: name a place that holds no files/);
  });

  it('the same through S3: kept there by a life, inspected there', async () => {
    const server = await startS3Server(join(folder, 's3'));
    const { accessKeyId = '', secretAccessKey = '', endpoint = '' } = server.settings;
    const place = `s3://${BUCKET}/lives/1`;
    terminal = fakeTerminal({ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey });
    const variables = terminal.variable;
    expect(await tidemark('run', 'quickstart', '--keep-checkpoints', place, '--endpoint', endpoint)).toBe(0);
    terminal = { ...fakeTerminal(), variable: variables };
    expect(await tidemark('inspect', place, '--json', '--endpoint', endpoint)).toBe(0);
    const { snapshots, files } = JSON.parse(said()) as InspectionDocument;
    await server.close();
    const local = await documentOf(kept, 0);
    expect({ snapshots, files }).toEqual({ snapshots: local.snapshots, files: local.files });
  });
});
