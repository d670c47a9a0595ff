/**
 * Events of a coordinator exactly once, whatever is lost, late or dies (X45, X46; Flink: CoordinatorEventsExactlyOnceITCase and
 * CoordinatorEventsToStreamOperatorRecipientExactlyOnceITCase). A test coordinator sends the integers 0 .. n-1 to each subtask, as
 * splits of that partition; whatever happens, each subtask's list is exactly 0 .. n-1, in order.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventReceiver, EventSender } from '../../engine/coordination/event-channel.ts';
import type {
  OperatorCoordinator,
  OperatorSubtask,
  SnapshotDone,
} from '../../engine/coordination/operator-coordinator.ts';
import type { CheckpointId } from '../../engine/foundation/ids.ts';
import type { Micros } from '../../engine/foundation/time.ts';
import type { EngineParts } from '../../engine/parts.ts';
import type { Out } from '../../engine/protocol/actor.ts';
import type { EngineMessage } from '../../engine/protocol/messages.ts';
import type { EventFromOperator, EventToOperator } from '../../engine/protocol/operator-events.ts';
import {
  CoordinationWorld,
  EVENT_TIMEOUT_US,
  type TaskPlace,
  type WorldOptions,
  type WorldTask,
} from '../support/coordination-world.ts';
import { EPOCH } from '../support/engine-values.ts';

const OPERATOR = 'integers';
/** When the storm of losses is over. */
const STORM_US = 120_000;
const LIFE_US = 400_000;

/** Sends the next integer to each subtask every period; its state is what comes next, by subtask. */
class IntegersCoordinator implements OperatorCoordinator {
  readonly #total: number;
  readonly #snapshotDelayUs: () => number;
  readonly #later: (us: number, call: (nowUs: Micros) => void) => void;
  readonly #gateways = new Map<number, OperatorSubtask>();
  #next: number[];
  /** What came next at each cut: a subtask that restarts alone is told again what it has forgotten. */
  readonly #atCut = new Map<number, readonly number[]>();

  constructor(options: {
    readonly subtasks: number;
    readonly total: number;
    readonly snapshotDelayUs: () => number;
    readonly later: (us: number, call: (nowUs: Micros) => void) => void;
  }) {
    this.#total = options.total;
    this.#snapshotDelayUs = options.snapshotDelayUs;
    this.#later = options.later;
    this.#next = new Array<number>(options.subtasks).fill(0);
    this.#atCut.set(0, [...this.#next]);
  }

  start(): void {}

  sendNext(out: Out): void {
    for (const [subtask, gateway] of this.#gateways) {
      const value = this.#next[subtask] ?? 0;
      if (value >= this.#total) continue;
      this.#next[subtask] = value + 1;
      gateway.sendEvent(
        { kind: 'assign-splits', splits: [{ splitId: '', partition: value, offset: 0, sub: 0, end: 0 }] },
        out,
      );
    }
  }

  checkpointCoordinator({ checkpointId: id }: { checkpointId: CheckpointId }, out: Out, done: SnapshotDone): void {
    this.#later(this.#snapshotDelayUs(), (nowUs) => {
      this.#atCut.set(id, [...this.#next]);
      done(Uint8Array.from(this.#next), nowUs, out);
    });
  }

  notifyCheckpointComplete(): void {}
  notifyCheckpointAborted(): void {}

  resetToCheckpoint(_id: CheckpointId, bytes: Uint8Array | undefined): void {
    this.#gateways.clear();
    this.#next = bytes === undefined ? this.#next.map(() => 0) : [...bytes];
  }

  executionAttemptReady(gateway: OperatorSubtask): void {
    this.#gateways.set(gateway.subtask, gateway);
  }

  handleEventFromOperator(): void {}

  subtaskFailed({ subtask }: { subtask: number }): void {
    this.#gateways.delete(subtask);
  }

  subtaskReset(subtask: number, restored: CheckpointId): void {
    expect(this.#gateways.has(subtask), 'F4: the reset comes before the next attempt is ready').toBe(false);
    this.#next[subtask] = this.#atCut.get(restored)?.[subtask] ?? 0;
  }
}

/** Its state is the list of what it received. */
class IntegersTask implements WorldTask {
  readonly received: number[] = [];
  readonly #place: TaskPlace;
  readonly #receiver = new EventReceiver<EventToOperator>();
  readonly #sender: EventSender<EventFromOperator>;

  constructor(place: TaskPlace) {
    this.#place = place;
    this.#sender = new EventSender({
      name: OPERATOR,
      timeoutUs: EVENT_TIMEOUT_US,
      deliver: (sequence, event, out) =>
        place.toJobManager({ ...this.#of(sequence), kind: 'operator-event', event }, out),
    });
  }

  restore(state: unknown): void {
    this.received.push(...(state as number[]));
  }

  start(): void {}

  snapshot(id: CheckpointId, out: Out): unknown {
    this.#sender.send({ kind: 'acknowledge-checkpoint-event', checkpointId: id }, out, (outcome) => {
      if (outcome === 'lost') this.#place.fail();
    });
    return [...this.received];
  }

  handleMessage(message: EngineMessage, nowUs: Micros, out: Out): void {
    if (message.kind === 'operator-event-acknowledged') this.#sender.acknowledged(message.sequence, nowUs, out);
    if (message.kind !== 'operator-event') return;
    const { due, again } = this.#receiver.receive(message.sequence, message.event as EventToOperator);
    if (again) this.#acknowledge(message.sequence, out);
    for (const { sequence, event } of due) {
      if (event.kind === 'assign-splits') this.received.push(...event.splits.map(({ partition }) => partition));
      this.#acknowledge(sequence, out);
    }
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#sender.handleTimer(timer, nowUs, out);
  }

  #acknowledge(sequence: number, out: Out): void {
    this.#place.toJobManager({ ...this.#of(sequence), kind: 'operator-event-acknowledged' }, out);
  }

  #of(sequence: number) {
    return { epoch: EPOCH, attempt: this.#place.attempt, operator: OPERATOR, sequence };
  }
}

interface Life {
  readonly seed: number;
  readonly subtasks: number;
  readonly total: number;
  readonly periodUs: number;
  readonly lossPercent: number;
  readonly delayUsMax: number;
  readonly barrierUsMax: number;
  readonly snapshotUsMax: number;
  readonly concurrent: number;
  readonly restart: WorldOptions['restart'];
  readonly failuresAtUs: readonly number[];
}

const LIFE: fc.Arbitrary<Life> = fc.record({
  seed: fc.nat(),
  subtasks: fc.integer({ min: 1, max: 3 }),
  total: fc.integer({ min: 10, max: 200 }),
  periodUs: fc.constantFrom(100, 500, 3_000),
  lossPercent: fc.constantFrom(0, 2, 10),
  delayUsMax: fc.constantFrom(20, 400, 2_000),
  barrierUsMax: fc.constantFrom(20, 500, 6_000),
  snapshotUsMax: fc.constantFrom(0, 1_000),
  concurrent: fc.integer({ min: 1, max: 3 }),
  restart: fc.constantFrom('job', 'region'),
  failuresAtUs: fc.array(fc.nat(STORM_US), { maxLength: 4 }),
});

interface Outcome {
  readonly received: readonly (readonly number[])[];
  readonly world: CoordinationWorld;
}

function liveThrough(life: Life, parts: Partial<EngineParts> = {}): Outcome {
  let state = life.seed;
  const draw = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  let coordinator: IntegersCoordinator | undefined;
  const world: CoordinationWorld = new CoordinationWorld({
    subtasks: life.subtasks,
    restart: life.restart,
    concurrent: life.concurrent,
    checkpointEveryUs: 4_000,
    checkpointTimeoutUs: 25_000,
    parts,
    barrierDelayUs: () => 1 + draw(life.barrierUsMax),
    network: (_message, nowUs) =>
      nowUs < STORM_US && draw(100) < life.lossPercent ? undefined : 1 + draw(life.delayUsMax),
    create: () => {
      coordinator = new IntegersCoordinator({
        subtasks: life.subtasks,
        total: life.total,
        snapshotDelayUs: () => draw(life.snapshotUsMax + 1),
        later: (us, call) => world.after(us, call),
      });
      return { operator: OPERATOR, coordinator };
    },
    task: (place) => new IntegersTask(place),
  });
  const sendNext = (): void => {
    coordinator?.sendNext(world.out);
    world.after(life.periodUs, sendNext);
  };
  sendNext();
  for (const atUs of life.failuresAtUs) world.after(atUs, () => world.failTask(draw(life.subtasks)));
  world.run(LIFE_US + life.total * life.periodUs);
  const received = Array.from(
    { length: life.subtasks },
    (_, subtask) => (world.task(subtask) as IntegersTask).received,
  );
  return { received, world };
}

const upTo = (total: number): number[] => Array.from({ length: total }, (_, value) => value);
const SETTINGS = { seed: 20_210_406, numRuns: 150 };

describe('events of an operator coordinator', () => {
  it('X45, X46, C24: each subtask receives exactly 0 .. n-1 in order, through losses, delays, failures and aborted checkpoints', () => {
    let failures = 0;
    let completed = 0;
    const probes = new Set<string>();
    fc.assert(
      fc.property(LIFE, (life) => {
        const { received, world } = liveThrough(life);
        for (const list of received) expect(list).toEqual(upTo(life.total));
        failures += world.failures.length;
        completed += world.completed.length;
        for (const probe of world.out.probes()) probes.add(probe);
      }),
      SETTINGS,
    );
    expect(failures).toBeGreaterThan(100);
    expect(completed).toBeGreaterThan(1_000);
    expect([...probes]).toEqual(
      expect.arrayContaining([
        'operator-event-lost',
        'operator-event-kept-back',
        'checkpoint-waits-for-operator-events',
      ]),
    );
  });

  it.each([
    ['checkpoint-does-not-wait-for-events', { coordinatorSnapshot: 'at-once' as const }],
    ['gateway-stays-open', { gatewayAtCheckpoint: 'stays-open' as const }],
  ])('C24, %s: the same lives find it', (_, wrong) => {
    const check = fc.check(
      fc.property(LIFE, (life) => {
        const { received } = liveThrough(life, wrong);
        for (const list of received) expect(list).toEqual(upTo(life.total));
      }),
      { ...SETTINGS, endOnFailure: true },
    );
    expect(check.failed).toBe(true);
  });

  it('C24: an aborted checkpoint gives back what the gateway kept', () => {
    const life: Life = {
      seed: 1,
      subtasks: 1,
      total: 50,
      periodUs: 1_000,
      lossPercent: 0,
      delayUsMax: 20,
      // Behind the time-out of checkpoints: each is aborted with its gateway closed.
      barrierUsMax: 1_000_000,
      snapshotUsMax: 0,
      concurrent: 1,
      restart: 'job',
      failuresAtUs: [],
    };
    const { received, world } = liveThrough(life);
    expect(received).toEqual([upTo(50)]);
    expect(world.out.probes().filter((probe) => probe === 'operator-event-kept-back').length).toBeGreaterThan(10);
    expect(world.failures).toEqual([]);
  });
});
