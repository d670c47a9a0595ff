/** Each anomaly of the fencing judge fires on a minimal wrong history; the right one beside it is silent. */
import { describe, expect, it } from 'vitest';
import { checkpointId, leaderEpoch, MAIN_MAILBOX, nodeId } from '../../../../engine/foundation/ids.ts';
import { encodeLease, encodePointer } from '../../../../engine/protocol/checkpoint-pointer.ts';
import type { HighAvailabilityConfiguration } from '../../../../engine/protocol/configuration.ts';
import { encodeLeaderRecord, LEADER_ANNOTATION } from '../../../../engine/protocol/leader-records.ts';
import type { EventOf, HistoryEvent } from '../../../../sim/history/history-event.ts';
import { Fencing } from '../../../../sim/judges/fencing.ts';
import { EPISODES_KEPT } from '../../../../sim/judges/forget-oldest.ts';
import { planOf } from '../../../support/lives.ts';

const JOB = 'job';
const LEASE_US = planOf('quickstart', '1').engine.runtime.leaseUs;

const KAFKA = { transactionalId: 'sink-0-1', producerId: 1 };

class Told {
  atUs = 0;
  readonly #judge: Fencing;
  #index = 0;

  constructor(kind: HighAvailabilityConfiguration['kind']) {
    const plan = planOf('quickstart', '1');
    const engine = { ...plan.engine, highAvailability: { kind, tolerateSuspendedConnections: false } };
    this.#judge = new Fencing({ jobId: JOB, plan: { ...plan, engine } });
  }

  tell(event: HistoryEvent['event'], node = 'jm-1'): this {
    this.#judge.observe({ index: this.#index, atUs: this.atUs, node: nodeId(node), event });
    this.#index += 1;
    this.atUs += 1;
    return this;
  }

  record(key: string, value: string, version = 1): this {
    return this.tell(
      { kind: 'coordination-updated', key: `${JOB}/${key}`, version, value, by: nodeId('jm-1') },
      'service',
    );
  }

  latch(sequence: number, owner: string, version = 1): this {
    const number = String(sequence).padStart(10, '0');
    return this.record(`latch/_c_${owner}-1-1-latch-${number}`, version === 0 ? '' : `${owner}/1`, version);
  }

  expire(owner: string, why: 'timeout' | 'revoked'): this {
    this.tell({ kind: 'session-ended', session: 1, owner: nodeId(owner), why }, 'service');
    this.atUs -= 1;
    return this;
  }

  lease(epoch: number, holder: string): this {
    return this.record('leader', encodeLease({ epoch: leaderEpoch(epoch), holder, incarnation: 1, renewal: 0 }));
  }

  annotation(leaderTransitions: number, holder: string): this {
    const times = { leaseDurationUs: 1, acquireTimeUs: 1, renewTimeUs: 1 };
    return this.record(
      LEADER_ANNOTATION,
      encodeLeaderRecord({ holderIdentity: `${holder}/1/1`, leaderTransitions, ...times }),
    );
  }

  pointer(epoch: number): this {
    return this.record('checkpoints', encodePointer({ epoch: leaderEpoch(epoch), completed: [] }));
  }

  leads(epoch: number, node: string): this {
    return this.tell({ kind: 'leadership-acquired', epoch: leaderEpoch(epoch) }, node);
  }

  acts(epoch: number, node: string): this {
    const event = {
      kind: 'restore-chosen',
      epoch: leaderEpoch(epoch),
      jobAttempt: 1,
      checkpointId: checkpointId(0),
    } as const;
    return this.tell(event, node);
  }

  commit(transaction: string, committedBy: number): this {
    const names = { transaction, producer: 'p', producerEpoch: 1, committedBy };
    return this.tell({ kind: 'transaction-committed', ...names, values: [], lineages: [] }, 'sink');
  }

  kafka(state: EventOf<'kafka-transaction'>['state'], producerEpoch = 0): this {
    return this.tell({ kind: 'kafka-transaction', ...KAFKA, producerEpoch, state, partitions: [] }, 'broker');
  }

  asked(producerEpoch = 0): this {
    this.#judge.sent(MAIN_MAILBOX, {
      kind: 'kafka-end-transaction',
      requestId: 1,
      ...KAFKA,
      producerEpoch,
      commit: true,
    });
    return this;
  }

  message(): string {
    return this.#judge.finish()[0]?.message ?? '';
  }

  anomalies(): string[] {
    return this.#judge.finish().map(({ anomaly }) => anomaly);
  }
}

describe('fencing', () => {
  it('right lives over every service: passed', () => {
    const lease = new Told('lease-store')
      .lease(1, 'jm-1')
      .leads(1, 'jm-1')
      .acts(1, 'jm-1')
      .lease(2, 'jm-2')
      .leads(2, 'jm-2');
    expect(lease.acts(2, 'jm-2').anomalies()).toEqual(['']);
    const latch = new Told('zookeeper').latch(0, 'jm-1').latch(1, 'jm-2').leads(1, 'jm-1').acts(1, 'jm-1').pointer(1);
    expect(latch.expire('jm-1', 'timeout').latch(0, 'jm-1', 0).leads(2, 'jm-2').pointer(2).anomalies()).toEqual(['']);
    const map = new Told('kubernetes').annotation(1, 'jm-1').leads(1, 'jm-1').pointer(1).annotation(2, 'jm-2');
    expect(map.leads(2, 'jm-2').acts(2, 'jm-2').pointer(2).anomalies()).toEqual(['']);
    expect(new Told('none').leads(1, 'jm-1').acts(1, 'jm-1').pointer(1).anomalies()).toEqual(['']);
  });

  it('a leader of an epoch that was given to nobody, or to another: leadership-not-granted', () => {
    expect(new Told('lease-store').leads(1, 'jm-1').anomalies()).toEqual(['leadership-not-granted']);
    expect(new Told('lease-store').lease(1, 'jm-2').leads(1, 'jm-1').anomalies()).toEqual(['leadership-not-granted']);
    expect(new Told('kubernetes').annotation(1, 'jm-2').leads(1, 'jm-1').anomalies()).toEqual([
      'leadership-not-granted',
    ]);
  });

  it('a contender that leads while another is before it: leadership-not-granted', () => {
    const told = new Told('zookeeper').latch(0, 'jm-1').latch(1, 'jm-2').leads(2, 'jm-2');
    expect(told.anomalies()).toEqual(['leadership-not-granted']);
  });

  it('a leader that acts after another was elected: two-leaders-act', () => {
    const lease = new Told('lease-store').lease(1, 'jm-1').leads(1, 'jm-1').lease(2, 'jm-2').acts(1, 'jm-1');
    expect(lease.anomalies()).toEqual(['two-leaders-act']);
    const latch = new Told('zookeeper').latch(0, 'jm-1').leads(1, 'jm-1').expire('jm-1', 'timeout').latch(0, 'jm-1', 0);
    expect(latch.acts(1, 'jm-1').anomalies()).toEqual(['two-leaders-act']);
  });

  it('I1: a session that was ended unasked: its leader may go on until it must have noticed, and no longer', () => {
    const told = new Told('zookeeper').latch(0, 'jm-1').leads(1, 'jm-1').expire('jm-1', 'revoked').latch(0, 'jm-1', 0);
    told.atUs += LEASE_US - 10;
    told.acts(1, 'jm-1');
    expect(told.anomalies()).toEqual(['']);
    told.atUs += 20;
    expect(told.acts(1, 'jm-1').anomalies()).toEqual(['two-leaders-act']);
  });

  it('a leader that goes on for long while contenders come and go is judged as on its first day', () => {
    const told = new Told('zookeeper').latch(0, 'jm-1').leads(1, 'jm-1');
    for (let sequence = 1; sequence <= 2 * EPISODES_KEPT; sequence += 1)
      told.latch(sequence, 'jm-2').latch(sequence, 'jm-2', 0);
    expect(told.acts(1, 'jm-1').anomalies()).toEqual(['']);
    expect(told.latch(0, 'jm-1', 0).acts(1, 'jm-1').anomalies()).toEqual(['two-leaders-act']);
  });

  it('a pointer of an epoch that is over, where the service can tell: deposed-leader-wrote', () => {
    const latch = new Told('zookeeper').latch(0, 'jm-1').expire('jm-1', 'revoked').latch(0, 'jm-1', 0).pointer(1);
    expect(latch.anomalies()).toEqual(['deposed-leader-wrote']);
    expect(new Told('kubernetes').annotation(1, 'a').annotation(2, 'b').pointer(1).anomalies()).toEqual([
      'deposed-leader-wrote',
    ]);
    /* The lease store knows versions, not leaders: until the new one has moved the pointer, the old one may. */
    expect(new Told('lease-store').lease(1, 'a').lease(2, 'b').pointer(1).anomalies()).toEqual(['']);
  });

  it('a transaction that is committed again: committed-twice', () => {
    expect(new Told('lease-store').commit('t', 1).commit('t', 1).anomalies()).toEqual(['committed-twice']);
  });

  it('a commit by an attempt that a newer one has replaced: commit-by-dead-attempt', () => {
    const opened = { kind: 'transaction-opened', transaction: 'u', producer: 'p', producerEpoch: 2 } as const;
    expect(new Told('lease-store').tell(opened).commit('t', 2).anomalies()).toEqual(['']);
    expect(new Told('lease-store').tell(opened).commit('t', 1).anomalies()).toEqual(['commit-by-dead-attempt']);
  });

  const committed = (epoch = 0): Told => new Told('none').asked(epoch).kafka('prepare-commit', epoch);

  it('a Kafka transaction that is asked for and committed once, one epoch after the other: passed, and counted', () => {
    const told = committed().kafka('complete-commit').kafka('empty', 1).kafka('ongoing', 1).kafka('prepare-abort', 2);
    expect(told.kafka('complete-abort', 2).anomalies()).toEqual(['']);
    expect(told.message()).toContain('1 transactions committed once');
  });

  it('a Kafka transaction that is committed again, after its abort, behind a higher epoch, or unasked', () => {
    expect(committed().kafka('complete-commit').kafka('complete-commit').anomalies()).toEqual(['committed-twice']);
    expect(committed().kafka('complete-commit').kafka('prepare-commit').anomalies()).toEqual(['committed-twice']);
    expect(new Told('none').kafka('complete-abort').asked().kafka('prepare-commit').anomalies()).toEqual([
      'commit-of-aborted',
    ]);
    expect(new Told('none').kafka('empty', 1).asked().kafka('prepare-commit').anomalies()).toEqual([
      'commit-by-dead-attempt',
    ]);
    expect(new Told('none').asked().kafka('prepare-commit', 1).anomalies()).toEqual(['commit-not-asked-for']);
    expect(new Told('none').kafka('prepare-commit').anomalies()).toEqual(['']);
  });
});
