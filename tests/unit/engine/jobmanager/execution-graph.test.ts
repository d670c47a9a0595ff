import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import type { JobEdge } from '../../../../engine/job/job-graph.ts';
import { ExecutionGraph, slotsNeeded } from '../../../../engine/jobmanager/execution-graph.ts';
import { attempt } from '../../../support/engine-values.ts';
import { edge, jobGraph, sourceVertex, vertex } from '../../../support/job-graphs.ts';

const taskManager = (name: string) => ({
  node: nodeId(name),
  incarnation: 3,
  slots: 2,
  heardUs: 0,
  executions: new Map(),
});
const SLOTS = [
  { taskManager: taskManager('a'), slot: 0 },
  { taskManager: taskManager('b'), slot: 0 },
];

/** Two sources feed two consumers. */
function executionsOver(partitioning: JobEdge['partitioning']): ExecutionGraph {
  const graph = jobGraph([sourceVertex(0, 2), vertex(1, 2)], [edge(0, 0, 1, partitioning)]);
  return new ExecutionGraph({ graph, slots: SLOTS, firstAttempt: 100 });
}
const inputsOf = (executions: ExecutionGraph, of: number) => {
  const execution = executions.of(attempt(of));
  return execution === undefined ? [] : executions.inputsOf(execution);
};

describe('execution graph', () => {
  it('numbers attempts from the first one, vertex by vertex, and puts subtask i of each into slot i', () => {
    const executions = executionsOver('hash').all();
    expect(executions.map(({ attempt: of, vertex: v, subtask, node }) => [of, v, subtask, node])).toEqual([
      [100, 0, 0, 'a'],
      [101, 0, 1, 'b'],
      [102, 1, 0, 'a'],
      [103, 1, 1, 'b'],
    ]);
    expect(executions.map(({ isSource }) => isSource)).toEqual([true, true, false, false]);
    expect(executions.every(({ state, incarnation }) => state === 'deploying' && incarnation === 3)).toBe(true);
  });

  it.each(['hash', 'rebalance', 'broadcast'] as const)(
    'over a %s edge every producer feeds every consumer',
    (partitioning) => {
      expect(inputsOf(executionsOver(partitioning), 103)).toEqual([
        { producerNode: 'a', producerAttempt: 100, producerSubtask: 0, edge: 0, subpartition: 1 },
        { producerNode: 'b', producerAttempt: 101, producerSubtask: 1, edge: 0, subpartition: 1 },
      ]);
    },
  );

  it('over a forward edge a producer feeds the consumer of its own index only', () => {
    expect(inputsOf(executionsOver('forward'), 103)).toEqual([
      { producerNode: 'b', producerAttempt: 101, producerSubtask: 1, edge: 0, subpartition: 1 },
    ]);
  });

  it('a source has no inputs; several edges come in the order of the graph', () => {
    const graph = jobGraph(
      [sourceVertex(0, 1), sourceVertex(1, 1), vertex(2, 1)],
      [edge(0, 0, 2, 'hash'), edge(1, 1, 2, 'rebalance')],
    );
    const executions = new ExecutionGraph({ graph, slots: SLOTS, firstAttempt: 1 });
    expect(inputsOf(executions, 1)).toEqual([]);
    expect(inputsOf(executions, 3).map(({ edge: index, producerAttempt }) => [index, producerAttempt])).toEqual([
      [0, 1],
      [1, 2],
    ]);
  });

  it('C4: all run only when each one runs; it is empty when all have ended', () => {
    const executions = executionsOver('hash');
    for (const execution of executions.all().slice(1)) execution.state = 'running';
    expect(executions.allRunningOrFinished).toBe(false);
    const first = executions.of(attempt(100));
    if (first !== undefined) first.state = 'running';
    expect(executions.allRunningOrFinished).toBe(true);
    for (const of of [100, 101, 102, 103]) executions.remove(attempt(of));
    expect(executions.isEmpty).toBe(true);
  });

  it('knows what runs on a node', () => {
    expect(
      executionsOver('hash')
        .on(nodeId('b'))
        .map(({ attempt: of }) => of),
    ).toEqual([101, 103]);
  });

  it('needs as many slots as its widest vertex has subtasks', () => {
    expect(slotsNeeded([vertex(0, 1), vertex(1, 4), vertex(2, 2)])).toBe(4);
    expect(slotsNeeded([])).toBe(0);
  });

  it('is not made with too few slots', () => {
    const graph = jobGraph([vertex(0, 3)], []);
    expect(() => new ExecutionGraph({ graph, slots: SLOTS, firstAttempt: 1 })).toThrow(/a slot for each subtask/);
  });
});
