/**
 * The decisions of the Kafka-like cluster that exactly-once rests on, at one seam: a mutant is a cluster, or a reader of it, that answers one
 * of them wrongly (group J of bugs.md).
 */
export interface BrokerRules {
  /** Whether a transaction that timed out takes its producer's epoch with it (KAFKA-6119). */
  readonly timeoutFences: boolean;
  /** Whether a request of this epoch speaks for a producer whose epoch is `current` (KAFKA-9600). */
  epochMatches(requested: number, current: number): boolean;
  /** How far readers of committed records read: not beyond the first record that is undecided. */
  readonly readersStopAt: 'last-stable-offset' | 'high-watermark';
  /** Whether a leader asks the coordinator if a transaction is going on before it opens it in its partition (KIP-890). */
  readonly verifiesAppends: boolean;
}

export const standardBrokerRules: BrokerRules = {
  timeoutFences: true,
  epochMatches: (requested, current) => requested === current,
  readersStopAt: 'last-stable-offset',
  verifiesAppends: true,
};
