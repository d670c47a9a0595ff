/** Row S13: a job that has changed meets state it cannot read. It fails for good, says why, and leaves what it was given as it is. */
import { expect, it } from 'vitest';
import { Types } from '../../../../engine/state/type-information.ts';
import { RecordingOut } from '../../../support/recording-out.ts';
import { countGraph, restoredTask, totalsFile } from '../../../support/restored-task.ts';
import { taskEnvironment } from '../../../support/task-environments.ts';

it('S13: the subtask fails with a reason that no restart helps, and names operator, state and both forms', () => {
  const out = new RecordingOut();
  const environment = taskEnvironment({ graph: countGraph(Types.int as never) });
  const task = restoredTask(environment, { file: totalsFile(['a'], 'many'), number: 1, out });
  expect(task.why.failure).toBe('incompatible-state');
  expect(out.events.find(({ kind }) => kind === 'state-incompatible')).toMatchObject({
    why: "operator 'count': state 'total' has type string@1, which cannot be read as int@1",
  });
  expect(out.all('storage-put')).toEqual([]);
  expect(out.all('storage-delete')).toEqual([]);
});
