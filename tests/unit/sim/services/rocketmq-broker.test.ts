/** What is wrong with a RocketMQ-like broker, and what becomes of the message that ends a transaction, to which there is no reply. */
import { describe, expect, it } from 'vitest';
import type { RocketMqRequest } from '../../../../engine/protocol/rocketmq-messages.ts';
import { constant } from '../../../../sim/kernel/distribution.ts';
import { RocketMqBroker, RocketMqDisk } from '../../../../sim/services/rocketmq-broker.ts';
import type { ServiceEffect } from '../../../../sim/services/service-conditions.ts';
import { ServiceHarness } from './service-harness.ts';

const LATENCY_US = 1_000;
const half: RocketMqRequest = {
  kind: 'rocketmq-half',
  requestId: 1,
  group: 'g',
  transaction: 't',
  key: 'k',
  values: ['v'],
  lineages: [],
  bytes: 1,
};
const end: RocketMqRequest = { kind: 'rocketmq-end', group: 'g', transaction: 't', state: 'commit' };

/** A half message is there; then the broker is like that, and the end of its transaction arrives. */
function ended(effect: ServiceEffect) {
  const harness = new ServiceHarness();
  const { conditions, choices } = harness;
  const sites = { latencySite: choices.site('latency'), conditionSite: choices.site('condition') };
  const disk = new RocketMqDisk('plain');
  harness.start(
    new RocketMqBroker({ disk, conditions, ...sites, latency: constant(LATENCY_US), checkAfterUs: 60_000_000 }),
  );
  harness.ask(half);
  harness.affect('f1', effect, 7);
  harness.receive(end);
  const isSeen = (): boolean => harness.eventsOf('output-appended').length === 1;
  return { harness, isSeen };
}

describe('the end of a transaction', () => {
  it('slow: it comes into force so many latencies later', () => {
    const { harness, isSeen } = ended('slow');
    harness.runFor(7 * LATENCY_US - 1);
    expect(isSeen()).toBe(false);
    harness.runFor(1);
    expect(isSeen()).toBe(true);
    expect(harness.effective).toEqual(['f1']);
  });

  it('unknown-outcome: it is in force, and as nobody would have been told anyway, nothing was changed', () => {
    const { harness, isSeen } = ended('unknown-outcome');
    expect(isSeen()).toBe(true);
    expect(harness.effective).toEqual([]);
  });

  it.each(['unavailable', 'fail'] as const)('%s: it is lost', (effect) => {
    const { harness, isSeen } = ended(effect);
    harness.runFor(1_000_000);
    expect(isSeen()).toBe(false);
    expect(harness.effective).toEqual(['f1']);
  });
});

it('unknown-outcome: a half message is stored, and nobody is told', () => {
  const harness = new ServiceHarness();
  const { conditions, choices } = harness;
  const sites = { latencySite: choices.site('latency'), conditionSite: choices.site('condition') };
  const disk = new RocketMqDisk('plain');
  harness.start(
    new RocketMqBroker({ disk, conditions, ...sites, latency: constant(LATENCY_US), checkAfterUs: 60_000_000 }),
  );
  harness.affect('f1', 'unknown-outcome');
  expect(harness.ask(half)).toEqual([]);
  expect([...disk.prepared.keys()]).toEqual(['t']);
  expect(harness.effective).toEqual(['f1']);
});
