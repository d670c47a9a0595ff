import { defineConfig } from 'vitest/config';

/**
 * Two workers: the tests share their machine. A minute per test: sweeps are slow on a busy one, never flaky. Test files share the modules of
 * their worker: nothing in them has state of its own (the engine may not, nothing is mocked), and loading them for each file took a third of the time.
 */
export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    exclude: ['dist/**', 'node_modules/**'],
    pool: 'forks',
    isolate: false,
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
