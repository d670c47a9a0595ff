import { expect, test } from 'vitest';
import { outcomeOf, producerOf, SINK_LATENCY_US, sinkBench, TRANSACTION_TIMEOUT_US } from './sink-harness.ts';
import { CLIENT, CLIENT_MAILBOX } from './service-harness.ts';

const old = producerOf('p', 1);
const young = producerOf('p', 2);
const OPEN_T = { transaction: 't', producer: 'p', producerEpoch: 1, preCommitted: false, records: 2 };

test('sink store: records are visible when committed, whole and in order', () => {
  const { harness, disk } = sinkBench();
  expect(outcomeOf(harness, old.initialize())).toBe('done');
  harness.receive(old.write('t', 1));
  harness.receive(old.write('t', 2));
  expect(disk.openTransactions()).toEqual([OPEN_T]);
  expect(outcomeOf(harness, old.preCommit('t', 2))).toBe('done');
  expect(disk.visible().values).toEqual([]);
  expect(outcomeOf(harness, old.commit('t'))).toBe('done');
  expect(disk.visible()).toEqual({ values: ['r1', 'r2'], lineages: [1, 2] });
  expect(disk.openTransactions()).toEqual([]);
  const names = { transaction: 't', producer: 'p', producerEpoch: 1 };
  expect(harness.events).toEqual([
    { kind: 'transaction-opened', ...names },
    { kind: 'transaction-pre-committed', ...names },
    { kind: 'transaction-committed', ...names, committedBy: 1, values: ['r1', 'r2'], lineages: [1, 2] },
  ]);
});

test('sink store: pre-commits are answered over the connection, all else by datagram, after the latency', () => {
  const { harness } = sinkBench();
  harness.receive(old.initialize());
  harness.receive(old.preCommit('t', 0));
  harness.receive(old.commit('t'));
  harness.receive(old.abort('t'));
  harness.runFor(1_000);
  expect(harness.sent.map(({ to }) => to.via)).toEqual(['datagram', 'connection', 'datagram', 'datagram']);
  for (const { atUs, to } of harness.sent) {
    expect({ atUs, node: to.node, mailbox: to.mailbox }).toEqual({
      atUs: SINK_LATENCY_US,
      node: CLIENT,
      mailbox: CLIENT_MAILBOX,
    });
  }
});

test('sink store: doubled pre-commits, commits and aborts are done and change nothing', () => {
  const { harness, disk } = sinkBench();
  harness.receive(old.write('t', 1));
  for (let time = 0; time < 2; time += 1) expect(outcomeOf(harness, old.preCommit('t', 1))).toBe('done');
  for (let time = 0; time < 2; time += 1) expect(outcomeOf(harness, old.commit('t'))).toBe('done');
  expect(outcomeOf(harness, old.preCommit('t', 1))).toBe('done');
  expect(disk.visible().lineages).toEqual([1]);
  harness.receive(old.write('u', 2));
  for (let time = 0; time < 2; time += 1) expect(outcomeOf(harness, old.abort('u'))).toBe('done');
  expect(harness.eventsOf('transaction-committed')).toHaveLength(1);
  expect(harness.eventsOf('transaction-pre-committed')).toHaveLength(1);
  expect(harness.eventsOf('transaction-aborted')).toEqual([
    {
      kind: 'transaction-aborted',
      transaction: 'u',
      producer: 'p',
      why: 'requested',
      preCommitted: false,
      lineages: [2],
    },
  ]);
});

test('sink store: what cannot be pre-committed says why', () => {
  const { harness, disk } = sinkBench();
  harness.receive(old.write('t', 1));
  expect(outcomeOf(harness, old.preCommit('t', 2))).toBe('incomplete');
  expect(outcomeOf(harness, old.preCommit('never', 1))).toBe('aborted');
  expect(outcomeOf(harness, old.preCommit('never', 0))).toBe('done');
  expect(outcomeOf(harness, producerOf('q', 1).preCommit('t', 1))).toBe('aborted');
  expect(disk.openTransactions().map(({ transaction }) => transaction)).toEqual(['t']);
});

test('sink store: only what is pre-committed commits', () => {
  const { harness, disk } = sinkBench();
  harness.receive(old.write('t', 1));
  expect(outcomeOf(harness, old.commit('t'))).toBe('aborted');
  expect(outcomeOf(harness, old.commit('never'))).toBe('aborted');
  expect(outcomeOf(harness, old.preCommit('t', 1))).toBe('done');
  expect(outcomeOf(harness, old.commit('t'))).toBe('done');
  expect(disk.visible().lineages).toEqual([1]);
});

test('sink store: late writes to what is pre-committed or has ended are discarded', () => {
  const { harness, disk } = sinkBench();
  harness.receive(old.write('t', 1));
  outcomeOf(harness, old.preCommit('t', 1));
  harness.receive(old.write('t', 2));
  outcomeOf(harness, old.commit('t'));
  harness.receive(old.write('t', 3));
  expect(disk.visible().lineages).toEqual([1]);
  expect(disk.openTransactions()).toEqual([]);
  expect(harness.eventsOf('message-discarded')).toHaveLength(2);
});

test('sink store: an abort that overtakes the writes keeps them from opening the transaction', () => {
  const { harness, disk } = sinkBench();
  expect(outcomeOf(harness, old.abort('t'))).toBe('done');
  harness.receive(old.write('t', 1));
  expect(disk.openTransactions()).toEqual([]);
  expect(outcomeOf(harness, old.preCommit('t', 1))).toBe('aborted');
});

test('sink store: what is committed cannot be aborted', () => {
  const { harness, disk } = sinkBench();
  harness.receive(old.write('t', 1));
  outcomeOf(harness, old.preCommit('t', 1));
  outcomeOf(harness, old.commit('t'));
  expect(outcomeOf(harness, old.abort('t'))).toBe('fenced');
  expect(disk.visible().lineages).toEqual([1]);
});

test('sink store: a new epoch aborts what the old one left and is not told to keep', () => {
  const { harness, disk } = sinkBench();
  for (const [transaction, lineage] of [
    ['kept', 1],
    ['left', 2],
    ['open', 3],
  ] as const) {
    harness.receive(old.write(transaction, lineage));
    if (transaction !== 'open') outcomeOf(harness, old.preCommit(transaction, 1));
  }
  harness.receive(producerOf('other', 1).write('foreign', 4));
  expect(outcomeOf(harness, young.initialize('kept'))).toBe('done');
  expect(harness.eventsOf('transaction-aborted')).toMatchObject([
    { transaction: 'left', why: 'fenced', preCommitted: true },
    { transaction: 'open', why: 'fenced', preCommitted: false },
  ]);
  expect(outcomeOf(harness, young.commit('kept'))).toBe('done');
  expect(outcomeOf(harness, young.commit('left'))).toBe('aborted');
  expect(disk.visible().lineages).toEqual([1]);
  expect(disk.openTransactions().map(({ transaction }) => transaction)).toEqual(['foreign']);
});

test('sink store: a fenced producer causes nothing, but learns that its commit was done', () => {
  const { harness, disk } = sinkBench();
  harness.receive(old.write('s', 1));
  outcomeOf(harness, old.preCommit('s', 1));
  outcomeOf(harness, old.commit('s'));
  harness.receive(old.write('t', 2));
  outcomeOf(harness, old.preCommit('t', 1));
  outcomeOf(harness, young.initialize('t'));
  const before = harness.events.length;
  harness.receive(old.write('u', 3));
  harness.receive(old.write('', 4));
  for (const late of [old.initialize(), old.preCommit('t', 1), old.commit('t'), old.abort('t')]) {
    expect(outcomeOf(harness, late)).toBe('fenced');
  }
  expect(outcomeOf(harness, old.commit('s'))).toBe('done');
  expect(harness.events.slice(before).map(({ kind }) => kind)).toEqual(['message-discarded', 'message-discarded']);
  expect(disk.visible().lineages).toEqual([1]);
  expect(disk.openTransactions()).toMatchObject([{ transaction: 't', preCommitted: true }]);
});

test('sink store: a late double of initialize spares what its own epoch opened since', () => {
  const { harness, disk } = sinkBench();
  const initialize = young.initialize();
  outcomeOf(harness, initialize);
  harness.receive(young.write('t', 1));
  expect(outcomeOf(harness, initialize)).toBe('done');
  expect(disk.openTransactions()).toHaveLength(1);
});

test('sink store: a transaction that stays open too long is aborted and its producer fenced', () => {
  const { harness, disk } = sinkBench();
  harness.receive(old.write('safe', 1));
  harness.receive(old.preCommit('safe', 1));
  harness.runFor(10);
  harness.receive(old.write('t', 2));
  harness.runUntil(TRANSACTION_TIMEOUT_US + 9);
  expect(disk.openTransactions()).toHaveLength(2);
  harness.runUntil(TRANSACTION_TIMEOUT_US + 10);
  expect(harness.eventsOf('transaction-aborted')).toEqual([
    {
      kind: 'transaction-aborted',
      transaction: 't',
      producer: 'p',
      why: 'timeout',
      preCommitted: false,
      lineages: [2],
    },
  ]);
  expect(outcomeOf(harness, old.preCommit('t', 1))).toBe('fenced');
  expect(outcomeOf(harness, old.initialize())).toBe('fenced');
  expect(outcomeOf(harness, young.initialize('safe'))).toBe('done');
  expect(outcomeOf(harness, young.commit('safe'))).toBe('done');
  harness.runFor(10 * TRANSACTION_TIMEOUT_US);
  expect(harness.armedTimers).toBe(0);
});

test('sink store: a pre-commit on its way does not save a transaction from its timeout', () => {
  const { harness } = sinkBench();
  harness.receive(old.write('t', 1));
  harness.runUntil(TRANSACTION_TIMEOUT_US - 1);
  expect(outcomeOf(harness, old.preCommit('t', 1))).toBe('fenced');
});

test('sink store: timeouts follow each other, oldest first', () => {
  const { harness } = sinkBench();
  for (const name of ['s', 't', 'u']) {
    harness.receive(producerOf(`of-${name}`, 1).write(name, 1));
    harness.runFor(40_000);
  }
  harness.runUntil(TRANSACTION_TIMEOUT_US + 40_000);
  expect(harness.eventsOf('transaction-aborted').map(({ transaction }) => transaction)).toEqual(['s', 't']);
  harness.runFor(40_000);
  expect(harness.eventsOf('transaction-aborted')).toHaveLength(3);
});

test('sink store: under unknown-outcome the commit happens and nobody is told, repeating it is done', () => {
  const { harness, disk } = sinkBench();
  harness.receive(old.write('t', 1));
  outcomeOf(harness, old.preCommit('t', 1));
  harness.affect('f1', 'unknown-outcome');
  expect(outcomeOf(harness, old.commit('t'))).toBeUndefined();
  expect(disk.visible().lineages).toEqual([1]);
  harness.conditions.lift('f1');
  expect(outcomeOf(harness, old.commit('t'))).toBe('done');
  expect(disk.visible().lineages).toEqual([1]);
});

test.each(['unavailable', 'fail'] as const)(
  'sink store: under %s a write is lost and the pre-commit finds it missing',
  (effect) => {
    const { harness } = sinkBench();
    harness.receive(old.write('t', 1));
    harness.affect('f1', effect);
    harness.receive(old.write('t', 2));
    expect(outcomeOf(harness, old.preCommit('t', 2))).toBe('unavailable');
    expect(harness.sent[0]?.atUs).toBe(effect === 'fail' ? SINK_LATENCY_US : 0);
    harness.conditions.lift('f1');
    expect(outcomeOf(harness, old.preCommit('t', 2))).toBe('incomplete');
  },
);

test('sink store: slow multiplies the latency of requests; writes are immediate and not affected', () => {
  const { harness, disk } = sinkBench();
  harness.affect('f1', 'slow', 5);
  harness.receive(old.write('t', 1, 2));
  expect(disk.openTransactions()).toEqual([OPEN_T]);
  expect(harness.effective).toEqual([]);
  harness.ask(old.preCommit('t', 2));
  expect(harness.sent[0]?.atUs).toBe(5 * SINK_LATENCY_US);
  expect(harness.effective).toEqual(['f1']);
});

test('sink store: a restart keeps transactions, fences and timeouts, and forgets requests in progress', () => {
  const { harness, disk, restart } = sinkBench();
  outcomeOf(harness, young.initialize());
  harness.receive(young.write('t', 1));
  outcomeOf(harness, young.preCommit('t', 1));
  harness.receive(young.write('u', 2));
  const openedUs = harness.nowUs;
  harness.receive(young.commit('t'));
  restart();
  harness.runFor(1_000);
  expect(disk.visible().lineages).toEqual([]);
  expect(outcomeOf(harness, old.commit('t'))).toBe('fenced');
  expect(outcomeOf(harness, young.commit('t'))).toBe('done');
  harness.runUntil(openedUs + TRANSACTION_TIMEOUT_US);
  expect(harness.eventsOf('transaction-aborted')).toMatchObject([{ transaction: 'u', why: 'timeout' }]);
});

test('sink store: output without a transaction is visible at once and can be counted before a checkpoint', () => {
  const { harness, disk } = sinkBench();
  harness.receive(old.write('', 1, 2));
  expect(disk.visible()).toEqual({ values: ['r1', 'r2'], lineages: [1, 2] });
  expect(harness.events).toEqual([{ kind: 'output-appended', producer: 'p', values: ['r1', 'r2'], lineages: [1, 2] }]);
  harness.affect('f1', 'unavailable');
  harness.receive(old.write('', 3));
  harness.conditions.lift('f1');
  expect(outcomeOf(harness, old.preCommit('', 3))).toBe('incomplete');
  expect(outcomeOf(harness, old.preCommit('', 2))).toBe('done');
  expect(outcomeOf(harness, young.preCommit('', 0))).toBe('done');
});

test('sink store: a flush of direct output answers for what was there when it arrived, not for what came while it waited', () => {
  const { harness } = sinkBench();
  harness.receive(old.write('', 1, 2));
  harness.receive(old.preCommit('', 2));
  harness.receive(old.write('', 3));
  harness.runFor(SINK_LATENCY_US);
  expect(harness.sent.map(({ message }) => message)).toMatchObject([{ kind: 'sink-reply', outcome: 'done' }]);
  harness.affect('f1', 'unavailable');
  harness.receive(old.write('', 4));
  harness.conditions.lift('f1');
  harness.receive(old.preCommit('', 4));
  harness.receive(old.write('', 5));
  harness.runFor(SINK_LATENCY_US);
  expect(harness.sent.at(-1)?.message).toMatchObject({ kind: 'sink-reply', outcome: 'incomplete' });
});

test('sink store: a lost connection changes nothing, a message for somebody else is discarded', () => {
  const { harness, disk } = sinkBench();
  harness.receive(old.write('t', 1, 2));
  expect(harness.ask({ kind: 'connection-lost', peer: CLIENT })).toEqual([]);
  expect(disk.openTransactions()).toEqual([OPEN_T]);
  expect(harness.eventsOf('message-discarded')).toEqual([]);
  harness.receive({ kind: 'continue' });
  expect(harness.eventsOf('message-discarded')).toHaveLength(1);
});
