/**
 * A table that readers look at while it is written: rows by key, each with a version (a database with ON CONFLICT DO UPDATE).
 *
 * Owns: the rows, latency and replies. Does not own: what a version means to the writer. Asked over datagrams.
 *
 * I1: a request takes effect all at once, when its latency has passed, at the same instant as the reply;
 * I2: asked to replace older rows only, it leaves a row of the same or a higher version as it is; the reply is the same;
 * I3: every row that readers find different is reported, in the order in which it changes.
 */
import type { Input } from '../../engine/protocol/actor.ts';
import type { SinkReply, TableRow, TableUpsert } from '../../engine/protocol/messages.ts';
import type { Lineage, RecordValue } from '../../engine/protocol/stream-elements.ts';
import type { ChoiceSite } from '../kernel/choice.ts';
import { type Distribution, sampleUs } from '../kernel/distribution.ts';
import { PendingRequests } from './pending-requests.ts';
import { ReplyTargets } from './reply-targets.ts';
import type { ServiceActor, ServiceOut } from './service-actor.ts';
import type { ServiceConditions } from './service-conditions.ts';

/** What outlives the node: rows by table and key. */
export class TableDisk {
  readonly #tables = new Map<string, Map<string, TableRow>>();

  rowsOf(table: string): readonly TableRow[] {
    return [...(this.#tables.get(table)?.values() ?? [])];
  }

  /** The rows that changed (I2). */
  upsert({ table: name, rows, replaces }: Pick<TableUpsert, 'table' | 'rows' | 'replaces'>): readonly TableRow[] {
    let table = this.#tables.get(name);
    if (table === undefined) {
      table = new Map();
      this.#tables.set(name, table);
    }
    const changed: TableRow[] = [];
    for (const row of rows) {
      const before = table.get(row.key);
      if (replaces === 'older' && before !== undefined && before.version >= row.version) continue;
      table.set(row.key, row);
      changed.push(row);
    }
    return changed;
  }
}

export interface TableStoreOptions {
  readonly disk: TableDisk;
  readonly latency: Distribution;
  readonly conditions: ServiceConditions;
  readonly latencySite: ChoiceSite;
  readonly conditionSite: ChoiceSite;
}

export class TableStore implements ServiceActor {
  readonly #options: TableStoreOptions;
  readonly #pending: PendingRequests<TableUpsert>;
  readonly #targets = new ReplyTargets('datagram');

  constructor(options: TableStoreOptions) {
    this.#options = options;
    this.#pending = new PendingRequests(options.conditions, options.conditionSite);
  }

  handle(input: Input, _nowUs: number, out: ServiceOut): void {
    if (input.kind === 'timer') this.#finish(input.timer, out);
    if (input.kind !== 'message') return;
    const { message, from, fromMailbox } = input;
    if (message.kind !== 'table-upsert') {
      out.report({ kind: 'message-discarded', message: message.kind, why: 'not for a table' });
      return;
    }
    const target = this.#targets.of(from, fromMailbox);
    const latencyUs = sampleUs(this.#options.latency, this.#options.latencySite);
    if (!this.#pending.admit({ request: message, from, target, latencyUs }, out))
      out.send(target, replyTo(message, 'unavailable'));
  }

  #finish(timer: string, out: ServiceOut): void {
    const pending = this.#pending.take(timer);
    if (pending === undefined) return;
    const { request, target, effect } = pending;
    if (effect === 'fail') return out.send(target, replyTo(request, 'unavailable'));
    const values: RecordValue[] = [];
    const lineages: Lineage[] = [];
    for (const { value, lineage } of this.#options.disk.upsert(request)) {
      values.push(value);
      lineages.push(lineage);
    }
    if (values.length > 0) out.report({ kind: 'output-appended', producer: request.table, values, lineages });
    if (effect !== 'unknown-outcome') out.send(target, replyTo(request, 'done'));
  }
}

const replyTo = ({ requestId }: TableUpsert, outcome: SinkReply['outcome']): SinkReply => ({
  kind: 'sink-reply',
  requestId,
  outcome,
});
