import { describe, expect, it } from 'vitest';
import {
  firstPhase,
  nextPhase,
  type TransitionInput,
  type TransitionPhase,
  wakesAtUs,
} from '../../../../engine/jobmanager/state-transition-manager.ts';

const TIMING = { cooldownUs: 100, stabilizationUs: 50, maxDelayUs: 200 };

/** A manager that is told what happens when; resources are what was said last. */
class Manager {
  phase: TransitionPhase = firstPhase(0, TIMING);
  #sufficient = false;
  #desired = false;

  resources(resources: 'none' | 'sufficient' | 'desired'): this {
    this.#sufficient = resources !== 'none';
    this.#desired = resources === 'desired';
    return this;
  }

  at(nowUs: number, input: TransitionInput = 'time'): this {
    this.phase = nextPhase(this.phase, input, { nowUs, sufficient: this.#sufficient, desired: this.#desired }, TIMING);
    return this;
  }

  get kind(): string {
    return this.phase.kind;
  }
}

describe('state transition manager', () => {
  it('F7: during the cooldown nothing happens; without a change it idles afterwards', () => {
    const manager = new Manager().resources('sufficient').at(99, 'trigger');
    expect(manager.kind).toBe('cooldown');
    expect(wakesAtUs(manager.phase, TIMING)).toBe(100);
    expect(manager.at(100).kind).toBe('idling');
    expect(wakesAtUs(manager.phase, TIMING)).toBeUndefined();
  });

  it('F7: a change during the cooldown counts from its own time', () => {
    const manager = new Manager().resources('sufficient').at(80, 'change').at(100);
    expect(manager.phase).toMatchObject({ kind: 'stabilizing', changedAtUs: 80 });
    expect(wakesAtUs(manager.phase, TIMING)).toBe(130);
    expect(manager.at(130).kind).toBe('stabilized');
  });

  it('F7: a change that would not suffice is none', () => {
    expect(new Manager().resources('none').at(10, 'change').at(150, 'change').kind).toBe('idling');
  });

  it('F7: all that is desired goes at the next checkpoint, without waiting for stability', () => {
    const manager = new Manager().at(100).resources('desired').at(110, 'change');
    expect(manager.kind).toBe('stabilizing');
    expect(manager.at(120, 'trigger').kind).toBe('transitioning');
  });

  it('F7: less than desired must be stable first, then goes at the next checkpoint', () => {
    const manager = new Manager().at(100).resources('sufficient').at(110, 'change').at(120, 'trigger');
    expect(manager.kind).toBe('stabilizing');
    expect(manager.at(160).kind).toBe('stabilized');
    expect(manager.at(170, 'trigger').kind).toBe('transitioning');
  });

  it('F7: without a checkpoint it goes after the longest delay, counted from the change', () => {
    const manager = new Manager().at(100).resources('sufficient').at(110, 'change').at(160);
    expect(wakesAtUs(manager.phase, TIMING)).toBe(310);
    expect(manager.at(309).kind).toBe('stabilized');
    expect(manager.at(310).kind).toBe('transitioning');
  });

  it('F7: what sufficed and is gone when the time comes is forgotten', () => {
    const manager = new Manager().at(100).resources('sufficient').at(110, 'change').at(160);
    expect(manager.resources('none').at(170, 'trigger').kind).toBe('idling');
  });

  it('F7: after a trigger that found too little, only a further change makes the desired count again', () => {
    const manager = new Manager().at(100).resources('sufficient').at(105, 'change').at(110, 'trigger');
    expect(manager.phase).toMatchObject({ kind: 'stabilizing', evaluateAtUs: undefined });
    expect(manager.resources('desired').at(120, 'change').phase).toMatchObject({ evaluateAtUs: 320 });
  });

  it('F7: one late input passes through every phase that has run out', () => {
    expect(new Manager().resources('sufficient').at(10, 'change').at(1_000).kind).toBe('transitioning');
  });

  it('F6: before a deployment there is no cooldown and no delay: the desired at once, the sufficient when stable', () => {
    const timing = { cooldownUs: 0, stabilizationUs: 50, maxDelayUs: 0 };
    const first = firstPhase(0, timing);
    expect(nextPhase(first, 'change', { nowUs: 5, sufficient: true, desired: true }, timing).kind).toBe(
      'transitioning',
    );
    const waiting = nextPhase(first, 'change', { nowUs: 5, sufficient: true, desired: false }, timing);
    expect(waiting.kind).toBe('stabilizing');
    expect(nextPhase(waiting, 'time', { nowUs: 55, sufficient: true, desired: false }, timing).kind).toBe(
      'transitioning',
    );
  });
});
