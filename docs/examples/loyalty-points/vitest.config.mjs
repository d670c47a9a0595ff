import { defineConfig } from 'vitest/config';

/** Sixty lives take seconds, on a busy machine more. */
export default defineConfig({ test: { testTimeout: 60_000 } });
