/** Who leads, over one lease that two JobManagers write (rows F14, F15, F17). */
import { describe, expect, it } from 'vitest';
import { RequestClient } from '../../../../engine/clients/request-client.ts';
import { leaderEpoch, nodeId } from '../../../../engine/foundation/ids.ts';
import { LeaderElection } from '../../../../engine/jobmanager/leader-election.ts';
import { decodeLease, encodeLease, leaderKey } from '../../../../engine/protocol/checkpoint-pointer.ts';
import type { CoordinationReply, EngineMessage } from '../../../../engine/protocol/messages.ts';
import { COORDINATION, configuration, JOB, REQUEST_TIMEOUT_US } from '../../../support/engine-values.ts';
import { FakeCoordination } from '../../../support/fake-coordination.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

const LEASE = leaderKey(JOB);
const { runtime } = configuration();

/** One JobManager process. Each tenth of a renewal time its requests are answered, unless it is cut off. */
class Candidate {
  readonly out: RecordingOut;
  readonly election: LeaderElection;
  readonly told: string[] = [];
  readonly #client: RequestClient<CoordinationReply>;
  readonly #store: FakeCoordination;
  /** What the network does to requests and replies. */
  network: 'whole' | 'cut' | 'writes-unanswered' = 'whole';

  constructor(store: FakeCoordination, name: string, incarnation = 1) {
    this.#store = store;
    this.#client = new RequestClient({
      node: COORDINATION,
      via: 'datagram',
      name: 'coordination',
      timeoutUs: REQUEST_TIMEOUT_US,
      firstRequestId: 1,
    });
    this.election = new LeaderElection({
      jobId: JOB,
      node: nodeId(name),
      incarnation,
      runtime,
      parts: { leaseCountedFrom: 'request' },
      coordination: this.#client,
      acquired: (epoch) => this.told.push(`acquired ${epoch}`),
      lost: (epoch) => this.told.push(`lost ${epoch}`),
    });
    this.out = new RecordingOut((timer, nowUs, out) => {
      this.election.checkLease(nowUs, out);
      return this.election.handleTimer(timer, nowUs, out) || this.#client.handleTimer(timer, nowUs, out);
    });
  }

  start(): this {
    this.election.start(this.out.nowUs, this.out);
    return this;
  }

  run(us: number): this {
    for (let left = us; left > 0; left -= 100) {
      this.#exchange();
      this.out.advance(100);
    }
    this.#exchange();
    return this;
  }

  #exchange(): void {
    for (let sent = this.out.fresh(); sent.length > 0; sent = this.out.fresh()) {
      for (const { message } of sent) this.#answer(message);
    }
  }

  #answer(message: EngineMessage): void {
    if (this.network === 'cut') return;
    const reply = this.#store.perform(message);
    const isLost = this.network === 'writes-unanswered' && message.kind !== 'coordination-get';
    if (!isLost) this.#client.handleReply(reply, this.out.nowUs, this.out);
  }
}

/** Runs two processes side by side. */
function runBoth(us: number, ...both: Candidate[]): void {
  for (let left = us; left > 0; left -= 100) for (const one of both) one.run(100);
}
const leaseIn = (store: FakeCoordination) => decodeLease(store.valueOf(LEASE) ?? '');

describe('leader election', () => {
  it('I1: the first candidate takes epoch 1', () => {
    const store = new FakeCoordination();
    const candidate = new Candidate(store, 'a').start().run(0);
    expect(candidate.told).toEqual(['acquired 1']);
    expect(candidate.election.epoch).toBe(1);
    expect(leaseIn(store)).toEqual({ epoch: 1, holder: 'a', incarnation: 1, renewal: 0 });
  });

  it('I1: of two candidates one leads, and stays the leader while it renews', () => {
    const store = new FakeCoordination();
    const a = new Candidate(store, 'a').start();
    const b = new Candidate(store, 'b').start();
    runBoth(4 * runtime.leaseUs, a, b);
    expect(a.told).toEqual(['acquired 1']);
    expect(b.told).toEqual([]);
    expect(leaseIn(store).renewal).toBeGreaterThan(10);
  });

  it('F14, I1: when the leader is silent for the lease time another takes over with a higher epoch', () => {
    const store = new FakeCoordination();
    const a = new Candidate(store, 'a').start();
    const b = new Candidate(store, 'b').start();
    runBoth(runtime.leaseUs, a, b);
    b.run(runtime.leaseUs - 2 * runtime.leaseRenewUs);
    expect(b.told).toEqual([]);
    b.run(3 * runtime.leaseRenewUs);
    expect(b.told).toEqual(['acquired 2']);
  });

  it('I2: a leader that is cut off steps down before another one leads', () => {
    const store = new FakeCoordination();
    const a = new Candidate(store, 'a').start();
    const b = new Candidate(store, 'b').start();
    runBoth(runtime.leaseUs, a, b);
    a.network = 'cut';
    for (let left = 3 * runtime.leaseUs; left > 0; left -= 100) {
      runBoth(100, a, b);
      a.election.checkLease(a.out.nowUs, a.out);
      expect(a.election.epoch === undefined || b.election.epoch === undefined).toBe(true);
    }
    expect(a.told).toEqual(['acquired 1', 'lost 1']);
    expect(b.told).toEqual(['acquired 2']);
  });

  it('I2: a renewal that is found by a look makes the lease no younger than it is for those who watch', () => {
    for (let phase = 0; phase < runtime.leaseRenewUs; phase += 100) {
      const store = new FakeCoordination();
      const a = new Candidate(store, 'a').start();
      runBoth(runtime.leaseUs + phase, a);
      const b = new Candidate(store, 'b').start();
      runBoth(runtime.leaseRenewUs, a, b);
      a.network = 'writes-unanswered';
      runBoth(runtime.leaseRenewUs + 2 * REQUEST_TIMEOUT_US, a, b);
      a.network = 'cut';
      for (let left = 2 * runtime.leaseUs; left > 0; left -= 100) {
        runBoth(100, a, b);
        a.election.checkLease(a.out.nowUs, a.out);
        expect(a.election.epoch === undefined || b.election.epoch === undefined, `phase ${phase}`).toBe(true);
      }
      expect(b.told).toEqual(['acquired 2']);
    }
  });

  it('I2: a process that was paused beyond its lease does not act on it any more', () => {
    const store = new FakeCoordination();
    const a = new Candidate(store, 'a').start().run(100);
    a.election.checkLease((a.out.nowUs + runtime.leaseUs - 200) as typeof a.out.nowUs, a.out);
    expect(a.told).toEqual(['acquired 1']);
    a.election.checkLease((a.out.nowUs + runtime.leaseUs) as typeof a.out.nowUs, a.out);
    expect(a.told).toEqual(['acquired 1', 'lost 1']);
    expect(a.election.epoch).toBeUndefined();
  });

  it('I1: a restarted process takes its own past lease at once, with a new epoch', () => {
    const store = new FakeCoordination();
    new Candidate(store, 'a', 1).start().run(100);
    const again = new Candidate(store, 'a', 2).start().run(0);
    expect(again.told).toEqual(['acquired 2']);
    expect(leaseIn(store)).toMatchObject({ epoch: 2, incarnation: 2 });
  });

  it('I1: a lease of another holder is not taken before it has expired, not even by a newer incarnation', () => {
    const store = new FakeCoordination();
    new Candidate(store, 'a').start().run(100);
    const b = new Candidate(store, 'b', 9).start().run(runtime.leaseUs - runtime.leaseRenewUs);
    expect(b.told).toEqual([]);
  });

  it('I3: a take that had no reply but took effect is not leadership; the next look takes it with a higher epoch', () => {
    const store = new FakeCoordination();
    const a = new Candidate(store, 'a').start();
    a.network = 'writes-unanswered';
    a.run(runtime.leaseRenewUs - 100);
    expect(leaseIn(store)).toMatchObject({ epoch: 1, holder: 'a' });
    expect(a.told).toEqual([]);
    a.network = 'whole';
    a.run(2 * runtime.leaseRenewUs);
    expect(a.told).toEqual(['acquired 2']);
  });

  it('I3: a renewal without reply is looked up: the leader stays, and goes on from what is there', () => {
    const store = new FakeCoordination();
    const a = new Candidate(store, 'a').start().run(100);
    a.network = 'writes-unanswered';
    a.run(runtime.leaseRenewUs);
    a.network = 'whole';
    a.run(4 * runtime.leaseUs);
    expect(a.told).toEqual(['acquired 1']);
    expect(leaseIn(store).renewal).toBeGreaterThan(10);
  });

  it('F17: a leader whose renewal finds another holder steps down', () => {
    const store = new FakeCoordination();
    const a = new Candidate(store, 'a').start().run(100);
    store.put(LEASE, encodeLease({ epoch: leaderEpoch(2), holder: 'b', incarnation: 1, renewal: 0 }));
    a.run(runtime.leaseRenewUs);
    expect(a.told).toEqual(['acquired 1', 'lost 1']);
  });
});
