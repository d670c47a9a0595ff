/** User functions that throw: when, how often, and that the rest of the function stays as it was (F2, X2). */
import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import type { OperatorSpec } from '../../../../engine/job/job-graph.ts';
import { USER_CALLS, type UserCall } from '../../../../sim/faults/fault.ts';
import { UserCodeFaults, type UserCodeFault } from '../../../../sim/faults/user-code-faults.ts';
import { Types } from '../../../../engine/state/type-information.ts';
import { jobGraph, vertex } from '../../../support/job-graphs.ts';

const NODE = nodeId('taskmanager-1');

function throwing(id: string, afterCalls?: number, of?: number): UserCodeFault {
  const calls = afterCalls === undefined ? {} : { afterCalls };
  const atVertex = of === undefined ? {} : { vertex: of };
  return { kind: 'throw', id, node: NODE, trigger: { atUs: 0 }, recoverable: true, ...calls, ...atVertex };
}

function bench() {
  const struck: string[] = [];
  const faults = new UserCodeFaults((id) => struck.push(id));
  const map: OperatorSpec = { uid: 'm', name: 'm', kind: 'map', map: (value) => value };
  const graph = faults.wrapped(
    jobGraph([vertex(0, 1, { operators: [map] }), vertex(1, 1, { operators: [map] })], []),
    NODE,
  );
  /** Whether the call of a vertex's function threw. */
  const call = (index: number): boolean => {
    const [operator] = graph.vertices[index]?.operators ?? [];
    if (operator?.kind !== 'map') throw new Error('a map');
    try {
      operator.map('value');
      return false;
    } catch {
      return true;
    }
  };
  return { faults, struck, call };
}

const NO_TIME = {
  timerService: () => {
    throw new Error('no timers');
  },
  output: () => undefined,
};

describe('throw', () => {
  it('I1: strikes the next call, once', () => {
    const { faults, call } = bench();
    expect(call(0)).toBe(false);
    faults.apply(throwing('f1'));
    expect([call(0), call(0)]).toEqual([true, false]);
  });

  it('I1: lets so many calls of its vertex pass first', () => {
    const { faults, call, struck } = bench();
    faults.apply(throwing('f1', 2, 1));
    expect([call(0), call(1), call(0), call(1), call(0), call(1), call(1)]).toEqual([
      false,
      false,
      false,
      false,
      false,
      true,
      false,
    ]);
    expect(struck).toEqual(['f1']);
  });

  it('I1: of two that wait for the call the first strikes, and the other counts it', () => {
    const { faults, call, struck } = bench();
    faults.apply(throwing('f1', 1));
    faults.apply(throwing('f2', 1));
    expect([call(0), call(0), call(0), call(0)]).toEqual([false, true, true, false]);
    expect(struck).toEqual(['f1', 'f2']);
  });

  it('strikes nobody once it is lifted', () => {
    const { faults, call } = bench();
    faults.apply(throwing('f1', 1));
    faults.lift(throwing('f1', 1));
    expect([call(0), call(0)]).toEqual([false, false]);
  });

  it.each(USER_CALLS)('call %s: strikes a call of that kind, and of no other', (call) => {
    const struck: string[] = [];
    const faults = new UserCodeFaults((id) => struck.push(id));
    const made = {
      processElement: () => undefined,
      onTimer: () => undefined,
      open: () => undefined,
      initializeState: () => undefined,
      snapshotState: () => undefined,
      finish: () => undefined,
    };
    const spec = { uid: 'p', name: 'p', kind: 'process', key: () => 'k', keySerializer: Types.key } as const;
    const process: OperatorSpec = { ...spec, function: { states: [], create: () => made } };
    const graph = faults.wrapped(jobGraph([vertex(0, 1, { operators: [process] })], []), NODE);
    const [operator] = graph.vertices[0]?.operators ?? [];
    if (operator?.kind !== 'process') throw new Error('a process operator');
    const wrapped = operator.function.create();
    const context = { ...NO_TIME, currentKey: 'k', timestampMs: 0 };
    const out = { collect: () => undefined };
    const calls: Record<UserCall, () => void> = {
      element: () => wrapped.processElement('v', context, out),
      timer: () => wrapped.onTimer?.(0, { ...context, timeDomain: 'event-time' }, out),
      open: () => wrapped.open?.(undefined as never),
      initialize: () => wrapped.initializeState?.(undefined as never),
      snapshot: () => wrapped.snapshotState?.(),
      finish: () => wrapped.finish?.(context, out),
    };
    faults.apply({ ...throwing('f1'), call });
    for (const other of USER_CALLS) if (other !== call) expect(calls[other]).not.toThrow();
    expect(calls[call]).toThrow('injected');
    expect(calls[call]).not.toThrow();
    expect(struck).toEqual(['f1']);
  });

  it('I2: a function that lacks a call is not given one, and elements count at the first function only', () => {
    const { faults, struck } = bench();
    const make = (uid: string): OperatorSpec => ({
      uid,
      name: uid,
      kind: 'plain-process',
      function: { states: [], create: () => ({ processElement: () => undefined }) },
    });
    const graph = faults.wrapped(jobGraph([vertex(0, 1, { operators: [make('a'), make('b')] })], []), NODE);
    const [first, second] = (graph.vertices[0]?.operators ?? []).map((spec) => {
      if (spec.kind !== 'plain-process') throw new Error('a plain function');
      return spec.function.create();
    });
    expect([first?.open, second?.snapshotState]).toEqual([undefined, undefined]);
    faults.apply(throwing('f1'));
    const call = (made: typeof first): void =>
      made?.processElement('v', { timestampMs: 0 }, { collect: () => undefined });
    expect(() => call(second)).not.toThrow();
    expect(struck).toEqual([]);
    expect(() => call(first)).toThrow('injected');
  });

  it('X40: a function that is wrapped still does its last work at the end of the input', () => {
    const faults = new UserCodeFaults(() => undefined);
    const finished: string[] = [];
    const spec: OperatorSpec = {
      uid: 'p',
      name: 'p',
      kind: 'process',
      key: () => 'k',
      keySerializer: Types.key,
      function: {
        states: [],
        create: () => ({ processElement: () => undefined, finish: () => finished.push('once') }),
      },
    };
    const graph = faults.wrapped(jobGraph([vertex(0, 1, { operators: [spec] })], []), NODE);
    const [operator] = graph.vertices[0]?.operators ?? [];
    if (operator?.kind !== 'process') throw new Error('a process operator');
    operator.function.create().finish?.({ ...NO_TIME, currentKey: 'k', timestampMs: 0 }, { collect: () => undefined });
    expect(finished).toEqual(['once']);
  });
});
