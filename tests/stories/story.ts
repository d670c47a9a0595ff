/**
 * The tiny language of cluster stories: a calm job, the faults that the story tells, what must have been reached, the end.
 *
 *     story('zombie').pause('taskmanager-1').at({ point: 'barrier.sent', checkpoint: 2 }).for('9s').passes();
 *
 * Every story demands that each of its faults struck and had an effect: a story that told nothing fails.
 */
import { expect } from 'vitest';
import { nodeId } from '../../engine/foundation/ids.ts';
import type { ClientCommand } from '../../engine/protocol/client-operations.ts';
import { allNodes } from '../../sim/node-names.ts';
import type { CheckpointPoint } from '../../sim/faults/checkpoint-point.ts';
import type { Fault, FaultTrigger } from '../../sim/faults/fault.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { findings, liveIt, planOf } from '../support/lives.ts';

export interface At {
  readonly point: CheckpointPoint;
  readonly checkpoint?: number;
  readonly vertex?: number;
  readonly subtask?: number;
  readonly occurrence?: number;
}

type WithoutTrigger<F> = F extends Fault ? Omit<F, 'id' | 'trigger'> : never;
const SECOND = 1_000_000;
const EVERYBODY = allNodes({ taskManagers: 3, jobManagers: 2 });

export interface StoryOptions {
  /** Shipped scenario whose job and cluster it is; its faults are left out. */
  readonly scenario?: string;
  readonly engine?: (engine: SimulationPlan['engine']) => SimulationPlan['engine'];
}

export class Story {
  readonly #faults: Fault[] = [];
  readonly #probes: string[] = [];
  readonly #events: string[] = [];
  readonly #scenario: string;
  readonly #engine: (engine: SimulationPlan['engine']) => SimulationPlan['engine'];
  #seed = '1';
  #scheduler: SimulationPlan['engine']['scheduler'] | undefined;

  constructor(options: StoryOptions = {}) {
    this.#scenario = options.scenario ?? 'crash-during-alignment';
    this.#engine = options.engine ?? ((engine) => engine);
  }

  seed(seed: string): this {
    this.#seed = seed;
    return this;
  }

  crash(node: string, when: At | number, restartAfterSeconds = 1): this {
    return this.#add({ kind: 'crash', node: nodeId(node), restartAfterUs: restartAfterSeconds * SECOND }, when);
  }

  pause(node: string, when: At | number, seconds: number): this {
    return this.#add({ kind: 'pause', node: nodeId(node), forUs: seconds * SECOND }, when);
  }

  isolate(node: string, when: At | number, seconds: number): this {
    const b = EVERYBODY.filter((other) => other !== node);
    return this.#add(
      { kind: 'partition', shape: 'isolate-one', a: [nodeId(node)], b, oneWay: false, forUs: seconds * SECOND },
      when,
    );
  }

  /** Nothing passes from `a` to `b`; what `b` says still arrives. */
  deafen(a: string, b: string, when: At | number, seconds: number): this {
    const sides = { a: [nodeId(a)], b: [nodeId(b)] };
    return this.#add({ kind: 'partition', shape: 'one-way', ...sides, oneWay: true, forUs: seconds * SECOND }, when);
  }

  /** The next call of a user function on this machine throws. */
  throws(
    node: string,
    when: At | number,
    options: { readonly vertex?: number; readonly recoverable?: boolean } = {},
  ): this {
    const { vertex, recoverable = true } = options;
    return this.#add(
      { kind: 'throw', node: nodeId(node), recoverable, ...(vertex === undefined ? {} : { vertex }) },
      when,
    );
  }

  /** The next call of a user function on this machine does not return for so long. */
  hangs(node: string, when: At | number, seconds: number): this {
    return this.#add({ kind: 'hang', node: nodeId(node), hangUs: seconds * SECOND }, when);
  }

  service(node: string, effect: 'unavailable' | 'fail' | 'unknown-outcome', when: At | number, seconds: number): this {
    const chance = { numerator: 1, denominator: 1 };
    return this.#add({ kind: 'service', node: nodeId(node), effect, factor: 1, chance, forUs: seconds * SECOND }, when);
  }

  /** Its wall clock is set. */
  stepsClock(node: string, when: At | number, bySeconds: number): this {
    return this.#add({ kind: 'clock-step', node: nodeId(node), byUs: bySeconds * SECOND }, when);
  }

  /** Somebody asks the client for something. */
  asks(command: ClientCommand, when: At | number): this {
    return this.#add({ kind: 'operation', command }, when);
  }

  /** Somebody asks the client for another parallelism. */
  rescale(parallelism: number, when: At | number): this {
    return this.asks({ kind: 'rescale', parallelism }, when);
  }

  /** The job adapts to the slots there are, instead of waiting for all of them. */
  adapts(bounds: { readonly least: number; readonly most: number }): this {
    this.#scheduler = {
      mode: 'adaptive',
      minParallelism: bounds.least,
      maxParallelism: bounds.most,
      resourceStabilizationUs: 2 * SECOND,
      cooldownUs: 2 * SECOND,
      stabilizationUs: 2 * SECOND,
      maxDelayUs: 30 * SECOND,
      maxCheckpointFailures: 2,
      activeCheckpoint: false,
    };
    return this;
  }

  /** A rare branch that must have been taken. */
  reaches(probe: string): this {
    this.#probes.push(probe);
    return this;
  }

  /** A kind of event that must be in the history. */
  shows(kind: string): this {
    this.#events.push(kind);
    return this;
  }

  plan(): SimulationPlan {
    const plan = planOf(this.#scenario, this.#seed);
    const engine = this.#engine(plan.engine);
    return {
      ...plan,
      engine: { ...engine, scheduler: this.#scheduler ?? engine.scheduler },
      cluster: this.#faults.some(({ kind }) => kind === 'operation') ? { ...plan.cluster, clients: 1 } : plan.cluster,
      scenario: 'story',
      seed: this.#seed,
      faults: this.#faults,
    };
  }

  passes(options: { readonly keepHistory?: boolean } = {}): RunRecord {
    const record = liveIt(this.plan(), { keepHistory: options.keepHistory === true || this.#events.length > 0 });
    expect(record.verdict, findings(record)).toBe('passed');
    for (const fault of record.faultRecords)
      expect(fault, `fault ${fault.id} (${fault.label})`).toMatchObject({ effective: true });
    for (const probe of this.#probes) expect(Object.keys(record.probes)).toContain(probe);
    const kinds = new Set(record.history.map(({ event }) => event.kind as string));
    for (const kind of this.#events) expect(kinds).toContain(kind);
    return record;
  }

  /** The same story without the rule that it is about: this mutant does not get through it. Answers the judges that saw it. */
  fails(variant: string): readonly string[] {
    const { verdict, verdicts } = liveIt({ ...this.plan(), variant });
    expect(verdict, `${variant} is not found`).toBe('violated');
    return verdicts.filter(({ outcome }) => outcome === 'violated').map(({ judge }) => judge);
  }

  #add(fault: WithoutTrigger<Fault>, when: At | number): this {
    const trigger: FaultTrigger = typeof when === 'number' ? { atUs: when * SECOND } : { occurrence: 1, ...when };
    this.#faults.push({ ...fault, id: `f${this.#faults.length + 1}`, trigger } as Fault);
    return this;
  }
}

export const story = (options: StoryOptions = {}): Story => new Story(options);
