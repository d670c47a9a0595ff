/** What a subtask's lsm state leaves on the disk of its node: nothing, however the attempt or its process ends. */
import { describe, expect, it } from 'vitest';
import { Types } from '../../../../engine/state/type-information.ts';
import type { TypeSerializer } from '../../../../engine/state/type-serializer.ts';
import type { StreamTask } from '../../../../engine/taskmanager/stream-task.ts';
import { TaskManager } from '../../../../engine/taskmanager/task-manager.ts';
import { LocalDisk } from '../../../../sim/node/local-disk.ts';
import { configuration } from '../../../support/engine-values.ts';
import { RecordingOut } from '../../../support/recording-out.ts';
import { countGraph, restoredTask, totalsFile } from '../../../support/restored-task.ts';
import { taskEnvironment } from '../../../support/task-environments.ts';

/** More than fits into a memtable. */
const KEYS = Array.from({ length: 300 }, (_, key) => `key-${key}`);

function bench(declared: TypeSerializer<never> = Types.string as never) {
  const disk = new LocalDisk();
  const base = configuration();
  const environment = {
    ...taskEnvironment({
      graph: countGraph(declared),
      configuration: { ...base, checkpoint: { ...base.checkpoint, backend: 'lsm' } },
    }),
    disk,
  };
  const out = new RecordingOut();
  const file = totalsFile(KEYS, 'many'.repeat(10));
  const started = (number: number): StreamTask => restoredTask(environment, { file, number, out });
  return { disk, environment, out, started };
}

describe('working directory', () => {
  it('has a directory per attempt and operator, which goes when the attempt is cancelled', () => {
    const { disk, out, started } = bench();
    const [first, second] = [started(1), started(2)];
    expect([first.state, second.state]).toEqual(['running', 'running']);
    expect(disk.paths('lsm/1/count/').length).toBeGreaterThan(0);
    expect(disk.paths('lsm/2/count/')).toHaveLength(disk.paths('lsm/1/').length);
    first.cancel(out);
    expect(disk.paths('lsm/1/')).toEqual([]);
    expect(disk.paths('').length).toBeGreaterThan(0);
    second.cancel(out);
    expect(disk.paths('')).toEqual([]);
  });

  it('goes when the attempt fails, though its operators were never opened', () => {
    const { disk, started } = bench(Types.int as never);
    expect(started(1).why.failure).toBe('incompatible-state');
    expect(disk.paths('')).toEqual([]);
  });

  it('of a process that died stays on the disk until the next one begins, which reads nothing of it', () => {
    const { disk, environment, started } = bench();
    started(1);
    disk.write('local-state/0/0-0/a.keyed', new Uint8Array(1));
    const { checkpoint } = environment.configuration;
    const kept = { ...checkpoint, localRecovery: 'working-directory' } as const;
    new TaskManager({ ...environment, configuration: { ...environment.configuration, checkpoint: kept } }, 2);
    expect(disk.paths('')).toEqual(['local-state/0/0-0/a.keyed']);
  });
});
