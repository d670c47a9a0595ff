/**
 * The client: a person's hand on the job (Flink: RestClusterClient, the command line's savepoint, stop and cancel).
 *
 * Owns: what was commanded and is not answered yet. Does not own: carrying it out (the leading JobManager's job-operations).
 * It asks every JobManager, of which only the leader answers, and repeats until the answer is final. A command outlives this process.
 * Invariants: I1 a repetition carries the same trigger id; I2 a job that stopped or was canceled is resumed from what that answer named,
 * or from the savepoint its user chose, and from nothing else; and only after the run that this answer was about;
 * I3 a version that could not begin is followed by the one to go back to, from the same snapshot;
 * I4 a job that is to begin with another parallelism is resumed when that is durable;
 * I5 a snapshot that could not be read is asked for again after a while, by another request, until it can.
 */
import { MAIN_MAILBOX, type NodeId } from '../foundation/ids.ts';
import { micros } from '../foundation/time.ts';
import type { Actor, Input, Out, Target } from '../protocol/actor.ts';
import type {
  ClientCommandMessage,
  ClientOperation,
  ClientReply,
  ClientResult,
  ThenResume,
} from '../protocol/client-operations.ts';
import type { EngineMessage } from '../protocol/messages.ts';
import { probe } from '../protocol/probes.ts';

interface Open {
  readonly triggerId: string;
  readonly operation: ClientOperation;
  readonly thenResume: ThenResume | undefined;
  /** Of a `resume`: the version to begin where the one that was asked for cannot. */
  readonly fallBack?: number;
  /** Is asked for when this is answered. */
  readonly next?: Open;
}

/** What a client has in hand; kept by the world, so that a restarted client goes on. */
export class ClientNotebook {
  readonly open = new Map<string, Open>();
  /** Requests that are to be made again. */
  readonly later: Open[] = [];
  /** Savepoints it was told of and has neither disposed of nor given to a run, oldest first. */
  readonly savepoints: string[] = [];
  /** What stops and cancels left and no run has claimed, or may use for ever, oldest first. */
  readonly left: string[] = [];
  /** Number of the last rescale. */
  rescales = 0;
}

export interface ClusterClientOptions {
  readonly jobManagers: readonly NodeId[];
  /** A request that is not answered for good is repeated after this time. */
  readonly repeatAfterUs: number;
  readonly notebook: ClientNotebook;
}

const REPEAT = 'repeat';
const AGAIN = 'again';
/** Somebody reads the error, looks after the storage and tries once more. */
const AGAIN_AFTER_US = micros(5_000_000);

export class ClusterClient implements Actor {
  readonly #options: ClusterClientOptions;
  readonly #jobManagers: readonly Target[];

  constructor(options: ClusterClientOptions) {
    this.#options = options;
    this.#jobManagers = options.jobManagers.map((node) => ({ node, mailbox: MAIN_MAILBOX, via: 'datagram' }));
  }

  handle(input: Input, _nowUs: number, out: Out): void {
    if (input.kind === 'started') this.#askAgain(out);
    if (input.kind === 'timer' && input.timer === AGAIN) return this.#askAgain(out);
    if (input.kind === 'started' || input.kind === 'timer') return this.#askAll(out);
    this.#message(input.message, out);
  }

  #message(message: EngineMessage, out: Out): void {
    if (message.kind === 'client-command') return this.#commanded(message, out);
    if (message.kind === 'client-reply') return this.#answered(message, out);
    out.report({ kind: 'message-discarded', message: message.kind, why: 'not for a client' });
  }

  #commanded({ id, command }: ClientCommandMessage, out: Out): void {
    if (command.kind === 'dispose-savepoint') {
      const location = this.#options.notebook.savepoints.pop();
      if (location === undefined) return probe(out, 'nothing-to-dispose-of');
      return this.#ask({ triggerId: id, operation: { kind: command.kind, location }, thenResume: undefined }, out);
    }
    if (command.kind === 'rescale') return this.#ask(this.#rescale(id, command.parallelism), out);
    if (command.kind === 'savepoint' || command.kind === 'checkpoint')
      return this.#ask({ triggerId: id, operation: command, thenResume: undefined }, out);
    const { thenResume, ...operation } = command;
    this.#ask({ triggerId: id, operation, thenResume }, out);
  }

  #rescale(triggerId: string, parallelism: number): Open {
    this.#options.notebook.rescales += 1;
    const requestId = this.#options.notebook.rescales;
    return { triggerId, operation: { kind: 'rescale', requestId, parallelism }, thenResume: undefined };
  }

  #ask(open: Open, out: Out): void {
    const { triggerId, operation } = open;
    this.#options.notebook.open.set(triggerId, open);
    const location = operation.kind === 'dispose-savepoint' ? operation.location : '';
    out.report({ kind: 'operation-requested', operation: operation.kind, triggerId, location });
    this.#send(open, out);
    out.setTimer(REPEAT, micros(this.#options.repeatAfterUs));
  }

  #askAll(out: Out): void {
    const { open } = this.#options.notebook;
    if (open.size === 0) return;
    for (const one of open.values()) this.#send(one, out);
    out.setTimer(REPEAT, micros(this.#options.repeatAfterUs));
  }

  #send({ triggerId, operation }: Open, out: Out): void {
    for (const target of this.#jobManagers) out.send(target, { kind: 'client-request', triggerId, operation });
  }

  #answered({ triggerId, result }: ClientReply, out: Out): void {
    const { open, savepoints } = this.#options.notebook;
    const asked = open.get(triggerId);
    if (asked === undefined || result.kind === 'in-progress') return;
    open.delete(triggerId);
    const { operation } = asked;
    out.report({
      kind: 'operation-answered',
      operation: operation.kind,
      triggerId,
      outcome: result.kind,
      reason: result.kind === 'failed' ? result.reason : '',
      location: result.location ?? '',
    });
    if (operation.kind === 'savepoint' && result.location !== undefined) savepoints.push(result.location);
    if (asked.thenResume !== undefined) this.#resume(asked, asked.thenResume, result, out);
    if (asked.next !== undefined) this.#ask(asked.next, out);
    if (result.kind === 'failed' && result.isUnreadable === true) this.#later(asked, out);
    else this.#goBack(asked, result, out);
  }

  #later(asked: Open, out: Out): void {
    this.#options.notebook.later.push({ ...asked, triggerId: `${asked.triggerId}+` });
    out.setTimer(AGAIN, AGAIN_AFTER_US);
  }

  #askAgain(out: Out): void {
    const { later } = this.#options.notebook;
    for (const one of later.splice(0)) this.#ask(one, out);
  }

  /** A stop that failed without a savepoint left the job running. */
  #resume({ triggerId, operation }: Open, then: ThenResume, result: ClientResult, out: Out): void {
    const left = result.kind === 'in-progress' ? undefined : result.location;
    const isOver = left !== undefined || (operation.kind === 'cancel' && result.kind === 'done');
    if (!isOver || (then.onlyIfFailed === true && result.kind === 'done')) return;
    const { claimMode, allowNonRestored, backend, fileMerging, version, fallBack, parallelism } = then;
    const location = this.#snapshotFor(then, left);
    const settings = {
      claimMode,
      allowNonRestored,
      ...(backend === undefined ? {} : { backend }),
      ...(fileMerging === undefined ? {} : { fileMerging }),
      ...(version === undefined ? {} : { version }),
    };
    const restore = location === undefined ? {} : { restore: { location, ...settings } };
    const resume = {
      triggerId: `${triggerId}/resume`,
      operation: { kind: 'resume', ...restore, ...after(result) },
      thenResume: undefined,
      ...(fallBack === undefined ? {} : { fallBack }),
    } as const;
    if (parallelism === undefined) return this.#ask(resume, out);
    this.#ask({ ...this.#rescale(`${triggerId}/rescale`, parallelism), next: resume }, out);
  }

  /** What the next run begins from, a savepoint or a retained checkpoint. What it claims, or may use for ever, is its user's no more. */
  #snapshotFor({ from, claimMode }: ThenResume, leftNow: string | undefined): string | undefined {
    const { left, savepoints } = this.#options.notebook;
    if (leftNow !== undefined) left.push(leftNow);
    if (from === 'newest-savepoint') return claimMode === 'no-claim' ? savepoints.at(-1) : savepoints.pop();
    const location = from === 'earliest-left' ? left[0] : leftNow;
    const at = location === undefined ? -1 : left.indexOf(location);
    if (claimMode !== 'no-claim' && at >= 0) left.splice(at, 1);
    return location;
  }

  /** The version could not begin: the one that shall in its place, from the same snapshot. */
  #goBack({ triggerId, operation, fallBack: version }: Open, result: ClientResult, out: Out): void {
    if (operation.kind !== 'resume' || operation.restore === undefined || version === undefined) return;
    if (result.kind !== 'failed') return;
    const back = { ...operation, restore: { ...operation.restore, version }, ...after(result) };
    this.#ask({ triggerId: `${triggerId}/back`, operation: back, thenResume: undefined }, out);
  }
}

/** I2. */
const after = (result: ClientResult): { readonly after?: number } =>
  result.kind === 'in-progress' || result.run === undefined ? {} : { after: result.run };
