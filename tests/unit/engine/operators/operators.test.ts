/** What one record becomes on its way through a chain: value, event time, lineage, order. */
import { describe, expect, it } from 'vitest';
import type { KeyedProcessFunction, RuntimeContext } from '../../../../engine/job/functions.ts';
import type { OperatorSpec } from '../../../../engine/job/job-graph.ts';
import { KeyedCoProcessOperator, KeyedProcessOperator } from '../../../../engine/operators/keyed-operators.ts';
import { FilterOperator, FlatMapOperator, MapOperator } from '../../../../engine/operators/stateless-operators.ts';
import { childLineage, LINEAGE_PATH_UNIT, sourceIndexOf } from '../../../../engine/protocol/stream-elements.ts';
import { HashMapStateBackend } from '../../../../engine/state/hashmap-state-backend.ts';
import type { ValueState } from '../../../../engine/state/keyed-state.ts';
import { valueState } from '../../../../engine/state/state-descriptor.ts';
import { Types } from '../../../../engine/state/type-information.ts';

type Taken = readonly [value: unknown, timestampUs: number, lineage: number];

/** The end of a chain: notes what arrives. */
function end() {
  const taken: Taken[] = [];
  return { taken, process: (...record: Taken) => void taken.push(record) };
}
const COUNT = valueState('count', Types.int);
const keyed = { uid: 'op', name: 'op', keySerializer: Types.string as never } as const;
const options = (next: ReturnType<typeof end>) => ({
  backend: new HashMapStateBackend({
    keySerializer: keyed.keySerializer,
    keyGroups: { start: 0, end: 7 },
    maxParallelism: 8,
  }),
  subtask: 2,
  parallelism: 3,
  next,
});

describe('stateless operators', () => {
  it('map changes the value and keeps event time and lineage', () => {
    const next = end();
    new MapOperator((value) => `${value}!`, next).process('a', 7, 9);
    expect(next.taken).toEqual([['a!', 7, 9]]);
  });

  it('filter lets through what it is true for, unchanged', () => {
    const next = end();
    const filter = new FilterOperator((value) => value === 'b', next);
    filter.process('a', 1, 2);
    filter.process('b', 3, 4);
    expect(next.taken).toEqual([['b', 3, 4]]);
  });

  it('flatMap keeps order and event time; the first child has the lineage of its parent, the others their own', () => {
    const next = end();
    const flatMap = new FlatMapOperator((value, out) => {
      for (const part of String(value)) out.collect(part);
    }, next);
    flatMap.process('abc', 7, 9);
    flatMap.process('', 7, 10);
    flatMap.process('d', 8, 11);
    expect(next.taken).toEqual([
      ['a', 7, 9],
      ['b', 7, childLineage(9, 1)],
      ['c', 7, childLineage(9, 2)],
      ['d', 8, 11],
    ]);
    expect(new Set(next.taken.map(([, , lineage]) => lineage)).size).toBe(4);
    expect(next.taken.map(([, , lineage]) => sourceIndexOf(lineage))).toEqual([9, 9, 9, 11]);
  });
});

describe('lineage', () => {
  it('is a safe integer that tells the source record, however deep the derivation', () => {
    let lineage = LINEAGE_PATH_UNIT - 1;
    for (let depth = 0; depth < 50; depth += 1) {
      lineage = childLineage(lineage, 1 + (depth % 3));
      expect(Number.isSafeInteger(lineage)).toBe(true);
      expect(sourceIndexOf(lineage)).toBe(LINEAGE_PATH_UNIT - 1);
    }
  });

  it('differs between the children of one record', () => {
    const children = Array.from({ length: 200 }, (_, child) => childLineage(5, child));
    expect(new Set(children).size).toBe(200);
  });
});

describe('keyed operators', () => {
  const counting = (): KeyedProcessFunction<unknown, unknown> => {
    let count: ValueState<number>;
    return {
      open: (runtime: RuntimeContext) => {
        count = runtime.value<number>('count');
      },
      processElement: (_value, context, out) => {
        const n = (count.value() ?? 0) + 1;
        count.update(n);
        out.collect(`${context.currentKey} ${n} at ${context.timestampMs}`);
      },
    };
  };

  it('process: state is that of the record’s key, the context tells key and event time in milliseconds', () => {
    const next = end();
    const spec: Extract<OperatorSpec, { kind: 'process' }> = {
      ...keyed,
      kind: 'process',
      key: (value) => String(value).slice(0, 1),
      function: { states: [COUNT], create: counting },
    };
    const operator = new KeyedProcessOperator(spec, options(next));
    for (const [at, value] of ['a1', 'b1', 'a2'].entries()) operator.process(value, at * 1_000, at);
    expect(next.taken).toEqual([
      ['a 1 at 0', 0, 0],
      ['b 1 at 1', 1_000, 1],
      ['a 2 at 2', 2_000, 2],
    ]);
  });

  it('process: every subtask has a function of its own, told which subtask it is', () => {
    const opened: string[] = [];
    const create = (): KeyedProcessFunction<unknown, unknown> => ({
      open: ({ subtask, parallelism }) => opened.push(`${subtask} of ${parallelism}`),
      processElement: () => {},
    });
    const spec = { ...keyed, kind: 'process' as const, key: String, function: { states: [], create } };
    new KeyedProcessOperator(spec, options(end()));
    new KeyedProcessOperator(spec, options(end()));
    expect(opened).toEqual(['2 of 3', '2 of 3']);
  });

  it('co-process: both inputs share the state of a key, each with its own key selector', () => {
    const next = end();
    const spec: Extract<OperatorSpec, { kind: 'co-process' }> = {
      ...keyed,
      kind: 'co-process',
      keys: [(value) => String(value), (value) => String((value as { id: string }).id)],
      function: {
        states: [COUNT],
        create: () => {
          let count: ValueState<number>;
          return {
            open: (runtime) => {
              count = runtime.value<number>('count');
            },
            processElement1: () => count.update((count.value() ?? 0) + 1),
            processElement2: (_value, { currentKey }, out) => out.collect(`${currentKey} ${count.value() ?? 0}`),
          };
        },
      },
    };
    const [first, second] = new KeyedCoProcessOperator(spec, options(next)).inputs;
    first.process('a', 0, 1);
    first.process('a', 0, 2);
    second.process({ id: 'a' }, 0, 3);
    second.process({ id: 'b' }, 0, 4);
    expect(next.taken).toEqual([
      ['a 2', 0, 3],
      ['b 0', 0, 4],
    ]);
  });

  describe('a function that asks for its states when a record needs them', () => {
    const SPREAD = valueState('spread', Types.int);
    const created = (): KeyedProcessFunction<unknown, unknown> => {
      let runtime: RuntimeContext;
      const add = (name: string): void => {
        const state = runtime.value<number>(name);
        state.update((state.value() ?? 0) + 1);
      };
      return {
        open: (opened) => {
          runtime = opened;
        },
        processElement: (value) => {
          add('count');
          if (String(value).endsWith('!')) add('spread');
        },
        finish: ({ currentKey }, out) =>
          out.collect([currentKey, runtime.value('count').value(), runtime.value('spread').value()]),
      };
    };
    const asking = (at: ReturnType<typeof options>): KeyedProcessOperator => {
      const declared = { states: [COUNT, SPREAD], registration: 'when-asked' as const, create: created };
      return new KeyedProcessOperator(
        { ...keyed, kind: 'process', key: (value) => String(value).slice(0, 1), function: declared },
        at,
      );
    };
    const wasWritten = (): Uint8Array => {
      const at = options(end());
      const operator = asking(at);
      for (const value of ['a', 'a!', 'b']) operator.process(value, 0, 0);
      return at.backend.snapshot().write();
    };

    it('registers nothing before, each state once however often it is asked for', () => {
      const at = options(end());
      const operator = asking(at);
      expect(at.backend.registered).toEqual([]);
      operator.process('a', 0, 0);
      operator.process('a', 0, 1);
      expect(at.backend.registered).toEqual(['count']);
      operator.process('a!', 0, 2);
      expect(at.backend.registered).toEqual(['count', 'spread']);
    });

    it('keeps in its snapshots what was restored and not asked for', () => {
      const bytes = wasWritten();
      const at = options(end());
      at.backend.restore(bytes);
      const operator = asking(at);
      expect(at.backend.snapshot().write()).toEqual(bytes);
      operator.process('a', 0, 0);
      expect(at.backend.registered).toEqual(['count']);
      expect(at.backend.keyCount).toBe(3);
    });

    it('finishes with every key that has state, asked for or not', () => {
      const next = end();
      const at = options(next);
      at.backend.restore(wasWritten());
      asking(at).finish();
      expect(next.taken.map(([value]) => value)).toEqual([
        ['a', 2, 1],
        ['b', 1, undefined],
      ]);
    });
  });
});
