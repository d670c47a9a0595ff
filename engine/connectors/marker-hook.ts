/**
 * The master hook of a source that stops at markers (row C25; Flink: a MasterTriggerRestoreHook as the Pravega connector has it): it tells
 * the log of each checkpoint, which then puts a marker into each partition, and keeps where the markers lie.
 *
 * Owns: the command that was given last. Does not own: what readers do with a marker (log-source.ts, induced-checkpoints.ts).
 * Invariants:
 *   I1 commands are numbered, and one is repeated until it is answered or the next is given: of two on their way the log heeds the later;
 *   I2 after a restore markers of before are taken back, at the latest with the next marker: their checkpoints are over. Until then a
 *      reader may come upon one, and must not believe it.
 */
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import { RequestClient } from '../clients/request-client.ts';
import type { Micros } from '../foundation/time.ts';
import type { SourceSpec } from '../job/job-graph.ts';
import type { HookDone, MasterHookHost, MasterTriggerRestoreHook } from '../job/master-hook.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineMessage, LogMark, LogMarked } from '../protocol/messages.ts';
import { encodeSourceOffsets } from './operator-state-rows.ts';

type Command = Pick<LogMark, 'sequence' | 'checkpointId'> & { readonly done: HookDone | undefined };

export class MarkerHook implements MasterTriggerRestoreHook {
  readonly #source: Pick<SourceSpec, 'partitions'> & { readonly uid: string };
  readonly #host: MasterHookHost;
  readonly #client: RequestClient<LogMarked>;
  readonly #later = new DelayedCalls();
  #current: Command | undefined;
  /** The log has not confirmed yet that it took markers of before back. */
  #owesTakingBack = false;

  constructor(source: Pick<SourceSpec, 'partitions'> & { readonly uid: string }, host: MasterHookHost) {
    this.#source = source;
    this.#host = host;
    this.#client = new RequestClient({
      node: host.services.log,
      via: 'datagram',
      name: `mark/${source.uid}`,
      timeoutUs: host.requestTimeoutUs,
      firstRequestId: host.firstRequestId,
    });
  }

  triggerCheckpoint({ checkpointId }: { readonly checkpointId: number }, out: Out, done: HookDone): void {
    this.#give(checkpointId, done, out);
  }

  restoreCheckpoint(_checkpointId: number, _state: Uint8Array | undefined, out: Out): void {
    this.#takeBack(out);
  }

  reset(out: Out): void {
    this.#takeBack(out);
  }

  handleMessage(message: EngineMessage, nowUs: Micros, out: Out): boolean {
    if (message.kind !== 'log-marked' || message.group !== this.#source.uid) return false;
    this.#client.handleReply(message, nowUs, out);
    return true;
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#client.handleTimer(timer, nowUs, out) || this.#later.handleTimer(timer, nowUs, out);
  }

  #takeBack(out: Out): void {
    this.#owesTakingBack = true;
    this.#give(0, undefined, out);
  }

  /** I1: whatever was given before is over. A checkpoint that waited for it was aborted, or it would not be time for the next. */
  #give(checkpointId: number, done: HookDone | undefined, out: Out): void {
    this.#client.abandon(out);
    this.#current = { sequence: this.#host.nextSequence(), checkpointId, done };
    this.#send(this.#current, out);
  }

  #send(command: Command, out: Out): void {
    const { uid: group, partitions } = this.#source;
    const { sequence, checkpointId } = command;
    const requestId = this.#client.nextRequestId;
    const { epoch } = this.#host;
    const of = { kind: 'log-mark', requestId, group, epoch, sequence, partitions } as const;
    this.#client.send({ ...of, checkpointId, takesBack: this.#owesTakingBack }, out, (reply, nowUs, replyOut) =>
      this.#answered(command, reply, nowUs, replyOut),
    );
  }

  #answered(command: Command, reply: LogMarked | undefined, nowUs: Micros, out: Out): void {
    const outcome = reply?.outcome;
    if (outcome === undefined) return this.#send(command, out);
    if (outcome === 'unavailable') {
      const name = `mark/${this.#source.uid}`;
      return this.#later.after(retryDelayUs(this.#host.requestTimeoutUs), name, out, (_nowUs, lateOut) => {
        if (this.#current === command) this.#send(command, lateOut);
      });
    }
    const isDone = outcome === 'done';
    if (isDone) this.#owesTakingBack = false;
    const offsets = reply?.offsets ?? [];
    const rows = this.#source.partitions.map((partition, index) => ({ partition, offset: offsets[index] ?? 0 }));
    // Another one leads: it has told the log so.
    command.done?.(isDone ? encodeSourceOffsets(rows) : undefined, nowUs, out);
  }
}
