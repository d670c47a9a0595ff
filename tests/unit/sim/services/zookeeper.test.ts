/** ZooKeeper as its programmer's guide describes it (rows F13, F14). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import type {
  ZooKeeperCreateMode,
  ZooKeeperOperation,
  ZooKeeperReply,
  ZooKeeperWrite,
} from '../../../../engine/protocol/zookeeper-messages.ts';
import { constant, uniform } from '../../../../sim/kernel/distribution.ts';
import { ZooKeeper, ZooKeeperDisk } from '../../../../sim/services/zookeeper.ts';
import { ServiceHarness } from './service-harness.ts';

const TIMEOUT_US = 4_000_000;
const LATENCY_US = 1_000;

class Bench {
  readonly harness = new ServiceHarness();
  readonly disk = new ZooKeeperDisk();
  readonly #xids = new Map<string, number>();
  readonly #connections = new Map<string, number>();
  readonly #jitter: boolean;

  constructor(jitter = false) {
    this.#jitter = jitter;
    this.start();
  }

  start(): void {
    this.harness.start(
      new ZooKeeper({
        disk: this.disk,
        node: nodeId('zookeeper'),
        latency: this.#jitter ? uniform(0, 10 * LATENCY_US) : constant(LATENCY_US),
        conditions: this.harness.conditions,
        latencySite: this.harness.choices.site('latency'),
        conditionSite: this.harness.choices.site('condition'),
      }),
    );
  }

  send(client: string, operation: ZooKeeperOperation): number {
    const xid = (this.#xids.get(client) ?? 0) + 1;
    this.#xids.set(client, xid);
    if (operation.kind === 'connect') this.#connections.set(client, (this.#connections.get(client) ?? 0) + 1);
    const connection = this.#connections.get(client) ?? 1;
    this.harness.receive({ kind: 'zookeeper-request', connection, xid, operation }, nodeId(client));
    return xid;
  }

  ask(client: string, operation: ZooKeeperOperation): ZooKeeperReply | undefined {
    const xid = this.send(client, operation);
    this.harness.runFor(20 * LATENCY_US);
    return this.replies(client).find((reply) => reply.xid === xid);
  }

  connect(client: string, sessionId = 0): number {
    return this.ask(client, { kind: 'connect', sessionId, timeoutUs: TIMEOUT_US })?.session?.sessionId ?? 0;
  }

  create(client: string, path: string, mode: ZooKeeperCreateMode = 'persistent', data = ''): string | undefined {
    return this.ask(client, { kind: 'create', path, data, mode })?.paths?.[0];
  }

  children(path: string): readonly string[] {
    return this.disk.tree.children(path);
  }

  replies(client: string): ZooKeeperReply[] {
    return this.messages(client).filter((message): message is ZooKeeperReply => message.kind === 'zookeeper-reply');
  }

  messages(client: string) {
    return this.harness.sent.filter(({ to }) => to.node === nodeId(client)).map(({ message }) => message);
  }

  events(client: string): string[] {
    return this.messages(client).flatMap((message) =>
      message.kind === 'zookeeper-watch-event' ? [`${message.type} ${message.path}`] : [],
    );
  }
}

describe('ZooKeeper: nodes', () => {
  it('data and versions: set raises by one, a wrong version changes nothing, -1 matches any', () => {
    const bench = new Bench();
    bench.connect('a');
    expect(bench.create('a', '/n', 'persistent', 'x')).toBe('/n');
    expect(bench.ask('a', { kind: 'create', path: '/n', data: '', mode: 'persistent' })?.code).toBe('node-exists');
    expect(bench.ask('a', { kind: 'set-data', path: '/n', data: 'y', version: 0 })?.stat?.version).toBe(1);
    expect(bench.ask('a', { kind: 'set-data', path: '/n', data: 'z', version: 0 })?.code).toBe('bad-version');
    expect(bench.ask('a', { kind: 'set-data', path: '/n', data: 'z', version: -1 })?.code).toBe('ok');
    expect(bench.ask('a', { kind: 'get-data', path: '/n', watch: false })).toMatchObject({ code: 'ok', data: 'z' });
    expect(bench.ask('a', { kind: 'delete', path: '/n', version: 1 })?.code).toBe('bad-version');
    expect(bench.ask('a', { kind: 'delete', path: '/n', version: 2 })?.code).toBe('ok');
    expect(bench.ask('a', { kind: 'exists', path: '/n', watch: false })?.code).toBe('no-node');
  });

  it('a parent must be there, must be empty to go, and may not be ephemeral', () => {
    const bench = new Bench();
    bench.connect('a');
    expect(bench.ask('a', { kind: 'create', path: '/p/c', data: '', mode: 'persistent' })?.code).toBe('no-node');
    bench.create('a', '/p');
    bench.create('a', '/p/c');
    expect(bench.ask('a', { kind: 'delete', path: '/p', version: -1 })?.code).toBe('not-empty');
    bench.create('a', '/e', 'ephemeral');
    const below = bench.ask('a', { kind: 'create', path: '/e/c', data: '', mode: 'persistent' });
    expect(below?.code).toBe('no-children-for-ephemerals');
  });

  it('sequential names rise, with ten digits, and no number comes back when its node goes', () => {
    const bench = new Bench();
    bench.connect('a');
    bench.create('a', '/q');
    expect(bench.create('a', '/q/n-', 'persistent-sequential')).toBe('/q/n-0000000000');
    expect(bench.create('a', '/q/n-', 'ephemeral-sequential')).toBe('/q/n-0000000001');
    bench.ask('a', { kind: 'delete', path: '/q/n-0000000001', version: -1 });
    expect(bench.create('a', '/q/m-', 'ephemeral-sequential')).toBe('/q/m-0000000002');
  });

  it('a multi happens as a whole or not at all, and names what failed', () => {
    const bench = new Bench();
    bench.connect('a');
    bench.create('a', '/n', 'persistent', 'x');
    const set: ZooKeeperWrite = { kind: 'set-data', path: '/n', data: 'y', version: 0 };
    const failed = bench.ask('a', { kind: 'multi', operations: [set, { kind: 'check', path: '/gone', version: 0 }] });
    expect(failed).toMatchObject({ code: 'no-node', failed: 1 });
    expect(bench.disk.tree.node('/n')).toMatchObject({ data: 'x', stat: { version: 0 } });
    const zxid = bench.disk.tree.zxid;
    const done = bench.ask('a', { kind: 'multi', operations: [{ kind: 'check', path: '/n', version: 0 }, set] });
    expect(done?.code).toBe('ok');
    expect(bench.disk.tree.zxid).toBe(zxid + 1);
  });
});

describe('ZooKeeper: sessions', () => {
  it('F14: silence for the time-out ends a session; its ephemeral nodes go, its client learns it when it is back', () => {
    const bench = new Bench();
    const session = bench.connect('a');
    bench.connect('b');
    bench.create('a', '/e', 'ephemeral');
    bench.create('a', '/p');
    for (let waited = 0; waited < 2 * TIMEOUT_US; waited += TIMEOUT_US / 4) {
      bench.ask('b', { kind: 'ping' });
      bench.harness.runFor(TIMEOUT_US / 4);
    }
    expect(bench.harness.eventsOf('session-ended')).toMatchObject([{ session, owner: 'a', why: 'timeout' }]);
    expect(bench.children('/')).toEqual(['p']);
    const again = bench.ask('a', { kind: 'connect', sessionId: session, timeoutUs: TIMEOUT_US });
    expect(again?.code).toBe('session-expired');
    expect(bench.connect('a')).not.toBe(session);
  });

  it('F14: a session outlives its connection: who is back in time keeps its nodes', () => {
    const bench = new Bench();
    const session = bench.connect('a');
    bench.create('a', '/e', 'ephemeral');
    bench.harness.receive({ kind: 'connection-lost', peer: nodeId('a') });
    bench.harness.runFor(TIMEOUT_US / 2);
    expect(bench.connect('a', session)).toBe(session);
    bench.harness.runFor(TIMEOUT_US / 2);
    expect(bench.children('/')).toEqual(['e']);
  });

  it('a crash of the server: nodes and sessions are there, with their full time again; connections are not', () => {
    const bench = new Bench();
    const session = bench.connect('a');
    bench.create('a', '/e', 'ephemeral');
    bench.harness.runFor(TIMEOUT_US - 1_000_000);
    bench.start();
    bench.send('a', { kind: 'ping' });
    expect(bench.messages('a').at(-1)?.kind).toBe('zookeeper-closed');
    bench.harness.runFor(TIMEOUT_US - 1_000_000);
    expect(bench.children('/')).toEqual(['e']);
    expect(bench.connect('a', session)).toBe(session);
  });

  it('a session that is closed ends at once', () => {
    const bench = new Bench();
    bench.connect('a');
    bench.create('a', '/e', 'ephemeral');
    expect(bench.ask('a', { kind: 'close' })?.code).toBe('ok');
    expect(bench.children('/')).toEqual([]);
  });

  it('session-expiry: a session that is heard of ends, and the connection with it', () => {
    const bench = new Bench();
    bench.connect('a');
    bench.create('a', '/e', 'ephemeral');
    bench.harness.affect('f', 'session-expiry');
    expect(bench.ask('a', { kind: 'set-data', path: '/e', data: 'late', version: 0 })).toBeUndefined();
    expect(bench.children('/')).toEqual([]);
    expect(bench.messages('a').at(-1)?.kind).toBe('zookeeper-closed');
    expect(bench.harness.effective).toEqual(['f']);
  });

  it('a newer connection ends the older: what still comes over it is not heard', () => {
    const bench = new Bench();
    const session = bench.connect('a');
    bench.connect('a', session);
    const old = { kind: 'create', path: '/old', data: '', mode: 'persistent' } as const;
    bench.harness.receive({ kind: 'zookeeper-request', connection: 1, xid: 99, operation: old }, nodeId('a'));
    bench.harness.runFor(TIMEOUT_US / 4);
    expect(bench.children('/')).toEqual([]);
  });

  it.each([
    ['unknown-outcome', ['n']],
    ['fail', []],
    ['unavailable', []],
  ] as const)('%s: the connection ends without an answer', (effect, left) => {
    const bench = new Bench();
    bench.connect('a');
    bench.harness.affect('f', effect);
    expect(bench.create('a', '/n')).toBeUndefined();
    expect(bench.children('/')).toEqual(left);
    expect(bench.messages('a').at(-1)?.kind).toBe('zookeeper-closed');
  });
});

describe('ZooKeeper: watches', () => {
  it('fire once, and before the reply of what its own client does next', () => {
    const bench = new Bench();
    bench.connect('a');
    bench.connect('b');
    bench.create('a', '/n');
    bench.ask('b', { kind: 'get-data', path: '/n', watch: true });
    bench.ask('a', { kind: 'set-data', path: '/n', data: '1', version: -1 });
    bench.ask('a', { kind: 'set-data', path: '/n', data: '2', version: -1 });
    bench.ask('b', { kind: 'get-data', path: '/n', watch: true });
    expect(bench.events('b')).toEqual(['node-data-changed /n']);
    bench.ask('b', { kind: 'delete', path: '/n', version: -1 });
    expect(bench.messages('b').slice(-2)).toMatchObject([
      { kind: 'zookeeper-watch-event', type: 'node-deleted' },
      { kind: 'zookeeper-reply' },
    ]);
  });

  it('exists watches what is not there yet, get-data does not; children are watched by their parent', () => {
    const bench = new Bench();
    bench.connect('a');
    bench.connect('b');
    expect(bench.ask('b', { kind: 'get-data', path: '/n', watch: true })?.code).toBe('no-node');
    bench.create('a', '/n');
    expect(bench.events('b')).toEqual([]);
    bench.ask('b', { kind: 'exists', path: '/n/c', watch: true });
    bench.ask('b', { kind: 'get-children', path: '/n', watch: true });
    bench.create('a', '/n/c');
    expect(bench.events('b')).toEqual(['node-created /n/c', 'node-children-changed /n']);
  });

  it('are lost with the connection', () => {
    const bench = new Bench();
    bench.connect('a');
    const session = bench.connect('b');
    bench.create('a', '/n');
    bench.ask('b', { kind: 'get-data', path: '/n', watch: true });
    bench.connect('b', session);
    bench.ask('a', { kind: 'delete', path: '/n', version: -1 });
    expect(bench.events('b')).toEqual([]);
  });

  it('F14: the end of a session is told to who watches its nodes', () => {
    const bench = new Bench();
    bench.connect('a');
    bench.connect('b');
    bench.create('a', '/e', 'ephemeral');
    bench.ask('b', { kind: 'get-data', path: '/e', watch: true });
    bench.ask('a', { kind: 'close' });
    expect(bench.events('b')).toEqual(['node-deleted /e']);
  });
});

/* ---- against a plain model ---- */

const PATHS = ['/a', '/b', '/a/x', '/a/y'];
const path = fc.constantFrom(...PATHS);
const version = fc.integer({ min: -1, max: 2 });
const write: fc.Arbitrary<ZooKeeperWrite> = fc.oneof(
  fc.record({
    kind: fc.constant('create' as const),
    path,
    data: fc.string({ maxLength: 2 }),
    mode: fc.constantFrom<ZooKeeperCreateMode>('persistent', 'ephemeral'),
  }),
  fc.record({ kind: fc.constant('set-data' as const), path, data: fc.string({ maxLength: 2 }), version }),
  fc.record({ kind: fc.constantFrom('delete' as const, 'check' as const), path, version }),
);
const step = fc.record({
  client: fc.constantFrom('a', 'b'),
  what: fc.oneof(
    { weight: 6, arbitrary: write },
    {
      weight: 3,
      arbitrary: fc
        .array(write, { minLength: 1, maxLength: 3 })
        .map((operations) => ({ kind: 'multi' as const, operations })),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'close' as const }) },
  ),
});

interface Plain {
  data: string;
  version: number;
  owner: string;
}

/** The same tree as a map, in the plainest way. */
class Model {
  nodes = new Map<string, Plain>();

  apply(operations: readonly ZooKeeperWrite[], client: string): string {
    const before = new Map([...this.nodes].map(([name, node]) => [name, { ...node }]));
    for (const operation of operations) {
      const code = this.#one(operation, client);
      if (code === 'ok') continue;
      this.nodes = before;
      return code;
    }
    return 'ok';
  }

  end(client: string): void {
    for (const [name, { owner }] of [...this.nodes]) if (owner === client) this.nodes.delete(name);
  }

  #one(operation: ZooKeeperWrite, client: string): string {
    const node = this.nodes.get(operation.path);
    if (operation.kind === 'create') {
      const parent = operation.path.slice(0, operation.path.lastIndexOf('/'));
      const above = this.nodes.get(parent);
      if (parent !== '' && above === undefined) return 'no-node';
      if (above !== undefined && above.owner !== '') return 'no-children-for-ephemerals';
      if (node !== undefined) return 'node-exists';
      this.nodes.set(operation.path, {
        data: operation.data,
        version: 0,
        owner: operation.mode === 'ephemeral' ? client : '',
      });
      return 'ok';
    }
    if (node === undefined) return 'no-node';
    if (operation.version !== -1 && operation.version !== node.version) return 'bad-version';
    if (operation.kind === 'set-data') {
      node.data = operation.data;
      node.version += 1;
    }
    if (operation.kind === 'delete') {
      if ([...this.nodes.keys()].some((name) => name.startsWith(`${operation.path}/`))) return 'not-empty';
      this.nodes.delete(operation.path);
    }
    return 'ok';
  }
}

it('ZooKeeper: two clients that do anything see what a plain map would show them', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const bench = new Bench(true);
      const model = new Model();
      for (const client of ['a', 'b']) bench.connect(client);
      for (const { client, what } of steps) {
        const reply = bench.ask(client, what);
        if (what.kind === 'close') {
          model.end(client);
          bench.connect(client);
          continue;
        }
        const operations = what.kind === 'multi' ? what.operations : [what];
        expect(reply?.code).toBe(model.apply(operations, client));
      }
      for (const name of PATHS) {
        const plain = model.nodes.get(name);
        const node = bench.disk.tree.node(name);
        expect(node?.data).toBe(plain?.data);
        expect(node?.stat.version).toBe(plain?.version);
      }
    }),
    { numRuns: 150, seed: 20_191_212 },
  );
});

it('ZooKeeper: requests sent at once are answered in their order, each seeing what was before it', () => {
  const bench = new Bench(true);
  bench.connect('a');
  bench.create('a', '/n');
  const xids = Array.from({ length: 20 }, (_, n) =>
    bench.send('a', { kind: 'set-data', path: '/n', data: `${n}`, version: n }),
  );
  bench.harness.runFor(400 * LATENCY_US);
  const replies = bench.replies('a').slice(-20);
  expect(replies.map(({ xid }) => xid)).toEqual(xids);
  expect(new Set(replies.map(({ code }) => code))).toEqual(new Set(['ok']));
});
