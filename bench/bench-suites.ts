/** The suites there are: an explicit list. */
import type { BenchSuite } from './bench-suite.ts';

export const BENCH_SUITES: readonly BenchSuite[] = [
  {
    name: 'overhead',
    sentence: 'What checkpointing costs in throughput, latency and bytes; virtual time, exact.',
    run: async (context) => (await import('./overhead-suite.ts')).overheadSuite(context),
  },
  {
    name: 'kernel',
    sentence: 'How fast the simulator is on this machine; wall clock, noisy.',
    run: async (context) => await (await import('./kernel-suite.ts')).kernelSuite(context),
  },
];
