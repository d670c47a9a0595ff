/**
 * Named registers as entries of the job's ConfigMap (rows C8, F16, F17; Flink: KubernetesStateHandleStore, KubernetesCheckpointIDCounter).
 *
 * Owns: the translation. A value is the entry of its name, its version the entry `<name>.version`. A change is one conditional update
 * that is computed only while the leader annotation names this candidacy, so that no write of a leader that was replaced takes effect.
 */
import type { Out } from '../protocol/actor.ts';
import type { ConfigMap } from '../protocol/kubernetes-messages.ts';
import type { KubernetesElector } from './kubernetes-elector.ts';
import type { KubernetesLock } from './kubernetes-lock.ts';
import {
  ANY_VERSION,
  type NamedRegisters,
  type RegisterHandler,
  type RegisterReply,
  type RegisterWrite,
  UNKNOWN,
} from './named-registers.ts';
import { probe } from '../protocol/probes.ts';

export interface KubernetesRegistersOptions {
  readonly jobId: string;
  readonly lock: KubernetesLock;
  readonly elector: KubernetesElector;
  readonly fencing: 'by-epoch' | 'none';
}

export class KubernetesRegisters implements NamedRegisters {
  readonly highestCount = Number.MAX_SAFE_INTEGER;
  readonly #options: KubernetesRegistersOptions;
  /** Rises when the open calls are forgotten. */
  #generation = 0;

  constructor(options: KubernetesRegistersOptions) {
    this.#options = options;
  }

  read(name: string, out: Out, handler: RegisterHandler): void {
    const then = this.#unlessForgotten(handler);
    this.#options.lock.read(out, (found, nowUs, replyOut) => {
      if (found.kind === 'unknown') return then(UNKNOWN, nowUs, replyOut);
      then({ outcome: 'done', ...this.#entryOf(found.object, name) }, nowUs, replyOut);
    });
  }

  compareAndSet(write: RegisterWrite, out: Out, then: RegisterHandler): void {
    this.#change(write, { version: write.expectedVersion + 1, value: write.value }, out, then);
  }

  /** Leaves an empty value, so that versions go on. */
  remove(name: string, expectedVersion: number, out: Out, then: RegisterHandler): void {
    this.#change({ name, expectedVersion }, { version: expectedVersion + 1, value: '' }, out, then);
  }

  abandon(_out: Out): void {
    this.#generation += 1;
  }

  #change(
    { name, expectedVersion }: { readonly name: string; readonly expectedVersion: number },
    next: { readonly version: number; readonly value: string },
    out: Out,
    handler: RegisterHandler,
  ): void {
    const then = this.#unlessForgotten(handler);
    const { lock, elector, fencing } = this.#options;
    const mayWrite = (object: ConfigMap): boolean => fencing === 'none' || elector.holds(object);
    const change = (object: ConfigMap): ConfigMap | undefined => {
      const isExpected = expectedVersion === ANY_VERSION || this.#entryOf(object, name).version === expectedVersion;
      if (!mayWrite(object) || !isExpected) return undefined;
      const entry = this.#entryName(name);
      return { ...object, data: { ...object.data, [entry]: next.value, [`${entry}.version`]: String(next.version) } };
    };
    lock.update(change, out, (outcome, nowUs, replyOut) => {
      if (outcome.kind === 'unknown') return then(UNKNOWN, nowUs, replyOut);
      if (outcome.kind === 'stored') return then({ outcome: 'done', ...next }, nowUs, replyOut);
      if (mayWrite(outcome.object))
        return then({ outcome: 'conflict', ...this.#entryOf(outcome.object, name) }, nowUs, replyOut);
      probe(replyOut, 'kubernetes-write-fenced');
      elector.stepDown(nowUs, replyOut);
    });
  }

  #entryOf({ data }: ConfigMap, name: string): Omit<RegisterReply, 'outcome'> {
    const entry = this.#entryName(name);
    return { version: Number(data[`${entry}.version`] ?? 0), value: data[entry] ?? '' };
  }

  /** The object is the job's: `<job>/checkpoints` is its entry `checkpoints`. */
  #entryName(name: string): string {
    return name.slice(this.#options.jobId.length + 1);
  }

  #unlessForgotten(then: RegisterHandler): RegisterHandler {
    const generation = this.#generation;
    return (reply, nowUs, out) => {
      if (generation === this.#generation) then(reply, nowUs, out);
    };
  }
}
