/**
 * Whether state that a file holds can be the state a function declares, and how it is read then (row S13; Flink:
 * StateSerializerProvider). The same for every backend.
 *
 * I1: a refusal names operator, state and both forms, and changes nothing: the file stays as it is.
 * I2: keys may not evolve: which key group a key belongs to is decided by what it is.
 */
import type { StateMetaInfo } from './keyed-state-file.ts';
import { resolveSchema } from './schema-compatibility.ts';
import {
  checkCompatibility,
  describeSerializer,
  IncompatibleState,
  type SerializerSnapshot,
  type TypeSerializer,
  type SchemaCompatibility,
} from './type-serializer.ts';

/** What a state is registered with. */
export interface DeclaredState<T> {
  readonly kind: StateMetaInfo['kind'];
  readonly serializer: TypeSerializer<T>;
}

/** Throws `IncompatibleState`, so never `incompatible`. `operator`: for the message, where it is known. */
export function resolveStoredState<T>(
  written: StateMetaInfo,
  declared: DeclaredState<T>,
  operator?: string,
): SchemaCompatibility<T> {
  const place = `${ofOperator(operator)}state '${written.name}'`;
  if (written.kind !== declared.kind)
    throw new IncompatibleState(`${place} is a ${written.kind} state, not a ${declared.kind} state`);
  const compatibility = resolveSchema(declared.serializer, written.serializer);
  if (compatibility.kind !== 'incompatible') return compatibility;
  const [before, now] = [describeSerializer(written.serializer), describeSerializer(declared.serializer.snapshot)];
  throw new IncompatibleState(`${place} has type ${before}, which cannot be read as ${now}`);
}

/** Throws `IncompatibleState` if anything differs (I2). */
export function refuseOtherKeys(written: SerializerSnapshot, current: SerializerSnapshot, operator?: string): void {
  if (checkCompatibility(written, current) === 'compatible-as-is') return;
  const [before, now] = [describeSerializer(written), describeSerializer(current)];
  throw new IncompatibleState(`${ofOperator(operator)}the keys were written as ${before}, the job has ${now}`);
}

const ofOperator = (operator: string | undefined): string => (operator === undefined ? '' : `operator '${operator}': `);
