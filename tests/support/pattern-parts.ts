/** What tests of patterns share: the operator of a graph, and keyed state as comparable texts. */
import type { JobGraph, OperatorSpec } from '../../engine/index.ts';
import { ByteWriter } from '../../engine/foundation/byte-writer.ts';
import { readKeyedStateEntries } from '../../engine/state/keyed-state-file.ts';
import { Types } from '../../engine/state/type-information.ts';
import type { ReferenceOperatorState } from '../../sim/judges/reference-state.ts';

export type PatternOperatorSpec = Extract<OperatorSpec, { kind: 'pattern' }>;

export function operatorOf(graph: JobGraph): PatternOperatorSpec {
  const found = graph.vertices.flatMap(({ operators }) => operators).find(({ kind }) => kind === 'pattern');
  if (found?.kind !== 'pattern') throw new Error('the graph has no pattern');
  return found;
}

/** The JSON form in state, so that texts compare as bytes. */
export function bytesOf(value: unknown): string {
  const out = new ByteWriter();
  Types.json.serialize(value as never, out);
  return Buffer.from(out.toBytes()).toString('hex');
}

export function engineEntries(snapshot: Uint8Array): string[] {
  const found: string[] = [];
  readKeyedStateEntries(snapshot, (name, keyGroup, key, value) => {
    found.push(`${name}/${String(keyGroup)}/${key.join()}=${value.join()}`);
  });
  return found.sort();
}

export const referenceEntries = (state: ReferenceOperatorState): string[] =>
  state
    .entries()
    .map(({ state: name, keyGroup, key, value }) => `${name}/${String(keyGroup)}/${key.join()}=${value.join()}`)
    .sort();
