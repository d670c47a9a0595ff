/** Sinks at their rare paths (rows K7, K9, K12, K13): the commit that came before the crash, the end that never came, the row of a zombie. */
import { describe, it } from 'vitest';
import { story } from './story.ts';

describe('file sink', () => {
  it('K7, K12: a file that got its name before its committer died is found committed', () => {
    // The rename is done, its answer is lost, and the machine goes before it can ask again.
    story({ scenario: 'file-sink' })
      .service('sink-store', 'unknown-outcome', { point: 'completed', checkpoint: 3 }, 1)
      .crash('taskmanager-1', { point: 'commit.done', occurrence: 8 })
      .crash('taskmanager-2', { point: 'commit.done', occurrence: 8 })
      .reaches('output-file-committed-already')
      .passes();
  });

  it('K12: files in progress when machines die are removed, those that a completed checkpoint lists are not', () => {
    story({ scenario: 'file-sink' })
      .crash('taskmanager-1', 5.5)
      .crash('jobmanager-1', { point: 'completed', checkpoint: 4 })
      .reaches('orphan-output-removed')
      .passes();
  });

  it('a zombie that goes on writing leaves nothing', () => {
    story({ scenario: 'file-sink' }).pause('taskmanager-1', 5.5, 9).reaches('orphan-output-removed').passes();
  });
});

describe('half messages', () => {
  it('an end that is lost is asked for, and answered from the checkpoint', () => {
    story({ scenario: 'rocketmq-sink' })
      .service('sink-store', 'unavailable', { point: 'completed', checkpoint: 3 }, 1)
      .reaches('check-back-commit')
      .passes();
  });

  it('what an attempt had written behind its checkpoint is rolled back by the attempt after it', () => {
    story({ scenario: 'rocketmq-sink' }).crash('taskmanager-1', 5.5).reaches('check-back-rollback').passes();
  });
});

describe('upsert sink', () => {
  it('rows of a zombie, and rows that are written again, change nothing', () => {
    story({ scenario: 'upsert-sink' }).pause('taskmanager-1', 5.5, 9).passes();
  });
});
