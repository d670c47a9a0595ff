/**
 * An outside system with a position of its own that has to go back with the job: a ledger, which gives each checkpoint the next number. Its master
 * hook (rows C18, C25) has a number given when a checkpoint is triggered, keeps it in the checkpoint, and sets the ledger back to it at a
 * restore, as a connector does that tells its outside system to begin again from a checkpoint (Pravega: ReaderCheckpointHook).
 *
 * Owns: the commands of one leader that are not done yet. Does not own: whether the ledger is right (sim/judges/ledgers.ts).
 * Invariants:
 *   I1 commands are carried out one at a time and in order; a restore drops those before it, whose checkpoints are over;
 *   I2 a command whose outcome is unknown is looked for before it is repeated: an entry names leader and command, so none is carried out twice;
 *   I3 a ledger that a later leader has written into is left alone.
 */
import { DelayedCalls, retryDelayUs } from '../../engine/clients/delayed-calls.ts';
import type { Micros } from '../../engine/foundation/time.ts';
import type {
  HookDone,
  MasterHookHost,
  MasterHookSpec,
  MasterTriggerRestoreHook,
} from '../../engine/job/master-hook.ts';
import type { Out } from '../../engine/protocol/actor.ts';
import type { AuditedLedger } from '../../sim/judges/job-audit.ts';
import {
  decodeLedgerEntry,
  decodeLedgerState,
  encodeLedgerEntry,
  encodeLedgerState,
  type LedgerEntry,
} from '../../sim/judges/ledger-entry.ts';

interface Command extends Pick<LedgerEntry, 'sequence' | 'what' | 'checkpointId'> {
  /** What the ledger says then, by what it says now. */
  readonly next: (number: number) => number;
  readonly done?: HookDone;
}

class LedgerHook implements MasterTriggerRestoreHook {
  readonly #ledger: AuditedLedger;
  readonly #host: MasterHookHost;
  readonly #later = new DelayedCalls();
  /** The first is being carried out. */
  #commands: Command[] = [];

  constructor(ledger: AuditedLedger, host: MasterHookHost) {
    this.#ledger = ledger;
    this.#host = host;
  }

  triggerCheckpoint(
    { checkpointId, nowUs }: { readonly checkpointId: number; readonly nowUs: Micros },
    out: Out,
    done: HookDone,
  ): void {
    if (this.#ledger.refuses(checkpointId)) return done(undefined, nowUs, out);
    const sequence = this.#host.nextSequence();
    this.#commands.push({ sequence, what: 'numbered', checkpointId, next: (number) => number + 1, done });
    if (this.#commands.length === 1) this.#carryOut(out);
  }

  restoreCheckpoint(checkpointId: number, state: Uint8Array | undefined, out: Out): void {
    const number = state === undefined ? undefined : decodeLedgerState(state);
    // What the checkpoint does not say, nobody can make up: the ledger begins anew.
    this.#setBack(checkpointId, number ?? 0, out);
  }

  reset(out: Out): void {
    this.#setBack(0, 0, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  #setBack(checkpointId: number, number: number, out: Out): void {
    this.#commands = [{ sequence: this.#host.nextSequence(), what: 'set-back', checkpointId, next: () => number }];
    this.#carryOut(out);
  }

  #carryOut(out: Out): void {
    const [command] = this.#commands;
    if (command === undefined) return;
    const { key } = this.#ledger;
    const { epoch, registers } = this.#host;
    registers.read(key, out, (found, nowUs, foundOut) => {
      if (this.#commands[0] !== command) return;
      if (found.outcome === 'unknown') return this.#again(command, foundOut);
      const last = decodeLedgerEntry(found.value);
      if (last !== undefined && last.epoch > epoch) return this.#giveUp(nowUs, foundOut);
      if (last?.epoch === epoch && last.sequence === command.sequence)
        return this.#done(command, last.number, nowUs, foundOut);
      const { sequence, what, checkpointId } = command;
      const number = command.next(last?.number ?? 0);
      const value = encodeLedgerEntry({ epoch, sequence, what, checkpointId, number });
      registers.compareAndSet(
        { name: key, expectedVersion: found.version, value },
        foundOut,
        (reply, setUs, setOut) => {
          if (this.#commands[0] !== command) return;
          if (reply.outcome === 'done') this.#done(command, number, setUs, setOut);
          else this.#again(command, setOut);
        },
      );
    });
  }

  #again(command: Command, out: Out): void {
    const name = `ledger/${this.#ledger.identifier}`;
    this.#later.after(retryDelayUs(this.#host.requestTimeoutUs), name, out, (_nowUs, lateOut) => {
      if (this.#commands[0] === command) this.#carryOut(lateOut);
    });
  }

  #done({ done }: Command, number: number, nowUs: Micros, out: Out): void {
    this.#commands.shift();
    done?.(encodeLedgerState(number), nowUs, out);
    this.#carryOut(out);
  }

  /** I3. */
  #giveUp(nowUs: Micros, out: Out): void {
    const given = this.#commands;
    this.#commands = [];
    for (const { done } of given) done?.(undefined, nowUs, out);
  }
}

export const ledgerHook = (ledger: AuditedLedger): MasterHookSpec => ({
  identifier: ledger.identifier,
  create: (host) => new LedgerHook(ledger, host),
});
