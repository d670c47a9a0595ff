/** What every driver owes a JobManager, over the real services (rows C8, F13-F17, G6; X54, X56). */
import { describe, expect, it } from 'vitest';
import { CheckpointIdCounter, type TakenId } from '../../../../engine/checkpoint/checkpoint-id-counter.ts';
import { Contention, LEASE_US, RENEW_US } from '../../../support/contenders.ts';

const SECOND = 1_000_000;
const DRIVERS = ['lease-store', 'zookeeper', 'kubernetes'] as const;

const epochsOf = (told: readonly string[]): number[] =>
  told.filter((word) => word.startsWith('acquired')).map((word) => Number(word.split(' ')[1]));

describe.each(DRIVERS)('leadership over %s', (kind) => {
  it('F14: of three contenders one leads, and stays the leader', () => {
    const world = new Contention({ kind });
    for (const name of ['a', 'b', 'c']) world.join(name);
    world.run(4 * LEASE_US);
    expect(world.leaders).toEqual(['a']);
    expect(world.contenders.flatMap(({ told }) => told)).toHaveLength(1);
    expect(world.sawTwoLeaders).toBe(false);
  });

  it('F14, X54: the leader ends: another leads, with a higher epoch', () => {
    const world = new Contention({ kind });
    const a = world.join('a');
    world.run(SECOND);
    const b = world.join('b');
    world.run(SECOND);
    world.crash(a);
    world.run(LEASE_US + 2 * RENEW_US);
    expect(world.leaders).toEqual(['b']);
    expect(Math.min(...epochsOf(b.told))).toBeGreaterThan(Math.max(...epochsOf(a.told)));
  });

  it('F14, G6: a leader that is cut off stops before another one leads, and queues again when it is back', () => {
    const world = new Contention({ kind });
    const a = world.join('a');
    const b = world.join('b');
    world.run(LEASE_US);
    a.isCut = true;
    world.run(2 * LEASE_US);
    expect(a.told).toEqual(['acquired 1', 'lost 1']);
    expect(world.leaders).toEqual(['b']);
    world.heal(a);
    world.run(LEASE_US);
    expect(world.leaders).toEqual(['b']);
    b.isCut = true;
    world.run(2 * LEASE_US);
    expect(world.leaders).toEqual(['a']);
    expect(world.sawTwoLeaders).toBe(false);
    const epochs = [...epochsOf(a.told), ...epochsOf(b.told)].sort((x, y) => x - y);
    expect(new Set(epochs).size).toBe(3);
  });

  it('F14: a process that stood still past its time does nothing as a leader when it wakes up', () => {
    const world = new Contention({ kind });
    const a = world.join('a');
    world.join('b');
    world.run(SECOND);
    a.isPaused = true;
    world.run(2 * LEASE_US);
    expect(world.leaders).toContain('b');
    world.resume(a);
    a.services.checkLeadership(a.out.nowUs, a.out);
    expect(a.told).toEqual(['acquired 1', 'lost 1']);
    world.run(LEASE_US);
    expect(world.leaders).toEqual(['b']);
  });

  it('F14: a restarted process contends as another one, and leads with a higher epoch', () => {
    const world = new Contention({ kind });
    const a = world.join('a');
    world.run(SECOND);
    world.crash(a);
    const again = world.join('a', 2);
    world.run(LEASE_US + 2 * RENEW_US);
    expect(again.epoch).toBeGreaterThan(1);
  });

  it('F13: the service crashes and comes back: there is one leader again, with an epoch not used before', () => {
    const world = new Contention({ kind });
    const a = world.join('a');
    const b = world.join('b');
    world.run(LEASE_US);
    world.startService();
    world.run(2 * LEASE_US);
    expect(world.leaders).toHaveLength(1);
    const epochs = [...epochsOf(a.told), ...epochsOf(b.told)];
    expect(new Set(epochs).size).toBe(epochs.length);
    expect(world.sawTwoLeaders).toBe(false);
  });

  it('F17: a register is created, changed and refused by version, and says what is there', () => {
    const world = new Contention({ kind });
    const a = world.join('a');
    world.run(SECOND);
    expect(world.read(a, 'checkpoints')).toEqual([{ outcome: 'done', version: 0, value: '' }]);
    expect(world.compareAndSet(a, 'checkpoints', 0, 'x')).toEqual([{ outcome: 'done', version: 1, value: 'x' }]);
    expect(world.compareAndSet(a, 'checkpoints', 0, 'y')).toEqual([{ outcome: 'conflict', version: 1, value: 'x' }]);
    expect(world.compareAndSet(a, 'checkpoints', 1, 'y')).toEqual([{ outcome: 'done', version: 2, value: 'y' }]);
    expect(world.read(a, 'checkpoints')).toEqual([{ outcome: 'done', version: 2, value: 'y' }]);
    expect(world.compareAndSet(a, 'checkpoint-id', 0, '1')).toEqual([{ outcome: 'done', version: 1, value: '1' }]);
  });

  it('F18: a removed register has no value', () => {
    const world = new Contention({ kind });
    const a = world.join('a');
    world.run(SECOND);
    world.compareAndSet(a, 'checkpoints', 0, 'x');
    const replies: string[] = [];
    a.services.registers.remove('job/checkpoints', 1, a.out, ({ outcome }) => replies.push(outcome));
    world.run(SECOND);
    expect(replies).toEqual(['done']);
    expect(world.read(a, 'checkpoints')).toMatchObject([{ outcome: 'done', value: '' }]);
  });

  it('F17, B1: a write whose reply is lost is unknown, and the next try finds that it happened', () => {
    const world = new Contention({ kind, tolerateSuspendedConnections: true });
    const a = world.join('a');
    world.run(SECOND);
    world.service.affect('f', 'unknown-outcome');
    const replies: string[] = [];
    const write = { name: 'job/checkpoints', expectedVersion: 0, value: 'x' };
    a.services.registers.compareAndSet(write, a.out, ({ outcome }) => replies.push(outcome));
    world.run(1_200_000);
    expect(replies).toEqual(['unknown']);
    world.service.conditions.lift('f');
    world.run(SECOND);
    expect(world.compareAndSet(a, 'checkpoints', 0, 'x')).toEqual([{ outcome: 'conflict', version: 1, value: 'x' }]);
  });

  it('C8: an id that a late write took is passed over, and the next one is taken', () => {
    const world = new Contention({ kind });
    const a = world.join('a');
    world.run(SECOND);
    const counterOf = (last: { readonly value: number; readonly version: number }): CheckpointIdCounter =>
      new CheckpointIdCounter({
        jobId: 'job',
        coordination: a.services.registers,
        requestTimeoutUs: SECOND,
        firstId: 1,
        last,
      });
    const taken: TakenId[] = [];
    for (const counter of [counterOf({ value: 0, version: 0 }), counterOf({ value: 0, version: 0 })]) {
      counter.take(a.out, (one) => taken.push(one));
      world.run(SECOND);
    }
    expect(taken).toEqual([
      { kind: 'taken', checkpointId: 1 },
      { kind: 'taken', checkpointId: 2 },
    ]);
    expect(a.out.probes()).toContain('checkpoint-counter-moved');
  });
});

describe.each(['zookeeper', 'kubernetes'] as const)('fencing by %s', (kind) => {
  it('F15, F17, B6: what a leader that was replaced still writes has no effect', () => {
    const world = new Contention({ kind, parts: { suspendedLeadership: 'kept' } });
    const a = world.join('a');
    world.run(SECOND);
    world.compareAndSet(a, 'checkpoints', 0, 'a');
    const b = world.join('b');
    world.run(SECOND);
    /* The write is on its way when the leader is cut off and replaced. */
    const before = a.out.sent.length;
    a.services.registers.compareAndSet(
      { name: 'job/checkpoints', expectedVersion: 1, value: 'late' },
      a.out,
      () => undefined,
    );
    const late = a.out.sent[before]?.message;
    a.isCut = true;
    world.run(2 * LEASE_US + RENEW_US);
    expect(b.epoch).toBeDefined();
    if (late !== undefined) world.service.receive(late, a.node);
    world.run(SECOND);
    expect(world.read(b, 'checkpoints')).toEqual([{ outcome: 'done', version: 1, value: 'a' }]);
  });
});

describe('ZooKeeper', () => {
  it('F14: a session that is ended while it is heard of: leadership goes, and the old leader learns it', () => {
    const world = new Contention({ kind: 'zookeeper' });
    const a = world.join('a');
    world.run(SECOND);
    const b = world.join('b');
    world.run(SECOND);
    world.service.affect('f', 'session-expiry');
    world.compareAndSet(a, 'checkpoints', 0, 'refused');
    world.service.conditions.lift('f');
    world.run(LEASE_US);
    expect(a.told.slice(0, 2)).toEqual(['acquired 1', 'lost 1']);
    expect(world.leaders).toHaveLength(1);
    expect(world.service.eventsOf('session-ended')[0]).toMatchObject({ owner: 'a', why: 'revoked' });
    expect(world.read(a, 'checkpoints').concat(world.read(b, 'checkpoints'))).toContainEqual({
      outcome: 'done',
      version: 0,
      value: '',
    });
  });

  it.each([false, true])('F14: a lost connection, tolerated: %s', (tolerateSuspendedConnections) => {
    const world = new Contention({ kind: 'zookeeper', tolerateSuspendedConnections });
    const a = world.join('a');
    world.run(SECOND);
    world.heal(a);
    expect(a.told).toEqual(tolerateSuspendedConnections ? ['acquired 1'] : ['acquired 1', 'lost 1']);
    world.run(2 * SECOND);
    /* Not tolerated: a node of its own for the new reign. */
    expect(a.epoch).toBe(tolerateSuspendedConnections ? 1 : 2);
  });

  it('F14: tolerated, but not for longer than the session may live', () => {
    const world = new Contention({ kind: 'zookeeper', tolerateSuspendedConnections: true });
    const a = world.join('a');
    world.join('b');
    world.run(SECOND);
    a.isCut = true;
    world.run(3 * LEASE_US);
    expect(world.leaders).toEqual(['b']);
    expect(world.sawTwoLeaders).toBe(false);
  });

  it('F14, CURATOR-3: a node that was made unseen does not stay in front of the next one', () => {
    const world = new Contention({ kind: 'zookeeper' });
    world.service.affect('f', 'unknown-outcome');
    const a = world.join('a');
    world.run(SECOND);
    world.service.conditions.lift('f');
    world.run(LEASE_US + SECOND);
    expect(world.leaders).toEqual(['a']);
    expect(a.told).toHaveLength(1);
  });

  it('F15, F17: a leader whose node somebody has removed is fenced, though its session lives', () => {
    const world = new Contention({ kind: 'zookeeper' });
    const a = world.join('a');
    world.run(SECOND);
    const b = world.join('b');
    world.run(SECOND);
    const made = world.service.sent.flatMap(({ to, message }) =>
      to.node === a.node && message.kind === 'zookeeper-reply' ? (message.paths ?? []) : [],
    );
    const asked = b.out.all('zookeeper-request').at(-1);
    const path = made.at(-1);
    if (asked === undefined || path === undefined) throw new Error('b asked for something, and a made its node');
    const operation = { kind: 'delete', path, version: -1 } as const;
    world.service.receive({ ...asked, xid: asked.xid + 1_000, operation }, b.node);
    expect(world.compareAndSet(a, 'checkpoints', 0, 'late')).toEqual([]);
    expect(a.out.probes()).toContain('zookeeper-write-fenced');
    expect(a.told).toEqual(['acquired 1', 'lost 1']);
    expect(world.read(b, 'checkpoints')).toMatchObject([{ version: 0 }]);
  });

  it('C8: ids have 31 bits, and when they are used up no further one is taken', () => {
    const world = new Contention({ kind: 'zookeeper' });
    const a = world.join('a');
    world.run(SECOND);
    const { registers } = a.services;
    expect(registers.highestCount).toBe(2_147_483_647);
    const counter = new CheckpointIdCounter({
      jobId: 'job',
      coordination: registers,
      requestTimeoutUs: SECOND,
      firstId: 1,
      last: { value: registers.highestCount, version: 0 },
    });
    const taken: TakenId[] = [];
    counter.take(a.out, (one) => taken.push(one));
    world.run(SECOND);
    expect(taken).toMatchObject([{ kind: 'failed' }]);
    expect(a.out.probes()).toContain('checkpoint-ids-exhausted');
  });
});

describe('Kubernetes', () => {
  it('F14: a watch that the server ends is begun anew after a read', () => {
    const world = new Contention({ kind: 'kubernetes' });
    const a = world.join('a');
    world.run(SECOND);
    world.service.affect('f', 'watch-loss');
    world.compareAndSet(a, 'checkpoints', 0, 'x');
    world.service.conditions.lift('f');
    world.run(SECOND);
    expect(a.out.probes()).toContain('kubernetes-relist');
    expect(
      a.out.all('kubernetes-request').filter(({ operation }) => operation.verb === 'watch').length,
    ).toBeGreaterThan(1);
    expect(a.told).toEqual(['acquired 1']);
  });

  it('F15: of two own changes at once the second goes on from what the first has written, and reads nothing', () => {
    const world = new Contention({ kind: 'kubernetes' });
    const a = world.join('a');
    world.run(SECOND);
    const verbs = (): readonly string[] => a.out.all('kubernetes-request').map(({ operation }) => operation.verb);
    const before = verbs().length;
    const told: string[] = [];
    for (const name of ['job/checkpoints', 'job/checkpoint-id'])
      a.services.registers.compareAndSet({ name, expectedVersion: 0, value: 'x' }, a.out, ({ outcome }) =>
        told.push(outcome),
      );
    world.run(50_000);
    expect(told).toEqual(['done', 'done']);
    expect(verbs().slice(before)).toEqual(['update', 'update', 'update']);
    expect(a.out.probes()).toContain('kubernetes-update-conflict');
  });

  it('F15, F17: a write of one that does not hold the record any more is fenced', () => {
    const world = new Contention({ kind: 'kubernetes' });
    const a = world.join('a');
    world.run(SECOND);
    const b = world.join('b');
    world.run(SECOND);
    a.isCut = true;
    world.run(2 * LEASE_US + RENEW_US);
    world.heal(a);
    expect(world.compareAndSet(a, 'checkpoints', 0, 'late')).toEqual([]);
    expect(a.out.probes()).toContain('kubernetes-write-fenced');
    expect(world.read(b, 'checkpoints')).toMatchObject([{ version: 0 }]);
  });

  it('F17: a write that meets a renewal is computed anew', () => {
    const world = new Contention({ kind: 'kubernetes' });
    const a = world.join('a');
    world.run(SECOND);
    const replies: string[] = [];
    const set = (name: string): void =>
      a.services.registers.compareAndSet({ name, expectedVersion: 0, value: 'x' }, a.out, ({ outcome }) =>
        replies.push(outcome),
      );
    set('job/checkpoints');
    set('job/checkpoint-id');
    world.run(SECOND);
    expect(replies).toEqual(['done', 'done']);
    expect(a.out.probes()).toContain('kubernetes-update-conflict');
  });
});

describe('no high availability', () => {
  it('F13: the one JobManager leads from its start, its registers are its memory', () => {
    const world = new Contention({ kind: 'none' });
    const a = world.join('a');
    expect(a.told).toEqual(['acquired 1']);
    expect(world.compareAndSet(a, 'checkpoints', 0, 'x')).toEqual([{ outcome: 'done', version: 1, value: 'x' }]);
    expect(world.compareAndSet(a, 'checkpoints', 0, 'y')).toEqual([{ outcome: 'conflict', version: 1, value: 'x' }]);
    expect(a.out.reported('coordination-updated')).toHaveLength(1);
  });

  it('F13: a process after the first knows of no job', () => {
    const again = new Contention({ kind: 'none' }).join('a', 2);
    expect(again.told).toEqual([]);
    expect(again.out.probes()).toEqual(['job-lost-with-jobmanager']);
  });
});
