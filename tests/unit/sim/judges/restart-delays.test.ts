/** Restarts keep their strategy: how many, with which delay, and not before it is over. */
import { describe, expect, it } from 'vitest';
import { leaderEpoch } from '../../../../engine/foundation/ids.ts';
import type { RestartConfiguration } from '../../../../engine/protocol/configuration.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import { Findings } from '../../../../sim/judges/findings.ts';
import { RestartDelays } from '../../../../sim/judges/restart-delays.ts';

const DELAY_US = 500;
const FIXED: RestartConfiguration = { strategy: 'fixed-delay', attempts: 2, delayUs: DELAY_US };
const RATE: RestartConfiguration = { strategy: 'failure-rate', maxFailures: 2, intervalUs: 1_000, delayUs: DELAY_US };
const GROWING: RestartConfiguration = {
  ...{ strategy: 'exponential-delay', initialUs: 10, maxUs: DELAY_US, multiplier: { numerator: 2, denominator: 1 } },
  ...{ resetThresholdUs: 1, attemptsBeforeReset: 0 },
};

class Told {
  readonly #findings = new Findings('bounds');
  readonly #judge: RestartDelays;
  #atUs = 0;

  constructor(configuration: RestartConfiguration = { strategy: 'fixed-delay', attempts: 100_000, delayUs: DELAY_US }) {
    this.#judge = new RestartDelays(configuration, this.#findings);
    this.lead(1);
  }

  tell(event: object): this {
    this.#judge.observe({ index: 5, atUs: this.#atUs, node: 'jobmanager-1', event } as unknown as HistoryEvent);
    return this;
  }

  wait(us: number): this {
    this.#atUs += us;
    return this;
  }

  lead(epoch: number): this {
    return this.tell({ kind: 'leadership-acquired', epoch: leaderEpoch(epoch) });
  }

  restart({ cause = 'task-exception', delayUs = DELAY_US, epoch = 1, subtask = -1 } = {}): this {
    const subtasks = subtask < 0 ? {} : { subtasks: [{ vertex: 0, subtask }] };
    return this.tell({ kind: 'restart-scheduled', epoch: leaderEpoch(epoch), cause, delayUs, ...subtasks });
  }

  deploy(subtask = 0): this {
    return this.tell({ kind: 'task-deployed', vertex: 0, subtask, attempt: 1 });
  }

  get findings(): readonly string[] {
    return this.#findings.verdicts('').map(({ anomaly }) => anomaly);
  }

  get remembered(): number {
    return this.#judge.remembered;
  }
}

const NONE = [''];

describe('the delay of a restart', () => {
  it('is over: silent; is not: deployed-too-soon, be it of the job or of a region', () => {
    expect(new Told().restart().wait(DELAY_US).deploy().findings).toEqual(NONE);
    expect(
      new Told()
        .restart()
        .wait(DELAY_US - 1)
        .deploy().findings,
    ).toEqual(['deployed-too-soon']);
    expect(new Told().restart({ subtask: 1 }).deploy(0).findings).toEqual(NONE);
    expect(new Told().restart({ subtask: 1 }).deploy(1).findings).toEqual(['deployed-too-soon']);
    expect(new Told().restart({ subtask: 1 }).wait(DELAY_US).deploy(1).findings).toEqual(NONE);
  });

  it('the newest failure decides, and neither a leader nor a run waits for what was before it', () => {
    expect(new Told().restart().wait(400).restart().wait(400).deploy().findings).toEqual(['deployed-too-soon']);
    expect(new Told().restart({ subtask: 0 }).wait(400).restart().wait(500).deploy().findings).toEqual(NONE);
    expect(new Told().restart().lead(2).deploy().findings).toEqual(NONE);
    expect(new Told().restart().tell({ kind: 'job-submitted' }).deploy().findings).toEqual(NONE);
  });

  it('is another one than the strategy gives: delay-not-as-configured; a change of parallelism has none', () => {
    expect(new Told().restart({ delayUs: DELAY_US + 1 }).findings).toEqual(['delay-not-as-configured']);
    expect(new Told().restart({ delayUs: 0, cause: 'rescale' }).findings).toEqual(NONE);
    expect(new Told(RATE).restart({ delayUs: 0 }).findings).toEqual(['delay-not-as-configured']);
    expect(new Told(GROWING).restart({ delayUs: 10 }).findings).toEqual(NONE);
    expect(new Told(GROWING).restart({ delayUs: 11 }).findings).toEqual(['delay-not-as-configured']);
    expect(new Told({ strategy: 'none' }).restart().findings).toEqual(['delay-not-as-configured']);
  });
});

describe('attempts', () => {
  it('one more than there are: restarted-beyond-attempts; a new leader has all of them', () => {
    expect(new Told(FIXED).restart().restart().findings).toEqual(NONE);
    expect(new Told(FIXED).restart().restart().restart().findings).toEqual(['restarted-beyond-attempts']);
    expect(new Told(FIXED).restart().restart().restart({ cause: 'leader-change' }).findings).toEqual(NONE);
    expect(new Told(FIXED).restart().restart().lead(2).restart({ epoch: 2 }).findings).toEqual(NONE);
    expect(new Told({ strategy: 'fixed-delay', attempts: 0, delayUs: DELAY_US }).restart().findings).toEqual([
      'restarted-beyond-attempts',
    ]);
  });

  it('of a rate: so many within its interval', () => {
    expect(new Told(RATE).restart().wait(500).restart().wait(501).restart().findings).toEqual(NONE);
    expect(new Told(RATE).restart().wait(500).restart().wait(500).restart().findings).toEqual([
      'restarted-beyond-attempts',
    ]);
  });

  it('of delays that grow: so many in a row', () => {
    const inRow = (): Told => new Told({ ...GROWING, attemptsBeforeReset: 1 }).restart({ delayUs: 10 }).wait(11);
    expect(inRow().restart({ delayUs: 10 }).findings).toEqual(NONE);
    const two = (): Told =>
      new Told({ ...GROWING, resetThresholdUs: 100, attemptsBeforeReset: 1 }).restart({ delayUs: 10 });
    expect(two().wait(11).restart({ delayUs: 20 }).findings).toEqual(['restarted-beyond-attempts']);
    expect(two().wait(10).restart({ delayUs: 0 }).findings).toEqual(NONE);
  });

  it('of a run that was submitted, and its delays, are all there again', () => {
    const submitted = (told: Told): Told => told.tell({ kind: 'job-submitted' });
    expect(submitted(new Told(FIXED).restart().restart()).restart().findings).toEqual(NONE);
    const slow = { ...GROWING, resetThresholdUs: 100 } as const;
    const again = submitted(new Told(slow).restart({ delayUs: 10 }).wait(11));
    expect(again.restart({ delayUs: 10 }).findings).toEqual(NONE);
    expect(new Told(slow).restart({ delayUs: 10 }).wait(11).restart({ delayUs: 10 }).findings).toEqual([
      'delay-not-as-configured',
    ]);
  });

  it('remembers no more than may be', () => {
    const told = new Told({ strategy: 'fixed-delay', attempts: 3, delayUs: DELAY_US });
    for (let time = 0; time < 50; time += 1) told.restart();
    expect(told.remembered).toBe(3);
    const many = new Told();
    for (let time = 0; time < 50; time += 1) many.restart();
    expect(many.remembered).toBe(0);
  });
});
