/** What was asked of one leader binds the next (FLIP-291; rows F7, F16, F17). */
import { describe, expect, it } from 'vitest';
import { RequestClient } from '../../../../engine/clients/request-client.ts';
import { leaderEpoch } from '../../../../engine/foundation/ids.ts';
import { StoreRegisters } from '../../../../engine/high-availability/store-registers.ts';
import { RequirementsStore } from '../../../../engine/jobmanager/requirements-store.ts';
import { decodeRequirements, requirementsKey } from '../../../../engine/protocol/job-scale.ts';
import type { CoordinationReply } from '../../../../engine/protocol/messages.ts';
import { COORDINATION, JOB, REQUEST_TIMEOUT_US, RETRY_US } from '../../../support/engine-values.ts';
import { FakeCoordination } from '../../../support/fake-coordination.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

const KEY = requirementsKey(JOB);

class Leader {
  readonly told: string[] = [];
  readonly out: RecordingOut;
  readonly store: RequirementsStore;
  readonly #client: RequestClient<CoordinationReply>;
  readonly #coordination: FakeCoordination;

  constructor(coordination: FakeCoordination, epoch: number) {
    this.#coordination = coordination;
    const name = 'coordination';
    this.#client = new RequestClient({
      node: COORDINATION,
      via: 'datagram',
      name,
      timeoutUs: REQUEST_TIMEOUT_US,
      firstRequestId: 1,
    });
    this.store = new RequirementsStore({
      jobId: JOB,
      epoch: leaderEpoch(epoch),
      initial: { lower: 2, upper: 2 },
      registers: new StoreRegisters(this.#client),
      retryUs: RETRY_US,
      lateRescale: 'ignored',
      claimed: () => this.told.push('claimed'),
      superseded: () => this.told.push('superseded'),
    });
    this.out = new RecordingOut(
      (timer, nowUs, out) => this.store.handleTimer(timer, nowUs, out) || this.#client.handleTimer(timer, nowUs, out),
    );
  }

  claim(): this {
    this.store.claim(this.out);
    return this.answer();
  }

  ask(request: number, upper: number): this {
    this.store.change(request, { lower: 1, upper }, this.out, () => this.told.push(`accepted ${request}`));
    return this;
  }

  /** Performs everything that was sent and delivers the replies. */
  answer(): this {
    for (let fresh = this.out.fresh(); fresh.length > 0; fresh = this.out.fresh()) {
      for (const { message } of fresh)
        this.#client.handleReply(this.#coordination.perform(message), this.out.nowUs, this.out);
    }
    return this;
  }

  /** Performs what was sent; the replies are lost, and what comes of that is sent. */
  loseReplies(): this {
    for (const { message } of this.out.fresh()) this.#coordination.perform(message);
    this.out.advance(REQUEST_TIMEOUT_US + RETRY_US);
    return this;
  }
}
const stored = (coordination: FakeCoordination) => decodeRequirements(coordination.valueOf(KEY) ?? '');

describe('requirements store', () => {
  it('F7: the first leader writes what the job starts with, under its epoch', () => {
    const coordination = new FakeCoordination();
    const leader = new Leader(coordination, 1).claim();
    expect(leader.told).toEqual(['claimed']);
    expect(stored(coordination)).toEqual({ lower: 2, upper: 2, highestParallelism: 2, request: 0, epoch: 1 });
  });

  it('F16: nobody is told before the change is durable; the next leader keeps it', () => {
    const coordination = new FakeCoordination();
    const leader = new Leader(coordination, 1).claim().ask(1, 5);
    expect(leader.told).toEqual(['claimed']);
    expect(leader.answer().told).toEqual(['claimed', 'accepted 1']);
    expect(new Leader(coordination, 2).claim().store.current).toMatchObject({ lower: 1, upper: 5, epoch: 2 });
  });

  it('K10: the highest parallelism ever asked for is never forgotten', () => {
    const coordination = new FakeCoordination();
    new Leader(coordination, 1).claim().ask(1, 11).answer().ask(2, 1).answer();
    expect(stored(coordination)).toMatchObject({ upper: 1, highestParallelism: 11 });
  });

  it('a request that comes late or doubled changes nothing, and is answered', () => {
    const coordination = new FakeCoordination();
    const leader = new Leader(coordination, 1).claim().ask(2, 7).answer().ask(1, 3).ask(2, 7).answer();
    expect(leader.told).toEqual(['claimed', 'accepted 2', 'accepted 1', 'accepted 2']);
    expect(stored(coordination)).toMatchObject({ upper: 7, request: 2 });
  });

  it('F15: a leader that was replaced can change nothing, and learns that it was', () => {
    const coordination = new FakeCoordination();
    const old = new Leader(coordination, 1).claim();
    new Leader(coordination, 2).claim();
    expect(old.ask(1, 9).answer().told).toEqual(['claimed', 'superseded']);
    expect(new Leader(coordination, 1).claim().told).toEqual(['superseded']);
    expect(stored(coordination)).toMatchObject({ upper: 2, epoch: 2 });
  });

  it('F17: an unanswered claim or change is found done', () => {
    const coordination = new FakeCoordination();
    const leader = new Leader(coordination, 1);
    leader.store.claim(leader.out);
    leader.loseReplies().answer();
    expect(leader.told).toEqual(['claimed']);
    leader.ask(1, 4).loseReplies().answer();
    expect(leader.told).toEqual(['claimed', 'accepted 1']);
    expect(stored(coordination)).toMatchObject({ upper: 4 });
  });

  it('what is asked before the claim waits for it', () => {
    const leader = new Leader(new FakeCoordination(), 1).ask(1, 3);
    expect(leader.out.sent).toEqual([]);
    expect(leader.claim().answer().told).toEqual(['claimed', 'accepted 1']);
  });
});
