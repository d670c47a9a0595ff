/**
 * Judge 5, for what its users own: savepoints, and checkpoints that were kept when a run was over.
 *
 * Whatever the client was told of is complete and readable, byte for byte, when it is told and until its user gives it up: by
 * asking to dispose of it, or by a restore that claims it. Afterwards a disposed one has left nothing.
 *
 * I1: what the engine believes counts for nothing; only what the client was told.
 * I2: a savepoint nobody was told of is judged by nobody: in Flink, too, one that failed may leave files (decision 0018).
 */
import { decodePointer, pointerKey } from '../../engine/protocol/checkpoint-pointer.ts';
import { directoryOfMetadata } from '../../engine/protocol/savepoint-paths.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { CheckpointReader } from './checkpoint-reader.ts';
import type { CutAudit } from './cut-audit.ts';
import { Findings } from './findings.ts';
import type { JobAudit } from './job-audit.ts';
import type { DurableState, Judge } from './judge.ts';
import type { Verdict } from './verdict.ts';

const NAME = 'savepoints';

export interface SavepointsOptions {
  readonly jobId: string;
  readonly reader: CheckpointReader;
  readonly durable: DurableState;
  readonly cuts: CutAudit;
  readonly audit: JobAudit;
}

type Answered = Extract<HistoryEvent['event'], { readonly kind: 'operation-answered' }>;

export class Savepoints implements Judge {
  readonly name = NAME;
  readonly kinds = ['operation-requested', 'operation-answered', 'coordination-updated'] as const;
  readonly anomalies =
    'told-before-durable: the client is told of a savepoint that cannot be restored. savepoint-lost: one that it was told of ' +
    'and did not give up cannot be restored any more. savepoint-wrong: its state is not that of the records before its cut. ' +
    'disposed-file-remains: a savepoint that was disposed of has left a file.';
  readonly #options: SavepointsOptions;
  readonly #findings = new Findings(NAME);
  readonly #pointerKey: string;
  /** By directory: when the client was told. */
  readonly #told = new Map<string, number>();
  #seen = 0;

  constructor(options: SavepointsOptions) {
    this.#options = options;
    this.#pointerKey = pointerKey(options.jobId);
  }

  observe({ event, index: at }: HistoryEvent): void {
    if (event.kind === 'operation-answered') this.#onAnswered(event, at);
    else if (event.kind === 'operation-requested') this.#told.delete(event.location);
    else if (event.kind === 'coordination-updated' && event.key === this.#pointerKey) this.#onPointer(event.value);
  }

  finish(): Verdict[] {
    for (const [location, toldAt] of this.#told) {
      const problem = this.#problemOf(location);
      if (problem !== undefined) this.#findings.violated('savepoint-lost', [toldAt], () => `${location}: ${problem}`);
    }
    return this.#findings.verdicts(
      `${String(this.#seen)} snapshots were handed out, each restorable as long as it was due`,
    );
  }

  /** What a run was restored from and claims is the job's from then on. */
  #onPointer(value: string): void {
    for (const { owner, metadata } of decodePointer(value).completed)
      if (owner === 'claimed') this.#told.delete(directoryOfMetadata(metadata));
  }

  #onAnswered({ operation, outcome, location }: Answered, at: number): void {
    if (location === '') return;
    if (operation === 'dispose-savepoint') return this.#onDisposed(location, outcome, at);
    this.#seen += 1;
    this.#told.set(location, at);
    const problem = this.#problemOf(location);
    if (problem !== undefined)
      return this.#findings.violated('told-before-durable', [at], () => `${location}: ${problem}`);
    this.#judgeState(location, at);
  }

  #onDisposed(location: string, outcome: Answered['outcome'], at: number): void {
    if (outcome === 'failed') return;
    const left = this.#options.durable.objects().find((path) => path.startsWith(`${location}/`));
    if (left !== undefined) this.#findings.violated('disposed-file-remains', [at], () => `${left} still exists`);
  }

  #problemOf(location: string): string | undefined {
    const { reader } = this.#options;
    const path = `${location}/_metadata`;
    const metadata = reader.metadata(path);
    if (metadata.kind === 'unreadable') return metadata.reason;
    const contents = reader.contents({ id: metadata.value.checkpointId, metadata: path });
    return contents.kind === 'unreadable' ? contents.reason : undefined;
  }

  #judgeState(location: string, at: number): void {
    const { reader, cuts, audit } = this.#options;
    const path = `${location}/_metadata`;
    const metadata = reader.metadata(path);
    if (metadata.kind === 'unreadable' || !audit.stateIsOrderInsensitive) return;
    const contents = reader.contents({ id: metadata.value.checkpointId, metadata: path });
    if (contents.kind === 'unreadable') return;
    const difference = cuts.compare(contents.value);
    const problem = difference.kind === 'unreadable' ? difference.reason : difference.value?.message;
    if (problem !== undefined) this.#findings.violated('savepoint-wrong', [at], () => `${location}: ${problem}`);
  }
}
