import { defineConfig } from 'vitest/config';

/** Two workers: the tests share their machine. A minute per test: sweeps are slow on a busy one, never flaky. */
export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    exclude: ['dist/**', 'node_modules/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
