/**
 * The real clock and the name of this machine. Everything that measures real time asks here.
 *
 * I1: the clock never goes back; its unit is the millisecond, with a fraction.
 */
import { arch, cpus, platform, totalmem } from 'node:os';
import { performance } from 'node:perf_hooks';
import { version } from 'node:process';

/** Milliseconds of wall clock since this process began. */
export const wallClockMs = (): number => performance.now();

/** The calendar day in UTC as YYYY-MM-DD: a note for people, nothing is decided by it. */
export const today = (): string => new Date().toISOString().slice(0, 10);

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
}

/** Wall-clock figures mean nothing without it. */
export function thisMachine(): Machine {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 1_073_741_824),
    system: `${platform()} ${arch()}`,
    node: version,
  };
}
