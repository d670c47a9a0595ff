/** The environment of a subtask under test: node `taskmanager-1`, the standard parts, the services by their usual names. */
import { nodeId } from '../../engine/foundation/ids.ts';
import type { JobGraph } from '../../engine/job/job-graph.ts';
import { type EngineParts, standardParts } from '../../engine/parts.ts';
import type { EngineConfiguration } from '../../engine/protocol/configuration.ts';
import type { TaskEnvironment } from '../../engine/taskmanager/task-environment.ts';
import { type WallClock, trueWallClock } from '../../engine/protocol/wall-clock.ts';
import { configuration, SERVICES } from './engine-values.ts';
import { jobGraph } from './job-graphs.ts';

export function taskEnvironment(
  changes: {
    graph?: JobGraph;
    configuration?: EngineConfiguration;
    parts?: Partial<EngineParts>;
    wallClock?: WallClock;
  } = {},
): TaskEnvironment {
  return {
    node: nodeId('taskmanager-1'),
    graph: changes.graph ?? jobGraph([], []),
    configuration: changes.configuration ?? configuration(),
    parts: { ...standardParts, ...changes.parts },
    services: SERVICES,
    wallClock: changes.wallClock ?? trueWallClock,
  };
}
