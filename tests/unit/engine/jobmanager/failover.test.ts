/** What a failure restarts: regions, strategies, versions, classes of errors (rows F1-F3). */
import { describe, expect, it } from 'vitest';
import type { JobGraph } from '../../../../engine/job/job-graph.ts';
import { tasksToRestart } from '../../../../engine/jobmanager/failover-strategy.ts';
import { FailureHandler } from '../../../../engine/jobmanager/failure-handler.ts';
import { PendingRestarts } from '../../../../engine/jobmanager/pending-restarts.ts';
import { type ExecutionVertexId, PipelinedRegions } from '../../../../engine/jobmanager/pipelined-regions.ts';
import { type EngineParts, standardParts } from '../../../../engine/parts.ts';
import type { RestartConfiguration } from '../../../../engine/protocol/configuration.ts';
import { configuration } from '../../../support/engine-values.ts';
import { edge, jobGraph, sourceVertex, vertex } from '../../../support/job-graphs.ts';

/** Two pipelines of three vertices, and beside them a source that feeds two subtasks by key. */
const GRAPH: JobGraph = jobGraph(
  [sourceVertex(0, 2), vertex(1, 2), vertex(2, 2), sourceVertex(3, 1), vertex(4, 2)],
  [edge(0, 0, 1, 'forward'), edge(1, 1, 2, 'forward'), edge(2, 3, 4, 'hash')],
);
const REGIONS = new PipelinedRegions(GRAPH);
const at = (v: number, subtask: number): ExecutionVertexId => ({ vertex: v, subtask });
const text = (tasks: readonly ExecutionVertexId[]): string[] => tasks.map((task) => `${task.vertex}/${task.subtask}`);

describe('pipelined regions', () => {
  it('F1: forward edges make a region of each subtask index, a hash edge joins all', () => {
    expect(REGIONS.count).toBe(3);
    expect([0, 1, 2].map((region) => text(REGIONS.members(region)))).toEqual([
      ['0/0', '1/0', '2/0'],
      ['0/1', '1/1', '2/1'],
      ['3/0', '4/0', '4/1'],
    ]);
  });

  it.each(['hash', 'rebalance', 'broadcast'] as const)('F1: one %s edge makes the job one region', (partitioning) => {
    const graph = jobGraph([sourceVertex(0, 3), vertex(1, 2)], [edge(0, 0, 1, partitioning)]);
    expect(new PipelinedRegions(graph).count).toBe(1);
  });

  it('F1: a vertex without edges is a region per subtask', () => {
    expect(new PipelinedRegions(jobGraph([vertex(0, 3)], [])).count).toBe(3);
  });

  it('F1: columns that meet further down are one region', () => {
    const graph = jobGraph(
      [sourceVertex(0, 2), vertex(1, 2), vertex(2, 1)],
      [edge(0, 0, 1, 'forward'), edge(1, 1, 2, 'rebalance')],
    );
    expect(new PipelinedRegions(graph).count).toBe(1);
  });
});

describe('failover strategy', () => {
  it('F1: region restarts the region of what failed, consumers and producers alike', () => {
    for (const failed of [at(0, 1), at(1, 1), at(2, 1)])
      expect(text(tasksToRestart('region', REGIONS, [failed]))).toEqual(['0/1', '1/1', '2/1']);
  });

  it('F1: several failures of one event restart the union of their regions, by vertex', () => {
    expect(text(tasksToRestart('region', REGIONS, [at(4, 0), at(1, 0)]))).toEqual([
      '0/0',
      '1/0',
      '2/0',
      '3/0',
      '4/0',
      '4/1',
    ]);
  });

  it('F1: approximate restarts what failed and all that is behind it, and no producer', () => {
    const graph = jobGraph(
      [sourceVertex(0, 1), vertex(1, 2), vertex(2, 1), vertex(3, 2)],
      [edge(0, 0, 1, 'hash'), edge(1, 1, 2, 'rebalance'), edge(2, 0, 3, 'hash')],
    );
    const single = new PipelinedRegions(graph, 'approximate');
    expect(single.count).toBe(6);
    const restarted = (...failed: ExecutionVertexId[]): string[] => text(tasksToRestart('approximate', single, failed));
    expect(restarted(at(1, 1))).toEqual(['1/1', '2/0']);
    expect(restarted(at(2, 0))).toEqual(['2/0']);
    expect(restarted(at(1, 0), at(3, 1))).toEqual(['1/0', '2/0', '3/1']);
    expect(restarted(at(0, 0))).toHaveLength(6);
    const columns = new PipelinedRegions(GRAPH, 'approximate');
    expect(text(tasksToRestart('approximate', columns, [at(1, 1)]))).toEqual(['1/1', '2/1']);
  });

  it('F1: full restarts everything', () => {
    expect(tasksToRestart('full', REGIONS, [at(1, 0)])).toHaveLength(9);
  });
});

describe('pending restarts', () => {
  const region = [at(0, 0), at(1, 0)];

  it('F3: a restart is due when its delay is over', () => {
    const restarts = new PendingRestarts();
    restarts.schedule(region, 100);
    expect(restarts.due(99)).toEqual([]);
    expect(restarts.due(100).map(text)).toEqual([['0/0', '1/0']]);
  });

  it('F3: a later failure of the same subtasks overtakes the earlier restart, which does nothing', () => {
    const restarts = new PendingRestarts();
    restarts.schedule(region, 100);
    restarts.schedule(region, 300);
    expect(restarts.due(200)).toEqual([]);
    expect(restarts.due(300).map(text)).toEqual([['0/0', '1/0']]);
  });

  it('F3: failures that overlap merge: no subtask is due twice', () => {
    const restarts = new PendingRestarts();
    restarts.schedule([at(0, 0), at(1, 0), at(2, 0)], 100);
    restarts.schedule([at(2, 0), at(3, 0)], 100);
    expect(restarts.due(100).map(text)).toEqual([
      ['0/0', '1/0'],
      ['2/0', '3/0'],
    ]);
  });

  it('F3: a restart of the whole job overtakes all; what was deployed is not due again', () => {
    const restarts = new PendingRestarts();
    restarts.schedule(region, 100);
    restarts.overtakeAll();
    expect(restarts.isEmpty).toBe(true);
    restarts.schedule(region, 200);
    restarts.schedule([at(3, 0)], 200);
    restarts.done(region);
    expect(restarts.due(500).map(text)).toEqual([['3/0']]);
  });
});

describe('failure handler', () => {
  const handler = (restart: RestartConfiguration, failoverStrategy: 'region' | 'full' = 'region'): FailureHandler =>
    new FailureHandler(configuration({ restart, runtime: { failoverStrategy } }), standardParts);
  const FIXED: RestartConfiguration = { strategy: 'fixed-delay', attempts: 2, delayUs: 7 };
  const failure = { failed: [at(1, 0)], cause: 'user-function', isGlobal: false } as const;

  it('F2: an error that no restart can mend fails the job at once, whatever the strategy allows', () => {
    const unrecoverable = { ...failure, cause: 'unrecoverable' } as const;
    expect(handler(FIXED).handle(unrecoverable, REGIONS, 0)).toEqual({ kind: 'fail-job' });
    const incompatible = { ...failure, cause: 'incompatible-state' } as const;
    expect(handler(FIXED).handle(incompatible, REGIONS, 0)).toEqual({ kind: 'fail-job' });
  });

  it('F1: a failure restarts its region after the delay', () => {
    const handling = handler(FIXED).handle(failure, REGIONS, 0);
    expect(handling).toMatchObject({ kind: 'restart', scope: 'region', delayUs: 7 });
    expect(handling.kind === 'restart' && text(handling.subtasks)).toEqual(['0/0', '1/0', '2/0']);
  });

  it('F1: a region that is the whole job, a global failure and the full strategy restart the job', () => {
    const keyed = new PipelinedRegions(jobGraph([sourceVertex(0, 2), vertex(1, 2)], [edge(0, 0, 1, 'hash')]));
    expect(handler(FIXED).handle(failure, keyed, 0)).toMatchObject({ scope: 'job' });
    expect(handler(FIXED).handle({ ...failure, isGlobal: true }, REGIONS, 0)).toMatchObject({ scope: 'job' });
    expect(handler(FIXED, 'full').handle(failure, REGIONS, 0)).toMatchObject({ scope: 'job' });
  });

  it('X53: a strategy restarts exactly as often as it is told, then the job fails', () => {
    const failures = handler(FIXED);
    const kinds = [1, 2, 3].map((nowUs) => failures.handle(failure, REGIONS, nowUs).kind);
    expect(kinds).toEqual(['restart', 'restart', 'fail-job']);
    expect(handler({ strategy: 'none' }).handle(failure, REGIONS, 0).kind).toBe('fail-job');
  });

  it('I1: a job that is submitted again has all its attempts, unless the engine is the mutant that counts on', () => {
    const attempts = (parts: EngineParts): readonly string[] => {
      const failures = new FailureHandler(configuration({ restart: FIXED }), parts);
      const two = (): readonly string[] => [1, 2].map((nowUs) => failures.handle(failure, REGIONS, nowUs).kind);
      const before = two();
      failures.runBegins();
      return [...before, ...two()];
    };
    expect(attempts(standardParts)).toEqual(['restart', 'restart', 'restart', 'restart']);
    const counted = { ...standardParts, failuresOfEarlierRun: 'counted' } as const;
    expect(attempts(counted)).toEqual(['restart', 'restart', 'fail-job', 'fail-job']);
  });
});
