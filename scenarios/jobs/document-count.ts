/**
 * Counts the records of each key in a JSON document, which no type describes (Flink: state without type information): two halves that are
 * fractions where the count is odd. Half of what is restored wrong is a wrong count.
 */
import type { FunctionSpec, KeyedProcessFunction } from '../../engine/job/functions.ts';
import type { JsonValue } from '../../engine/state/json-serializer.ts';
import type { ValueState } from '../../engine/state/keyed-state.ts';
import { valueState } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import { keyField, type Row } from './job-definition.ts';
import type { KeyedCountOutput } from './keyed-count.ts';

const COUNTED = 'counted';

export const countInDocument = (field: string): FunctionSpec<KeyedProcessFunction<Row, KeyedCountOutput>> => ({
  states: [valueState(COUNTED, Types.json)],
  create() {
    let counted: ValueState<JsonValue>;
    return {
      open(runtime) {
        counted = runtime.value<JsonValue>(COUNTED);
      },
      processElement(row, _context, out) {
        const count = countOf(counted.value()) + 1;
        counted.update({ halves: [count / 2, count / 2] });
        out.collect({ key: keyField(row, field), count });
      },
    };
  },
});

function countOf(document: JsonValue | undefined): number {
  if (typeof document !== 'object' || document === null || !('halves' in document)) return 0;
  const { halves } = document;
  return Array.isArray(halves) ? halves.reduce<number>((sum, half) => sum + Number(half), 0) : 0;
}
