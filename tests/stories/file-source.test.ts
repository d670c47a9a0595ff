/** Row K1, X6: sources of file splits in the whole cluster. */
import { describe, expect, it } from 'vitest';
import { nodeId } from '../../engine/foundation/ids.ts';
import { findings, liveIt } from '../support/lives.ts';
import { story } from './story.ts';

const FILES = 'file-source';
const everyTaskManager = ['taskmanager-1', 'taskmanager-2', 'taskmanager-3'];

describe('a source of file splits', () => {
  it('reads all and ends; what readers had when they died is read by others', () => {
    const record = story({ scenario: FILES })
      .crash('taskmanager-1', 2.5)
      .crash('taskmanager-2', 4.25)
      .shows('end-of-data-reached')
      .passes({ keepHistory: true });
    expect(record.history.some(({ event }) => event.kind === 'job-status' && event.status === 'finished')).toBe(true);
  });

  it('K2: readers that restart alone give back the splits they were given after their checkpoint', () => {
    const told = everyTaskManager.reduce((made, node) => made.crash(node, 3.1), story({ scenario: FILES }));
    told.crash('jobmanager-1', 5.2).passes();
  });

  it('reads a damaged block again', () => {
    const chance = { numerator: 1, denominator: 2 };
    const damage = { kind: 'service', node: nodeId('object-store'), factor: 1, chance, forUs: 2_000_000 } as const;
    const plan = story({ scenario: FILES }).plan();
    const record = liveIt({
      ...plan,
      faults: [
        { ...damage, id: 'f1', effect: 'bit-rot', trigger: { atUs: 1_000_000 } },
        { ...damage, id: 'f2', effect: 'short-read', trigger: { atUs: 4_000_000 } },
      ],
    });
    expect(record.verdict, findings(record)).toBe('passed');
    expect(record.probes['file-block-damaged']).toBeGreaterThan(0);
  });

  it('I2: a part that begins behind the end of its file is empty, and the rest is read', () => {
    const plan = story({ scenario: FILES }).plan();
    const topics = plan.topics.map(({ files, ...topic }) => ({
      ...topic,
      ...(files === undefined ? {} : { files: { ...files, partBytes: 1 << 18 } }),
    }));
    const record = liveIt({ ...plan, topics });
    expect(record.verdict, findings(record)).toBe('passed');
    expect(record.probes['file-end-in-doubt']).toBeGreaterThan(0);
  });

  it('K1: a directory without files is read at once, and the job ends; so it does where all are empty', () => {
    const plan = story({ scenario: FILES }).plan();
    for (const empty of [1, 2]) {
      const topics = plan.topics.map((topic, index) => (index < empty ? { ...topic, records: 0 } : topic));
      const record = liveIt({ ...plan, topics }, { keepHistory: true });
      expect(record.verdict, findings(record)).toBe('passed');
      expect(record.history.some(({ event }) => event.kind === 'job-status' && event.status === 'finished')).toBe(true);
    }
  });

  it('finds files that appear while nobody leads, and reads each once', () => {
    const plan = story({ scenario: FILES }).seed('2').crash('jobmanager-1', 2, 2).plan();
    const topics = plan.topics.map(({ files, ...topic }) => ({
      ...topic,
      bounded: false,
      discoveryUs: 500_000,
      ...(files === undefined ? {} : { files: { ...files, everyUs: 900_000 } }),
    }));
    const record = liveIt({ ...plan, topics });
    expect(record.verdict, findings(record)).toBe('passed');
    expect(Object.keys(record.probes)).toContain('partition-discovered-later');
  });
});
