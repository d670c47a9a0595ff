import { defineConfig } from 'vitest/config';

/** Sixty lives take seconds, on a busy machine more. */
// biome-ignore lint/style/noDefaultExport: vitest reads its configuration from the default export.
export default defineConfig({ test: { testTimeout: 60_000 } });
