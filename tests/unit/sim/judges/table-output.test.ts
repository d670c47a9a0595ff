/** Judge 1 where output is a table (row K13): rows, not records. */
import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import type { ExpectedOutput, ExpectedSink } from '../../../../sim/judges/expected-output.ts';
import { RecordTrail } from '../../../../sim/judges/record-trail.ts';
import { InputIndex } from '../../../../sim/judges/reference-run.ts';
import { TableOutput } from '../../../../sim/judges/table-output.ts';

const row = (key: string, count: number) => ({ key, count });
const EXPECTED = [row('a', 1), row('a', 2), row('b', 1), row('a', 3)];

function judge(values: readonly unknown[] = EXPECTED): TableOutput {
  const expected: Pick<ExpectedOutput, 'sinks' | 'valuesOf'> = {
    sinks: [{ uid: 'sink' } as ExpectedSink],
    valuesOf: () => values.map((value, lineage) => ({ value, lineage })),
  };
  const outputKey = (value: unknown): string => (value as { key: string }).key;
  const index = new InputIndex([]);
  const plain = { expected, audit: { outputKey }, version: 'count', hasFinished: () => false };
  return new TableOutput({ ...plain, index, trail: new RecordTrail(index) });
}

function having(...rows: readonly unknown[]): TableOutput {
  const one = judge();
  for (const [index, value] of rows.entries()) {
    const event = { kind: 'output-appended', producer: 'sink', values: [value], lineages: [0] } as const;
    one.observe({ index, atUs: index, node: nodeId('sink-store'), event });
  }
  return one;
}

const anomalies = (one: TableOutput): string[] =>
  one.finish({ cause: 'liveness-reached' } as Parameters<TableOutput['finish']>[0]).map(({ anomaly }) => anomaly);

describe('table output', () => {
  it('passes when each row has its newest version, however many were skipped on the way', () => {
    const one = having(row('a', 2), row('b', 1), row('a', 3));
    expect(one.isComplete()).toBe(true);
    expect(anomalies(one)).toEqual(['']);
  });

  it('finds a row that goes back, though it comes forward again', () => {
    const one = having(row('a', 3), row('b', 1), row('a', 2), row('a', 3));
    expect(one.isComplete()).toBe(true);
    expect(anomalies(one)).toEqual(['row-went-back']);
  });

  it('finds a row that the reference never makes', () => {
    expect(anomalies(having(row('a', 4), row('b', 1), row('a', 3)))).toEqual(['row-invented']);
    expect(anomalies(having(row('c', 1), row('b', 1), row('a', 3)))).toEqual(['row-invented']);
  });

  it('finds a row that is missing, or not the newest', () => {
    const one = having(row('a', 2), row('b', 1));
    expect(one.firstMissing()).toBe('version 3 of the row sink/a (2)');
    expect(anomalies(one)).toEqual(['output-lost']);
  });

  it('is told of another end of the input, and keeps what it saw', () => {
    const one = having(row('a', 2), row('b', 1));
    one.expect({
      sinks: [{ uid: 'sink' } as ExpectedSink],
      valuesOf: () => [row('a', 2), row('b', 1)].map((value) => ({ value, lineage: 0 })),
    });
    expect(one.isComplete()).toBe(true);
  });
});
