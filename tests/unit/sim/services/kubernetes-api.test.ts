/** The Kubernetes API server, as far as ConfigMaps go (row F13). */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import type {
  ConfigMap,
  KubernetesOperation,
  KubernetesReply,
} from '../../../../engine/protocol/kubernetes-messages.ts';
import { constant, uniform } from '../../../../sim/kernel/distribution.ts';
import { KubernetesApi, KubernetesDisk } from '../../../../sim/services/kubernetes-api.ts';
import { CLIENT, ServiceHarness } from './service-harness.ts';

const LATENCY_US = 1_000;

class Bench {
  readonly harness = new ServiceHarness();
  readonly disk = new KubernetesDisk();
  readonly #jitter: boolean;
  #requestId = 0;

  constructor(jitter = false) {
    this.#jitter = jitter;
    this.start();
  }

  start(): void {
    this.harness.start(
      new KubernetesApi({
        disk: this.disk,
        latency: this.#jitter ? uniform(0, 5 * LATENCY_US) : constant(LATENCY_US),
        conditions: this.harness.conditions,
        latencySite: this.harness.choices.site('latency'),
        conditionSite: this.harness.choices.site('condition'),
      }),
    );
  }

  ask(operation: KubernetesOperation, client = CLIENT): KubernetesReply | undefined {
    this.#requestId += 1;
    const requestId = this.#requestId;
    this.harness.receive({ kind: 'kubernetes-request', requestId, operation }, client);
    this.harness.runFor(10 * LATENCY_US);
    return this.harness.sent
      .map(({ message }) => message)
      .find(
        (message): message is KubernetesReply => message.kind === 'kubernetes-reply' && message.requestId === requestId,
      );
  }

  put(data: Record<string, string>, resourceVersion: number): KubernetesReply | undefined {
    return this.ask({ verb: resourceVersion === 0 ? 'create' : 'update', object: map(data, resourceVersion) });
  }

  events(): string[] {
    return this.harness.sent.flatMap(({ message }) =>
      message.kind === 'kubernetes-watch-event' ? [`${message.type} ${message.object?.resourceVersion ?? ''}`] : [],
    );
  }
}

const map = (data: Record<string, string>, resourceVersion: number, name = 'm'): ConfigMap => ({
  name,
  resourceVersion,
  annotations: {},
  data,
});

describe('Kubernetes API', () => {
  it('an object is created once, and updated only in the version that was read', () => {
    const bench = new Bench();
    expect(bench.ask({ verb: 'get', name: 'm' })?.status).toBe(404);
    expect(bench.put({ k: 'a' }, 0)).toMatchObject({ status: 201, object: { resourceVersion: 1 } });
    expect(bench.put({ k: 'b' }, 0)?.status).toBe(409);
    expect(bench.put({ k: 'b' }, 1)).toMatchObject({ status: 200, object: { resourceVersion: 2, data: { k: 'b' } } });
    expect(bench.put({ k: 'c' }, 1)?.status).toBe(409);
    expect(bench.ask({ verb: 'get', name: 'm' })).toMatchObject({ status: 200, object: { data: { k: 'b' } } });
  });

  it('resource versions rise over all objects', () => {
    const bench = new Bench();
    bench.put({ k: 'a' }, 0);
    const other = bench.ask({ verb: 'create', object: map({}, 0, 'other') });
    expect(other?.object?.resourceVersion).toBe(2);
  });

  it('a delete may have a precondition', () => {
    const bench = new Bench();
    bench.put({ k: 'a' }, 0);
    expect(bench.ask({ verb: 'delete', name: 'm', resourceVersion: 7 })?.status).toBe(409);
    expect(bench.ask({ verb: 'delete', name: 'm', resourceVersion: 1 })?.status).toBe(200);
    expect(bench.ask({ verb: 'delete', name: 'm', resourceVersion: 0 })?.status).toBe(404);
    expect(bench.put({}, 1)?.status).toBe(404);
  });

  it('the history has one fact per entry that changed', () => {
    const bench = new Bench();
    bench.put({ k: 'a', l: 'x' }, 0);
    bench.put({ k: 'b', l: 'x' }, 1);
    bench.ask({ verb: 'delete', name: 'm', resourceVersion: 0 });
    const facts = bench.harness
      .eventsOf('coordination-updated')
      .map(({ key, value, version }) => `${key} ${value} ${version}`);
    expect(facts).toEqual(['m/k a 1', 'm/l x 1', 'm/k b 2', 'm/k  0', 'm/l  0']);
    expect(bench.disk.coordination('m/k')).toBeUndefined();
  });

  it('a watch tells every later change, and what was missed between the read and its beginning', () => {
    const bench = new Bench();
    bench.put({ k: 'a' }, 0);
    bench.put({ k: 'b' }, 1);
    expect(bench.ask({ verb: 'watch', name: 'm', resourceVersion: 1 })?.status).toBe(200);
    bench.put({ k: 'c' }, 2);
    bench.ask({ verb: 'delete', name: 'm', resourceVersion: 0 });
    expect(bench.events()).toEqual(['modified 2', 'modified 3', 'deleted 3']);
  });

  it('a watch ends with its connection', () => {
    const bench = new Bench();
    bench.put({ k: 'a' }, 0);
    bench.ask({ verb: 'watch', name: 'm', resourceVersion: 1 });
    bench.harness.receive({ kind: 'connection-lost', peer: CLIENT });
    bench.put({ k: 'b' }, 1);
    expect(bench.events()).toEqual([]);
  });

  it('after a restart the changes before it are not kept: 410, list again', () => {
    const bench = new Bench();
    bench.put({ k: 'a' }, 0);
    bench.put({ k: 'b' }, 1);
    bench.start();
    expect(bench.ask({ verb: 'watch', name: 'm', resourceVersion: 1 })?.status).toBe(410);
    expect(bench.ask({ verb: 'watch', name: 'm', resourceVersion: 2 })?.status).toBe(200);
  });

  it('watch-loss: the watch is closed in place of an event', () => {
    const bench = new Bench();
    bench.put({ k: 'a' }, 0);
    bench.ask({ verb: 'watch', name: 'm', resourceVersion: 1 });
    bench.harness.affect('f', 'watch-loss');
    bench.put({ k: 'b' }, 1);
    bench.harness.conditions.lift('f');
    bench.put({ k: 'c' }, 2);
    expect(bench.events()).toEqual(['closed ']);
  });

  it.each([
    ['fail', 500, undefined],
    ['unavailable', 503, undefined],
    ['unknown-outcome', undefined, 'a'],
  ] as const)('%s: status %s', (effect, status, left) => {
    const bench = new Bench();
    bench.harness.affect('f', effect);
    expect(bench.put({ k: 'a' }, 0)?.status).toBe(status);
    expect(bench.disk.coordination('m/k')).toBe(left);
  });
});

test('Kubernetes API: two clients that do anything see what a plain model would show them', () => {
  const step = fc.record({
    client: fc.constantFrom('a', 'b'),
    verb: fc.constantFrom('get' as const, 'create' as const, 'update' as const, 'delete' as const),
    name: fc.constantFrom('m', 'n'),
    value: fc.string({ maxLength: 2 }),
    /** How far behind the client's idea of the version is. */
    behind: fc.nat(2),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const bench = new Bench(true);
      const model = new Map<string, { value: string; version: number }>();
      let version = 0;
      for (const { client, verb, name, value, behind } of steps) {
        const there = model.get(name);
        const asked = Math.max(1, (there?.version ?? 1) - behind);
        const object = map({ k: value }, verb === 'create' ? 0 : asked, name);
        const operation: KubernetesOperation =
          verb === 'get'
            ? { verb, name }
            : verb === 'delete'
              ? { verb, name, resourceVersion: asked }
              : { verb, object };
        const reply = bench.ask(operation, nodeId(client));
        let status = 200;
        if (verb === 'create') status = there === undefined ? 201 : 409;
        else if (there === undefined) status = 404;
        else if (verb !== 'get' && there.version !== asked) status = 409;
        expect(reply?.status).toBe(status);
        if (verb === 'get' || status >= 400) {
          if (status === 200) expect(reply?.object?.data['k']).toBe(there?.value);
          continue;
        }
        version += 1;
        if (verb === 'delete') model.delete(name);
        else model.set(name, { value, version });
        if (verb !== 'delete') expect(reply?.object?.resourceVersion).toBe(version);
      }
      for (const name of ['m', 'n']) expect(bench.disk.object(name)?.data['k']).toBe(model.get(name)?.value);
    }),
    { numRuns: 150, seed: 20_191_212 },
  );
});
