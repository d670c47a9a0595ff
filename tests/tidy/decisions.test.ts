import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const DOCS = join(import.meta.dirname, '../../docs');
const FILES = readdirSync(join(DOCS, 'decisions')).sort();

describe('decision records', () => {
  it('have a number each, of their own', () => {
    for (const file of FILES) expect(file).toMatch(/^\d{4}-[a-z0-9-]+\.md$/);
    const numbers = FILES.map((file) => file.slice(0, 4));
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it('are listed in docs/README.md, in order, under their titles', () => {
    const listed = readFileSync(join(DOCS, 'README.md'), 'utf8')
      .split('\n')
      .filter((line) => line.includes('](decisions/'));
    const expected = FILES.map((file) => {
      const [title = ''] = readFileSync(join(DOCS, 'decisions', file), 'utf8').split('\n');
      return `- [${file.slice(0, 4)}](decisions/${file}) ${title.replace(/^# \d{4}:? /, '')}`;
    });
    expect(listed).toEqual(expected);
  });
});
