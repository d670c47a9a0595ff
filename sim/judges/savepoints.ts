/**
 * What clients are told of: savepoints, and checkpoints that are kept when a run is over.
 *
 * When the client is told, the snapshot is complete and readable, and its state is that of the records before its cut. That its files stay
 * until its user gives it up is judged by retention.ts, that it can be restored at the end by restore-audit.ts.
 *
 * I1: what the engine believes counts for nothing; only what the client was told.
 */
import { metadataIn } from '../../engine/protocol/savepoint-paths.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { CheckpointReader } from './checkpoint-reader.ts';
import type { CutAudit } from './cut-audit.ts';
import { Findings } from './findings.ts';
import { EPISODES_KEPT, forgetOldest } from './forget-oldest.ts';
import { type JobAudit, NOT_COMPARED } from './job-audit.ts';
import type { Judge } from './judge.ts';
import { Margins } from './margins.ts';
import type { Verdict } from './verdict.ts';

const NAME = 'savepoints';
const SAVEPOINT_METADATA = /^(.*\/savepoint-[^/]*)\/_metadata$/;

export interface SavepointsOptions {
  readonly reader: CheckpointReader;
  readonly cuts: CutAudit;
  readonly audit: JobAudit;
  readonly margins?: Margins;
}

type Answered = Extract<HistoryEvent['event'], { readonly kind: 'operation-answered' }>;

export class Savepoints implements Judge {
  readonly name = NAME;
  readonly kinds = ['object-stored', 'operation-answered'] as const;
  readonly anomalies =
    'told-before-durable: the client is told of a savepoint that cannot be restored. savepoint-holds-too-much: its state has records from ' +
    'behind its cut, or one twice. savepoint-wrong: it is not that of the records before its cut in any other way.';
  readonly #options: SavepointsOptions;
  readonly #findings = new Findings(NAME);
  /** By directory of a savepoint nobody was told of yet: when its `_metadata` was stored. */
  readonly #storedUs = new Map<string, number>();
  readonly #margins: Margins;
  #seen = 0;

  constructor(options: SavepointsOptions) {
    this.#options = options;
    this.#margins = options.margins ?? new Margins();
  }

  observe({ event, index: at, atUs }: HistoryEvent): void {
    if (event.kind === 'object-stored') {
      const location = SAVEPOINT_METADATA.exec(event.path)?.[1];
      if (location === undefined) return;
      this.#storedUs.set(location, atUs);
      // Of a savepoint that failed nobody is told; with the time of an older one no finding is lost, but how near it came to one.
      forgetOldest(this.#storedUs, EPISODES_KEPT);
    } else if (event.kind === 'operation-answered') {
      this.#noteDistance(event.location, at, atUs);
      this.#onAnswered(event, at);
    }
  }

  /** Entries of memory; bounded, whatever the length of the life. */
  get remembered(): number {
    return this.#storedUs.size;
  }

  finish(): Verdict[] {
    if (this.#seen === 0) return this.#findings.verdicts('No snapshot was handed out');
    const how = this.#options.audit.stateIsOrderInsensitive ? ' and right' : `; ${NOT_COMPARED}`;
    return this.#findings.verdicts(`${String(this.#seen)} snapshots were handed out, each readable${how}`);
  }

  #noteDistance(location: string, at: number, atUs: number): void {
    const storedUs = this.#storedUs.get(location);
    if (storedUs === undefined) return;
    this.#storedUs.delete(location);
    this.#margins.near('savepoints/told-after-durable', atUs - storedUs, at);
  }

  #onAnswered({ operation, location }: Answered, at: number): void {
    if (location === '' || operation === 'dispose-savepoint') return;
    this.#seen += 1;
    const problem = this.#problemOf(location);
    if (problem !== undefined)
      return this.#findings.violated('told-before-durable', [at], () => `${location}: ${problem}`);
    this.#judgeState(location, at);
  }

  #problemOf(location: string): string | undefined {
    const { reader } = this.#options;
    const path = metadataIn(location);
    const metadata = reader.metadata(path);
    if (metadata.kind === 'unreadable') return metadata.reason;
    const contents = reader.contents({ id: metadata.value.checkpointId, metadata: path });
    return contents.kind === 'unreadable' ? contents.reason : undefined;
  }

  #judgeState(location: string, at: number): void {
    const { reader, cuts, audit } = this.#options;
    const path = metadataIn(location);
    const metadata = reader.metadata(path);
    if (metadata.kind === 'unreadable' || !audit.stateIsOrderInsensitive) return;
    const contents = reader.contents({ id: metadata.value.checkpointId, metadata: path });
    if (contents.kind === 'unreadable') return;
    const difference = cuts.compare(contents.value);
    const { kind, message } =
      difference.kind === 'unreadable' ? { kind: 'other', message: difference.reason } : (difference.value ?? {});
    if (message === undefined) return;
    const anomaly = kind === 'holds-too-much' || kind === 'twice' ? 'savepoint-holds-too-much' : 'savepoint-wrong';
    this.#findings.violated(anomaly, [at], () => `${location}: ${message}`);
  }
}
