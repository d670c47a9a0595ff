/**
 * Compares operator state of a checkpoint with the reference at the checkpoint's cut (rows S5 to S7).
 *
 * How elements lie on subtasks is the engine's business, so lists are compared as one bag over all subtasks, or merged by what the job
 * says they mean together. Broadcast state is compared in every subtask, for each must hold the whole.
 *
 * I1: a subtask that runs and has no file is a difference;
 * I2: what subtasks that ended held is gone, and rightly: then the rest must be part of what the reference holds. Not so union state while
 *     some subtask still has to do with it: that is why such a checkpoint is declined (row C21).
 */
import { ByteReader } from '../../engine/foundation/byte-reader.ts';
import type { JobAudit } from './job-audit.ts';
import { attempt, type Readable } from './readable.ts';
import type { OperatorStateContents, ReferenceFunctionState } from './reference-operator-state.ts';
import { decodeOperatorStateFile, type OperatorStateDescriptor, Types } from './state-decoders.ts';
import type { StateDifference } from './state-difference.ts';
import { canonicalText } from './value-hash.ts';

/** Operator state of one user function in one subtask. */
export interface OperatorPiece {
  readonly operator: string;
  readonly subtask: number;
  /** Its operators had finished before the snapshot. */
  readonly hasFinished: boolean;
  readonly bytes: Uint8Array;
}

export interface OperatorStateQuestion {
  readonly pieces: readonly OperatorPiece[];
  /** Some subtasks of the operator had ended. */
  readonly hasEnded: (operator: string) => boolean;
  readonly expected: ReadonlyMap<string, ReferenceFunctionState>;
  readonly merge: JobAudit['mergeOperatorState'];
}

type Difference = StateDifference | undefined;

/** The first difference; undefined when there is none. */
export function compareOperatorState({
  pieces,
  hasEnded,
  expected,
  merge,
}: OperatorStateQuestion): Readable<Difference> {
  for (const [uid, reference] of expected) {
    if (reference.descriptors.length === 0) continue;
    const due = reference.contents();
    const found = readPieces(pieces, reference);
    if (found.kind === 'unreadable') return found;
    for (const descriptor of reference.descriptors) {
      const question = { uid, descriptor, due: due.get(descriptor.name) ?? [], found: found.value };
      const difference =
        descriptor.kind === 'broadcast'
          ? broadcastDifference(question)
          : listDifference(question, isPartGone(question, hasEnded(uid)), merge?.[uid]?.[descriptor.name]);
      if (difference !== undefined) return { kind: 'read', value: difference };
    }
  }
  return { kind: 'read', value: undefined };
}

/** What a restore into one subtask would find: every element of all lists, one copy of broadcast state. By operator. */
export function restoredAsOne(
  pieces: readonly OperatorPiece[],
  declared: ReadonlyMap<string, readonly OperatorStateDescriptor[]>,
): Readable<ReadonlyMap<string, OperatorStateContents>> {
  const restored = new Map<string, OperatorStateContents>();
  for (const [uid, descriptors] of declared) {
    const found = readPieces(pieces, { uid, descriptors });
    if (found.kind === 'unreadable') return found;
    const contents = descriptors.map(({ kind, name }): [string, readonly unknown[]] => {
      const copies = found.value.map((piece) => piece.contents.get(name) ?? []);
      return [name, kind === 'broadcast' ? (copies[0] ?? []) : copies.flat()];
    });
    if (found.value.length > 0) restored.set(uid, new Map(contents));
  }
  return { kind: 'read', value: restored };
}

/** The same for state that is one subtask's already: when the records of an unaligned checkpoint have run on. `hasEnded`: some subtask had. */
export function differenceOfContents(
  {
    hasEnded,
    merge,
    ...state
  }: Omit<Compared, 'found'> & { readonly hasEnded: boolean; readonly merge: Merge | undefined },
  contents: OperatorStateContents,
): Difference {
  const question = { ...state, found: [{ subtask: 0, hasFinished: false, contents }] };
  return state.descriptor.kind === 'broadcast'
    ? broadcastDifference(question)
    : listDifference(question, isPartGone(question, hasEnded), merge);
}

type Merge = (elements: readonly unknown[]) => ReadonlyMap<string, number>;

interface ReadPiece {
  readonly subtask: number;
  readonly hasFinished: boolean;
  readonly contents: OperatorStateContents;
}

interface Compared {
  readonly uid: string;
  readonly descriptor: OperatorStateDescriptor;
  readonly due: readonly unknown[];
  readonly found: readonly ReadPiece[];
}

function readPieces(
  pieces: readonly OperatorPiece[],
  { uid, descriptors }: Pick<ReferenceFunctionState, 'uid' | 'descriptors'>,
): Readable<readonly ReadPiece[]> {
  const types = new Map(descriptors.map((descriptor) => [descriptor.name, elementType(descriptor)]));
  const read: ReadPiece[] = [];
  for (const { operator, subtask, hasFinished, bytes } of pieces) {
    if (operator !== uid) continue;
    const contents = attempt(`operator state of ${uid}`, () => {
      const lists = new Map<string, readonly unknown[]>();
      for (const { name, elements } of decodeOperatorStateFile(bytes)) {
        const type = types.get(name);
        if (type !== undefined)
          lists.set(
            name,
            elements.map((element) => type.deserialize(new ByteReader(element))),
          );
      }
      return lists;
    });
    if (contents.kind === 'unreadable') return contents;
    read.push({ subtask, hasFinished, contents: contents.value });
  }
  return { kind: 'read', value: read };
}

const elementType = (descriptor: OperatorStateDescriptor) =>
  descriptor.kind === 'broadcast' ? Types.tuple([descriptor.keyType, descriptor.valueType]) : descriptor.type;

/** I2. */
const isPartGone = ({ descriptor, found }: Compared, hasEnded: boolean): boolean =>
  hasEnded &&
  (!(descriptor.kind === 'operator-list' && descriptor.mode === 'union') ||
    found.every(({ hasFinished }) => hasFinished));

/** Row S7. */
function broadcastDifference({ uid, descriptor: { name }, due, found }: Compared): Difference {
  const expected = bagOf(due).join(', ');
  for (const { subtask, contents } of found) {
    const held = bagOf(contents.get(name) ?? []).join(', ');
    if (held === expected) continue;
    const message = `operator ${uid}, broadcast state ${name} of subtask ${String(subtask)}: expected {${expected}}, found {${held}}`;
    return { kind: held.length < expected.length ? 'misses' : 'other', message };
  }
  return undefined;
}

/** Rows S5 and S6. */
function listDifference(
  { uid, descriptor: { name }, due, found }: Compared,
  isPart: boolean,
  merge: Merge | undefined,
): Difference {
  const all = found.flatMap(({ contents }) => contents.get(name) ?? []);
  const place = `operator ${uid}, list state ${name}`;
  if (merge !== undefined) {
    if (isPart) return undefined;
    const [expected, held] = [merge(due), merge(all)];
    const different = [...new Set([...expected.keys(), ...held.keys()])].filter(
      (key) => expected.get(key) !== held.get(key),
    );
    const [first] = different;
    if (first === undefined) return undefined;
    const say = (found: number | undefined): string => (found === undefined ? 'nothing' : String(found));
    const message = `${place}: ${first} comes to ${say(held.get(first))} and not to ${say(expected.get(first))}, and ${String(different.length - 1)} more`;
    return { kind: 'other', message };
  }
  const missing = new Map<string, number>();
  for (const element of bagOf(due)) missing.set(element, (missing.get(element) ?? 0) + 1);
  for (const element of bagOf(all)) {
    const left = missing.get(element) ?? 0;
    if (left === 0) return { kind: 'holds-too-much', message: `${place} holds ${element} once too often` };
    if (left === 1) missing.delete(element);
    else missing.set(element, left - 1);
  }
  const [lost] = missing.keys();
  return lost === undefined || isPart ? undefined : { kind: 'misses', message: `${place} lacks ${lost}` };
}

const bagOf = (elements: readonly unknown[]): readonly string[] => elements.map(canonicalText).sort(inOrder);

const inOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
