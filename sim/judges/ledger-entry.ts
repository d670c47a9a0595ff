/**
 * What an outside ledger says last: which checkpoint was given which number, or to which number it was set back. The words of a job that has one
 * and of the judge that reads it.
 */

export interface LedgerEntry {
  /** Of the leader whose hook wrote it, and which of its commands it was: nobody else writes the same two. */
  readonly epoch: number;
  readonly sequence: number;
  /** `numbered`: this checkpoint was triggered and given the number. `set-back`: the job restored this checkpoint; 0: it began from nothing. */
  readonly what: 'numbered' | 'set-back';
  readonly checkpointId: number;
  readonly number: number;
}

export const encodeLedgerEntry = ({ epoch, sequence, what, checkpointId, number }: LedgerEntry): string =>
  [epoch, sequence, what, checkpointId, number].join(' ');

/** Undefined: nothing was ever written. */
export function decodeLedgerEntry(text: string): LedgerEntry | undefined {
  const [epoch, sequence, what, checkpointId, number] = text.split(' ');
  if (what !== 'numbered' && what !== 'set-back') return undefined;
  return {
    epoch: Number(epoch),
    sequence: Number(sequence),
    what,
    checkpointId: Number(checkpointId),
    number: Number(number),
  };
}

/** What a hook keeps in a checkpoint: the number, as text. */
export const encodeLedgerState = (number: number): Uint8Array =>
  Uint8Array.from(String(number), (digit) => digit.charCodeAt(0));

/** Undefined: this is no such number. */
export function decodeLedgerState(bytes: Uint8Array): number | undefined {
  const text = String.fromCharCode(...bytes);
  return /^\d+$/.test(text) ? Number(text) : undefined;
}
