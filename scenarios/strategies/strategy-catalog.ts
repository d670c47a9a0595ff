/** The strategies by name: an explicit list. What each of them finds is measured in docs/mutants.md and told in docs/search.md. */
import { crashEverywhere } from './crash-everywhere.ts';
import { lineage } from './lineage.ts';
import { novelty } from './novelty.ts';
import { pct } from './pct.ts';
import { random, type Strategy } from './strategy.ts';
import type { StrategyName } from './strategy-names.ts';
import { swarm } from './swarm-features.ts';

const STRATEGIES: Readonly<Record<StrategyName, Strategy>> = {
  random,
  swarm,
  pct,
  novelty,
  crashpoints: crashEverywhere,
  lineage,
};

export const strategyNamed = (name: StrategyName): Strategy => STRATEGIES[name];
