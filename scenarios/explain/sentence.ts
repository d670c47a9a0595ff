/** A sentence of an explanation. */
export interface Sentence {
  /** History index; -1: of no single event. */
  readonly at: number;
  readonly atUs: number;
  readonly text: string;
  /** Who points at this event: `judge/anomaly`, or what else it is; absent: nobody. */
  readonly marks?: readonly string[];
}
