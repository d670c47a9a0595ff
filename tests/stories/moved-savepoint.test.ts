/** Rows C26, T4, X36 (SavepointFormatITCase): a savepoint stands alone, wherever its directory lies. */
import { describe, expect, it } from 'vitest';
import { LeftByALife } from '../support/left-by-a-life.ts';
import { story } from './story.ts';

const BACKENDS = ['hashmap', 'lsm'] as const;
const FORMATS = ['canonical', 'native'] as const;
const MOVED = 'elsewhere/by-hand';
const outcomes = (left: LeftByALife, directory: string): string[] =>
  left.audit({ of: directory }).map(({ outcome }) => outcome);

describe.each(BACKENDS)('a savepoint of the backend %s', (backend) => {
  it.each(FORMATS)('X36, C26: %s: is restored from where it was moved to, and not without its files', (format) => {
    const plan = story({
      scenario: 'lsm-incremental',
      engine: (engine) => ({
        ...engine,
        checkpoint: { ...engine.checkpoint, backend, incremental: backend === 'lsm' },
      }),
    })
      .asks({ kind: 'savepoint', format }, 6)
      .plan();
    const left = new LeftByALife(plan);
    const [directory = ''] = left.savepoints;
    expect(outcomes(left, directory)).toEqual(['passed']);
    left.moveSavepoint(directory, MOVED);
    const files = [...left.files.keys()].filter((path) => path.startsWith(`${MOVED}/`));
    expect(files.length).toBeGreaterThan(4);
    expect(outcomes(left, MOVED)).toEqual(['passed']);
    left.files.delete(files.find((path) => !path.endsWith('/_metadata')) ?? '');
    expect(outcomes(left, MOVED)).toContain('violated');
  });
});
