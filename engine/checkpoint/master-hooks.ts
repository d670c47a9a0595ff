/**
 * All master hooks of a job in the life of its checkpoints (rows C1, C18, C25; Flink: MasterHooks).
 *
 * Owns: the conjunction of their triggers, and who is given which state. Does not own: what a hook does (the job).
 * Invariants:
 *   I1 hooks are triggered in the order of the job, and the checkpoint goes on when all have answered; the first that fails, fails it;
 *   I2 state finds its hook by name, whatever the order; a hook without state is told so.
 */
import type { CheckpointId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { MasterHookHost, MasterHookSpec, MasterTriggerRestoreHook } from '../job/master-hook.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineMessage } from '../protocol/messages.ts';
import type { CheckpointMetadata, MasterState } from '../protocol/metadata-file.ts';

/** Undefined: one of them failed. */
export type HookStatesDone = (states: readonly MasterState[] | undefined, nowUs: Micros, out: Out) => void;

interface NamedHook {
  readonly identifier: string;
  readonly hook: MasterTriggerRestoreHook;
}

export class MasterHooks {
  readonly #hooks: readonly NamedHook[];
  readonly #failedHook: EngineParts['failedHook'];

  constructor(hooks: readonly NamedHook[] = [], failedHook: EngineParts['failedHook'] = 'fails-checkpoint') {
    this.#hooks = hooks;
    this.#failedHook = failedHook;
  }

  /** False: no hook waits for it. */
  handleMessage(message: EngineMessage, nowUs: Micros, out: Out): boolean {
    return this.#hooks.some(({ hook }) => hook.handleMessage?.(message, nowUs, out) === true);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#hooks.some(({ hook }) => hook.handleTimer?.(timer, nowUs, out) === true);
  }

  trigger(at: { readonly checkpointId: CheckpointId; readonly nowUs: Micros }, out: Out, done: HookStatesDone): void {
    const states: (MasterState | undefined)[] = this.#hooks.map(() => undefined);
    let missing = this.#hooks.length;
    if (missing === 0) return done([], at.nowUs, out);
    for (const [index, { identifier, hook }] of this.#hooks.entries()) {
      hook.triggerCheckpoint(at, out, (bytes, nowUs, doneOut) => {
        if (missing <= 0 || states[index] !== undefined) return;
        if (bytes === undefined && this.#failedHook === 'fails-checkpoint') {
          missing = 0;
          return done(undefined, nowUs, doneOut);
        }
        if (bytes !== undefined) states[index] = { identifier, bytes };
        missing -= 1;
        if (missing === 0)
          done(
            states.filter((state) => state !== undefined),
            nowUs,
            doneOut,
          );
      });
      if (missing <= 0) return;
    }
  }

  /** Undefined: there is no checkpoint. State that nobody here knows was given up when the job began (`unmatchedHookState`). */
  restore(metadata: CheckpointMetadata | undefined, out: Out): void {
    for (const { identifier, hook } of this.#hooks) {
      if (metadata === undefined) hook.reset?.(out);
      else {
        const kept = metadata.masterStates?.find((state) => state.identifier === identifier);
        hook.restoreCheckpoint(metadata.checkpointId, kept?.bytes, out);
      }
    }
  }
}

/** Of a job, made anew for each job master. */
export function masterHooksOf(
  specs: readonly MasterHookSpec[],
  host: MasterHookHost,
  failedHook?: EngineParts['failedHook'],
): MasterHooks {
  const hooks = specs.map((spec) => ({ identifier: spec.identifier, hook: spec.create(host) }));
  return new MasterHooks(hooks, failedHook);
}

/** The first hook whose state is in the checkpoint and that the job does not have; undefined: there is none. */
export function unmatchedHookState(
  specs: readonly MasterHookSpec[] | undefined,
  { masterStates = [] }: Pick<CheckpointMetadata, 'masterStates'>,
): string | undefined {
  const known = new Set(specs?.map(({ identifier }) => identifier));
  return masterStates.find(({ identifier }) => !known.has(identifier))?.identifier;
}
