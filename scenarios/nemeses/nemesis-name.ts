/** What nemeses are called, in the order of lists. */
export const NEMESIS_NAMES = [
  'swizzle-clog',
  'bridge',
  'ring-of-majorities',
  'hold-and-release',
  'append-after-abort',
  'coordinator-cut-from-storage',
  'coordinator-cut-from-election',
  'rolling-restart',
  'rack-failure',
  'crash-in-flight-write',
  'kill-during-recovery',
  'pause-past-lease',
  'published-partition',
  'published-failure',
  'published-stall',
] as const;
export type NemesisName = (typeof NEMESIS_NAMES)[number];
