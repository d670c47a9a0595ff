/**
 * Keyed state whose entries expire, as it would be if they did not: the time before each value is left out (row S12).
 *
 * When an entry was accessed depends on the schedule, so the reference keeps no times and state is compared without them. Written from the
 * stored form and not from the engine's: a time of variable length before the value of a value, reducing or aggregating state, before each
 * element of a list, and between key and value of each entry of a map. What of this a file has, its own description says.
 *
 * I1: files without such states are handed on as they are; those of operators none of whose states ever expire are not even looked at.
 */
import { ByteReader } from '../../engine/foundation/byte-reader.ts';
import type { ByteWriter } from '../../engine/foundation/byte-writer.ts';
import type { JobGraph, JobVertex } from '../../engine/job/job-graph.ts';
import { decodeKeyedStateFile, encodeKeyedStateFile, sameSnapshot, type StateDescriptor } from './state-decoders.ts';

/** Names the stored form in a file. */
const STAMPED = 'ttl';

type Description = ReturnType<typeof decodeKeyedStateFile>['states'][number]['serializer'];
type Copy = (input: ByteReader, out: ByteWriter) => void;

export class UnstampedState {
  /** By place: one for each form that some version has. */
  readonly #states = new Map<string, StateDescriptor[]>();
  /** Operators with a state that expires in some version of the job. */
  readonly #expiring: ReadonlySet<string>;

  /** `vertices`: of all versions of the job. */
  constructor(vertices: readonly JobVertex[]) {
    this.#expiring = new Set(expiringStates({ vertices }).keys());
    for (const { operators } of vertices)
      for (const operator of operators) {
        if (!('function' in operator)) continue;
        for (const state of operator.function.states) {
          const place = placeOf(operator.uid, state);
          this.#states.set(place, [...(this.#states.get(place) ?? []), state]);
        }
      }
  }

  /** Throws `CorruptData`. */
  fileOf(operator: string, bytes: Uint8Array): Uint8Array {
    if (!this.#expiring.has(operator)) return bytes;
    const file = decodeKeyedStateFile(bytes);
    const copies = file.states.map((state) => this.#copyOf(placeOf(operator, state), state.serializer));
    if (copies.every((copy) => copy === undefined)) return bytes;
    const states = file.states.map((state, index) =>
      copies[index] === undefined ? state : { ...state, serializer: unstamped(state.serializer) },
    );
    return encodeKeyedStateFile({ ...file, states }, (state, keyGroup, out) => {
      const section = file.sections.find((found) => found.state === state && found.keyGroup === keyGroup);
      if (section === undefined) return 0;
      const input = new ByteReader(bytes, section.start, section.end);
      for (let left = section.entryCount; left > 0; left -= 1) {
        copyPrefixed(input, out, undefined);
        copyPrefixed(input, out, copies[state]);
      }
      return section.entryCount;
    });
  }

  #copyOf(id: string, written: Description): Copy | undefined {
    const known = this.#states.get(id) ?? [];
    const descriptor = known.find((state) => sameSnapshot(valueTypeOf(state), valueFormOf(state, written))) ?? known[0];
    if (descriptor === undefined) return undefined;
    const parts = written.fields ?? [];
    switch (descriptor.kind) {
      case 'list': {
        if (parts[0]?.serializer.name !== STAMPED) return undefined;
        const element = behindTime(descriptor.type);
        return (input, out) => copyAll(input, out, element);
      }
      case 'map': {
        if (parts[1]?.serializer.name !== STAMPED) return undefined;
        const key = as(descriptor.keyType);
        const value = behindTime(descriptor.valueType);
        return (input, out) =>
          copyAll(input, out, (from, to) => {
            key(from, to);
            value(from, to);
          });
      }
      default:
        return written.name === STAMPED ? behindTime(descriptor.type) : undefined;
    }
  }
}

const valueTypeOf = (state: StateDescriptor): Description =>
  (state.kind === 'map' ? state.valueType : state.type).snapshot;

/** What a file says of an element of a list, a value of a map, the whole of the other kinds, without the time before it. */
function valueFormOf({ kind }: StateDescriptor, written: Description): Description {
  const at = kind === 'map' ? 1 : kind === 'list' ? 0 : undefined;
  const form = at === undefined ? written : written.fields?.[at]?.serializer;
  return unstamped(form ?? written);
}

/** Versions of a job may have states of one name and different kinds. */
const placeOf = (operator: string, { name, kind }: { readonly name: string; readonly kind: string }): string =>
  `${operator}/${name}/${kind}`;

/** Names of the states of each operator whose entries expire, in one of several versions of a job; an operator without any is not in it. */
export function expiringStates(
  ...jobs: readonly Pick<JobGraph, 'vertices'>[]
): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, ReadonlySet<string>>();
  for (const { operators } of jobs.flatMap(({ vertices }) => vertices)) {
    for (const operator of operators) {
      if (!('function' in operator)) continue;
      const expiring = operator.function.states.filter(({ timeToLive }) => timeToLive !== undefined);
      const names = expiring.map(({ name }) => name);
      if (names.length > 0) found.set(operator.uid, new Set([...(found.get(operator.uid) ?? []), ...names]));
    }
  }
  return found;
}

/** The same of a content as a backend holds it: of each element of a list, of each value of a map, of the whole of the other kinds. */
export function withoutTimes(content: unknown): unknown {
  if (content instanceof Map) return new Map([...content].map(([key, value]) => [key, valueBehindTime(value)]));
  return Array.isArray(content) ? content.map(valueBehindTime) : valueBehindTime(content);
}

const valueBehindTime = (stamped: unknown): unknown => (stamped as { readonly value: unknown }).value;

interface Type {
  serialize(value: unknown, out: ByteWriter): void;
  deserialize(input: ByteReader): unknown;
}

const as =
  (type: Type): Copy =>
  (input, out) =>
    type.serialize(type.deserialize(input), out);

function behindTime(type: Type): Copy {
  const copy = as(type);
  return (input, out) => {
    input.readVarInt();
    copy(input, out);
  };
}

function copyAll(input: ByteReader, out: ByteWriter, copy: Copy): void {
  const count = input.readVarUint();
  out.writeVarUint(count);
  for (let left = count; left > 0; left -= 1) copy(input, out);
}

/** Key or value with its length before it; undefined: byte for byte. */
function copyPrefixed(input: ByteReader, out: ByteWriter, copy: Copy | undefined): void {
  const length = input.readVarUint();
  const start = out.beginLengthPrefixed();
  if (copy !== undefined) copy(input, out);
  else for (let left = length; left > 0; left -= 1) out.writeByte(input.readByte());
  out.endLengthPrefixed(start);
}

/** The description without times, wherever it has one. */
function unstamped(written: Description): Description {
  const inner = written.name === STAMPED ? written.fields?.[1]?.serializer : undefined;
  if (inner !== undefined) return inner;
  if (written.fields === undefined) return written;
  return { ...written, fields: written.fields.map((field) => ({ ...field, serializer: unstamped(field.serializer) })) };
}
