/**
 * The names of the search strategies, and of the features that `swarm` draws: what the command line and scenario files may say. They stand apart from
 * what they name, because the form of a scenario file is checked with them.
 */
export const STRATEGY_NAMES = ['random', 'swarm', 'pct', 'novelty', 'crashpoints', 'lineage'] as const;
export type StrategyName = (typeof STRATEGY_NAMES)[number];
export const DEFAULT_STRATEGY: StrategyName = 'random';

/** In the order in which they change a plan: those that change what others look at come first. */
export const SWARM_FEATURE_NAMES = [
  'checkpointing/unaligned',
  'checkpointing/aligned-timeout',
  'checkpointing/often',
  'checkpointing/concurrent',
  'checkpointing/pause',
  'checkpointing/retain-more',
  'checkpointing/nothing-inline',
  'checkpointing/compressed',
  'runtime/small-buffers',
  'runtime/few-buffers',
  'runtime/flush-always',
  'runtime/impatient',
  'runtime/restart-all',
  'input/burst',
  'input/more-partitions',
  'input/late-start',
  'cluster/spare-taskmanager',
] as const;
export type SwarmFeatureName = (typeof SWARM_FEATURE_NAMES)[number];

/** What a scenario may leave out. `random` it cannot: that is what it says itself. */
export const SEARCH_NAMES = [
  ...STRATEGY_NAMES.filter((name) => name !== DEFAULT_STRATEGY),
  ...SWARM_FEATURE_NAMES.map((name) => `swarm/${name}` as const),
];
export type SearchName = StrategyName | `swarm/${SwarmFeatureName}`;
