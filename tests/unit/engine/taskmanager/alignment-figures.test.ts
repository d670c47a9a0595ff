/** What a subtask measures of its alignment (row 7.2), in virtual time. */
import { describe, expect, it } from 'vitest';
import { type Micros, micros } from '../../../../engine/foundation/time.ts';
import type { ElementConsumer } from '../../../../engine/operators/element-consumer.ts';
import type { StreamBuffer } from '../../../../engine/protocol/stream-elements.ts';
import type { AlignmentFigures } from '../../../../engine/taskmanager/async-part.ts';
import { TaskInput, type TaskInputHost } from '../../../../engine/taskmanager/task-input.ts';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import { ALIGNED, attempt, configuration, id } from '../../../support/engine-values.ts';
import { RecordingOut } from '../../../support/recording-out.ts';
import { taskEnvironment } from '../../../support/task-environments.ts';

class Bench {
  readonly out = new RecordingOut();
  readonly figures: AlignmentFigures[] = [];
  readonly #sequences = [0, 0];
  readonly input: TaskInput;

  constructor(mode: 'exactly-once' | 'at-least-once' = 'exactly-once') {
    const nobody: ElementConsumer = { process: () => undefined } as unknown as ElementConsumer;
    const host: TaskInputHost = {
      heads: () => [nobody, nobody],
      isStuck: () => false,
      mayProcess: () => true,
      openChannelState: () => undefined,
      inputComplete: () => undefined,
      checkpoint: (_barrier, figures) => void this.figures.push(figures),
      endOfData: () => undefined,
      time: () => undefined,
      giveUp: () => undefined,
    };
    const inputs = [1, 2].map((producer, subpartition) => ({
      producerNode: nodeId(`taskmanager-${producer}`),
      producerAttempt: attempt(producer),
      producerSubtask: subpartition,
      edge: 0,
      subpartition,
    }));
    this.input = new TaskInput({
      environment: taskEnvironment({ configuration: configuration({ checkpoint: { mode } }) }),
      deployment: { attempt: attempt(9), vertex: 1, subtask: 0, slot: 0, inputs },
      host,
    });
  }

  /** A buffer arrives at this time and is worked off, with whatever else is open. */
  at(atUs: number, channel: number, buffer: StreamBuffer): this {
    this.out.advance(atUs - this.out.nowUs);
    const sequence = this.#sequences[channel] ?? 0;
    this.#sequences[channel] = sequence + 1;
    const message = { kind: 'buffer', producer: attempt(channel + 1), channel, sequence, backlog: 0, buffer } as const;
    this.input.enqueue(message, this.out.nowUs, this.out);
    while (this.input.hasMore) this.input.advance(this.out.nowUs, this.out);
    return this;
  }
}

const barrier = (checkpoint: number, triggeredAtUs: Micros): StreamBuffer => ({
  kind: 'barrier',
  checkpointId: id(checkpoint),
  triggeredAtUs,
  options: ALIGNED,
});
const data = (bytes: number): StreamBuffer => ({ kind: 'data', values: [1], timestampsUs: [0], lineages: [0], bytes });

describe('alignment figures', () => {
  it('7.2: start delay is trigger to first barrier, alignment is first to last barrier', () => {
    const { figures } = new Bench().at(130, 1, barrier(1, micros(100))).at(175, 0, barrier(1, micros(100)));
    expect(figures).toMatchObject([{ startDelayUs: 30, alignmentUs: 45 }]);
  });

  it('7.2: a trigger that seems to lie ahead, by the clock of another machine, is no delay below zero', () => {
    const { figures } = new Bench().at(130, 0, barrier(1, micros(900))).at(131, 1, barrier(1, micros(900)));
    expect(figures).toMatchObject([{ startDelayUs: 0, alignmentUs: 1 }]);
  });

  it('7.2: processed are the bytes read between first and last barrier, not those that wait behind one', () => {
    const { figures } = new Bench()
      .at(110, 0, data(1_000))
      .at(120, 0, barrier(1, micros(100)))
      .at(130, 1, data(70))
      .at(140, 0, data(4_000))
      .at(150, 1, data(7))
      .at(160, 1, barrier(1, micros(100)));
    expect(figures).toMatchObject([{ bytesProcessedDuringAlignment: 77, recordsInFlight: 1 }]);
  });

  it('7.2: the next checkpoint begins anew', () => {
    const { figures } = new Bench()
      .at(120, 0, barrier(1, micros(100)))
      .at(130, 1, data(70))
      .at(160, 1, barrier(1, micros(100)))
      .at(220, 0, barrier(2, micros(200)))
      .at(221, 1, barrier(2, micros(200)));
    expect(figures[1]).toMatchObject({ startDelayUs: 20, alignmentUs: 1, bytesProcessedDuringAlignment: 0 });
  });

  it('7.2: at-least-once measures the same times and blocks nothing', () => {
    const { figures } = new Bench('at-least-once')
      .at(120, 0, barrier(1, micros(100)))
      .at(130, 0, data(70))
      .at(160, 1, barrier(1, micros(100)));
    expect(figures).toMatchObject([{ startDelayUs: 20, alignmentUs: 40, recordsInFlight: 0 }]);
  });
});
