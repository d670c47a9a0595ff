/** Row C25: trigger and marker, in every order. */
import { describe, expect, it } from 'vitest';
import type { MarkedSource } from '../../../../engine/connectors/source-reader.ts';
import type { CheckpointId } from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import { standardParts } from '../../../../engine/parts.ts';
import type { TriggerCheckpoint } from '../../../../engine/protocol/messages.ts';
import { InducedCheckpoints } from '../../../../engine/taskmanager/induced-checkpoints.ts';
import { attempt, EPOCH, id } from '../../../support/engine-values.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

class Source implements MarkedSource {
  isExhausted = false;
  marker: CheckpointId | undefined;
  readonly told: string[] = [];

  passMarker(of: CheckpointId): void {
    this.told.push(`pass ${of}`);
    this.marker = undefined;
  }

  dropMarker(of: CheckpointId): void {
    this.told.push(`drop ${of}`);
    if (this.marker === of) this.marker = undefined;
  }
}

class Bench {
  readonly source = new Source();
  readonly out = new RecordingOut();
  readonly induced = new InducedCheckpoints(this.source, standardParts);

  trigger(...ids: readonly number[]): this {
    for (const of of ids) {
      const options = { snapshot: 'checkpoint', alignment: 'aligned', alignedTimeoutUs: 0 } as const;
      const message: TriggerCheckpoint = {
        kind: 'trigger-checkpoint',
        attempt: attempt(1),
        epoch: EPOCH,
        checkpointId: id(of),
        triggeredAtUs: micros(0),
        options,
      };
      this.induced.triggered(message);
    }
    return this;
  }

  marker(of: number): this {
    this.source.marker = id(of);
    return this;
  }

  /** Takes all that is due. */
  take(): readonly number[] {
    const taken: number[] = [];
    for (let due = this.induced.due(this.out); due !== undefined; due = this.induced.due(this.out)) {
      taken.push(due.checkpointId);
      this.induced.taken(due.checkpointId, this.out);
    }
    return taken;
  }
}

describe('an induced checkpoint', () => {
  it('I1: trigger before marker: is due when the source comes to the marker', () => {
    const bench = new Bench().trigger(3);
    expect(bench.take()).toEqual([]);
    expect(bench.marker(3).take()).toEqual([3]);
    expect(bench.source.told).toEqual(['pass 3']);
  });

  it('I1, I2: marker before trigger: the source stays there until the trigger comes', () => {
    const bench = new Bench().marker(3);
    expect(bench.take()).toEqual([]);
    expect(bench.source.told).toEqual([]);
    expect(bench.trigger(3).take()).toEqual([3]);
  });

  it('I2: a marker whose checkpoint was aborted is dropped, and its trigger, if it waits, too', () => {
    const bench = new Bench().marker(3);
    bench.induced.over(id(3), bench.out);
    expect(bench.source.told).toEqual(['drop 3']);
    expect(bench.trigger(4).take()).toEqual([]);
    bench.induced.over(id(4), bench.out);
    expect(bench.marker(4).take()).toEqual([]);
  });

  it('I2, I3: a marker that nobody triggered gives way to a later trigger', () => {
    const bench = new Bench().marker(3).trigger(5);
    expect(bench.take()).toEqual([]);
    expect(bench.source.told).toEqual(['drop 3']);
    expect(bench.marker(5).take()).toEqual([5]);
  });

  it('a trigger whose marker lies nowhere any more is given up when the source comes to a later one', () => {
    const bench = new Bench().trigger(3).marker(4);
    expect(bench.take()).toEqual([]);
    expect(bench.source.told).toEqual([]);
    expect(bench.trigger(4).take()).toEqual([4]);
    bench.source.isExhausted = true;
    expect(bench.take()).toEqual([]);
  });

  it('two at a time are taken each at its own marker', () => {
    const bench = new Bench().trigger(3, 4).marker(3);
    expect(bench.take()).toEqual([3]);
    expect(bench.marker(4).take()).toEqual([4]);
  });

  it('of two at a time the abort of one leaves the other', () => {
    const bench = new Bench().trigger(3, 4);
    bench.induced.over(id(4), bench.out);
    expect(bench.marker(3).take()).toEqual([3]);
  });

  it('I4: is due at once where nothing is left to read', () => {
    const bench = new Bench();
    bench.source.isExhausted = true;
    expect(bench.trigger(4, 3).take()).toEqual([3, 4]);
  });

  it('a trigger that comes twice counts once', () => {
    expect(new Bench().trigger(3, 3).marker(3).take()).toEqual([3]);
  });
});
