/**
 * The fault list of a scenario file. Each entry has one key that names its kind, and that key's value is the kind's main parameter:
 * `{ crash: taskmanager, every: 10s..20s }`.
 *
 * Owns: the written form and its decoding to a `FaultRule`. Does not own: the choice of nodes and times (compile.ts).
 */
import { z } from 'zod';
import { USER_CALLS } from '../../sim/faults/fault.ts';
import { NEMESIS_NAMES } from '../nemeses/nemesis-name.ts';
import type { FaultAction, Range } from '../scenario.ts';
import { ALWAYS, type Lasting, lasting, rule, timing } from './fault-timing.ts';
import { commandOf, operationShape } from './operation-schema.ts';
import { chance, count, countRange, durationRange, partsPerMillion, sizeRange, text } from './scalars.ts';

/** Each entry has exactly one of these keys; their order is the order of the union below. */
export const FAULT_KINDS = [
  'crash',
  'power-loss',
  'pause',
  'slow-cpu',
  'out-of-memory',
  'disk-damage',
  'throw',
  'hang',
  'partition',
  'cut',
  'hold',
  'reset',
  'delay',
  'loss',
  'duplicate',
  'reorder',
  'slow-link',
  'storage',
  'coordination',
  'log',
  'sink',
  'rescale',
  'operation',
  'clock-step',
  'clock-drift',
  'nemesis',
] as const;

const TARGET = 'taskmanager, jobmanager, machine, taskmanagers, jobmanagers, all or the name of a node';
const EFFECTS = ['slow', 'unavailable', 'fail', 'unknown-outcome'] as const;
const STORAGE_EFFECTS = [
  ...EFFECTS,
  'throttled',
  'write-fails',
  'disk-full',
  'namenode-outage',
  'bit-rot',
  'short-read',
  'missing',
  'stale-list',
] as const;
/** Services whose bytes lie in files that grow. */
const POWERED = ['storage', 'sink'] as const;
const SINK_EFFECTS = [...EFFECTS, 'fence'] as const;
const COORDINATION_EFFECTS = [...EFFECTS, 'session-expiry', 'watch-loss'] as const;
/** How much slower a slow service is. */
const SLOW_FACTOR = 10;

const target = (description: string) => text(`a target: ${TARGET}`).describe(description);

const ends = {
  target: target('One side of the connections that suffer.').default('all'),
  peer: target('The other side.').default('all'),
};

const crash = rule(
  {
    crash: target('Who crashes.'),
    restartAfter: z
      .union([durationRange(), z.literal('never')])
      .prefault('2s')
      .describe('Time until it is started again, or `never`.'),
    ...timing,
  },
  (entry) => ({ kind: 'crash', target: entry.crash, restartAfterUs: entry.restartAfter }),
);
const powerLoss = rule(
  {
    'power-loss': z
      .enum(POWERED, { error: 'expected storage or sink, which forgets what was not synced' })
      .describe('Whose disks lose what was not synced: those of checkpoints, or those of output files.'),
    restartAfter: durationRange().prefault('2s').describe('Time until it is started again.'),
    ...timing,
  },
  (entry) => ({
    kind: 'power-loss',
    ...(entry['power-loss'] === 'sink' ? { service: 'sink' } : {}),
    restartAfterUs: entry.restartAfter,
  }),
);
const pause = rule({ pause: target('Who stands still.'), ...lasting }, (entry) => ({
  kind: 'pause',
  target: entry.pause,
  forUs: entry.for,
}));
const slowCpu = rule(
  {
    'slow-cpu': target('Whose processor is slow.'),
    factor: count(2).default(SLOW_FACTOR).describe('How many times as long its work takes.'),
    ...lasting,
  },
  (entry) => ({ kind: 'slow-cpu', target: entry['slow-cpu'], factor: entry.factor, forUs: entry.for }),
);
const outOfMemory = rule(
  {
    'out-of-memory': target('Whose process keeps what it allocates, until it has no memory left and ends.'),
    headroom: sizeRange().prefault('64KiB').describe('What its handlers may still allocate: the bytes they send.'),
    restartAfter: durationRange().prefault('2s').describe('Time from its end until it is started again.'),
    ...timing,
  },
  (entry) => ({
    kind: 'out-of-memory',
    target: entry['out-of-memory'],
    headroomBytes: entry.headroom,
    restartAfterUs: entry.restartAfter,
  }),
);
const diskDamage = rule(
  {
    'disk-damage': target('On whose disk files rot; only TaskManagers keep any.'),
    chance: chance().prefault(ALWAYS).describe('Chance of each file.'),
    ...timing,
    for: durationRange()
      .prefault('1s')
      .describe('How long what is written rots, too. What has rotted stays so until it is written anew.'),
  },
  (entry) => ({ kind: 'disk-damage', target: entry['disk-damage'], chance: entry.chance, forUs: entry.for }),
);
const vertex = count(0)
  .optional()
  .describe("Index of the vertex whose function it is; absent: any function of the machine's.");
const call = z
  .enum(USER_CALLS)
  .optional()
  .describe(
    'Which call of it: for an element (the default) or a timer, in `open`, `initializeState`, `snapshotState` or `finish`.',
  );
const throwing = rule(
  {
    throw: target('On whose machine the next call of a user function throws.'),
    vertex,
    call,
    afterCalls: countRange(0).optional().describe('Calls of it that still return; of a range, each seed draws one.'),
    recoverable: z.boolean().default(true).describe('False: the error says that no restart can help.'),
    ...timing,
  },
  (entry) => ({
    kind: 'throw',
    target: entry.throw,
    ...(entry.vertex === undefined ? {} : { vertex: entry.vertex }),
    ...(entry.call === undefined ? {} : { call: entry.call }),
    ...(entry.afterCalls === undefined ? {} : { afterCalls: asRange(entry.afterCalls) }),
    recoverable: entry.recoverable,
  }),
);
const hang = rule(
  {
    hang: target('On whose machine the next call of a user function does not return.'),
    vertex,
    call,
    ...timing,
    for: durationRange().describe('How long it does not.'),
  },
  (entry) => ({
    kind: 'hang',
    target: entry.hang,
    ...(entry.vertex === undefined ? {} : { vertex: entry.vertex }),
    ...(entry.call === undefined ? {} : { call: entry.call }),
    hangUs: entry.for,
  }),
);
const partition = rule(
  {
    partition: z.enum(['isolate-one', 'halves', 'one-way', 'pair']).describe('Shape of the partition.'),
    target: target('Who is isolated, deaf or mute, or one of the pair. Halves need none.').default('machine'),
    ...lasting,
  },
  (entry) => ({ kind: 'partition', shape: entry.partition, target: entry.target, forUs: entry.for }),
);
const cut = rule(
  {
    cut: target('One side.'),
    from: target('The other side.'),
    oneWay: z.boolean().default(false).describe('Whether messages back still pass.'),
    ...lasting,
  },
  (entry) => ({ kind: 'cut', target: entry.cut, from: entry.from, oneWay: entry.oneWay, forUs: entry.for }),
);
const hold = rule(
  {
    hold: target('One side.'),
    from: target('The other side.').default('all'),
    oneWay: z.boolean().default(false).describe('Whether messages back still pass.'),
    ...timing,
    for: durationRange().describe('How long messages wait before they go on.'),
  },
  (entry) => ({ kind: 'hold', target: entry.hold, from: entry.from, oneWay: entry.oneWay, forUs: entry.for }),
);
const reset = rule(
  {
    reset: target('One end of the connections that are reset, at once.'),
    peer: target('The other end.').default('all'),
    ...timing,
  },
  (entry) => ({ kind: 'reset', target: entry.reset, peer: entry.peer }),
);
const delay = rule(
  { delay: durationRange().describe('Extra latency of each message.'), ...ends, ...lasting },
  (entry) => ({
    kind: 'delay',
    target: entry.target,
    peer: entry.peer,
    extraUs: entry.delay,
    forUs: entry.for,
  }),
);
const loss = rule({ loss: chance().describe('Chance that a datagram is lost.'), ...ends, ...lasting }, (entry) =>
  datagrams('loss', entry.loss, entry),
);
const duplicate = rule(
  { duplicate: chance().describe('Chance that a datagram arrives twice.'), ...ends, ...lasting },
  (entry) => datagrams('duplicate', entry.duplicate, entry),
);
const reorder = rule(
  { reorder: chance().describe('Chance that a datagram is overtaken.'), ...ends, ...lasting },
  (entry) => datagrams('reorder', entry.reorder, entry),
);
const slowLink = rule(
  { 'slow-link': count(2).describe('Bandwidth is divided by this.'), ...ends, ...lasting },
  (entry) => ({
    kind: 'slow-link',
    target: entry.target,
    peer: entry.peer,
    factor: entry['slow-link'],
    forUs: entry.for,
  }),
);

const effect = z
  .enum(EFFECTS)
  .describe(
    '`slow`: latency times `factor`. `unavailable`: refused at once. `fail`: no effect, and says so. `unknown-outcome`: it takes effect, the reply is lost.',
  );
const affected = {
  factor: count().default(SLOW_FACTOR).describe('With `slow`: how many times slower.'),
  chance: chance().prefault(ALWAYS).describe('Chance that a request is affected.'),
  ...lasting,
};
const storageEffect = z
  .enum(STORAGE_EFFECTS)
  .describe(
    'As `log`. `throttled`: 503, refused at once. `write-fails`: as `fail`, but reads work. `disk-full`: no room for what is written. `namenode-outage` (hdfs): refused, but what goes to datanodes. `bit-rot`, `short-read`, `missing`: what reads of a file give until it is repaired at the end; `chance`: of each file. `stale-list`: what is stored meanwhile is missing from lists until the end.',
  );
const storage = rule({ storage: storageEffect, ...affected }, (entry) => service('storage', entry.storage, entry));
const coordinationEffect = z
  .enum(COORDINATION_EFFECTS)
  .describe(
    'As `storage`. `session-expiry` (ZooKeeper): a session that is heard of ends. `watch-loss` (Kubernetes): a watch ends with an event it would have told.',
  );
const coordination = rule({ coordination: coordinationEffect, ...affected }, (entry) =>
  service('coordination', entry.coordination, entry),
);
const log = rule({ log: effect, ...affected }, (entry) => service('log', entry.log, entry));
const sinkEffect = z
  .enum(SINK_EFFECTS)
  .describe(
    'As `log`. `fence` (kafka): somebody else initializes the id of a producer that writes; its transaction is aborted.',
  );
const sink = rule({ sink: sinkEffect, ...affected }, (entry) => service('sink', entry.sink, entry));

const rescale = rule(
  {
    rescale: count().describe('Parallelism that the client asks for; with an adaptive scheduler the most.'),
    ...timing,
  },
  (entry) => ({ kind: 'operation', command: { kind: 'rescale', parallelism: entry.rescale } }),
);

const clockStep = rule(
  {
    'clock-step': target('Whose wall clock is set.'),
    by: durationRange().describe('How far, ahead or back.'),
    ...timing,
    for: durationRange().optional().describe('Until it is set right again; absent: for good.'),
  },
  (entry) => ({
    kind: 'clock-step',
    target: entry['clock-step'],
    byUs: entry.by,
    ...(entry.for === undefined ? {} : { forUs: entry.for }),
  }),
);
const clockDrift = rule(
  {
    'clock-drift': target('Whose wall clock gains or loses.'),
    by: partsPerMillion().describe('How much; which of the two is drawn.'),
    ...timing,
    for: durationRange().describe('How long; what it gained it keeps.'),
  },
  (entry) => ({ kind: 'clock-drift', target: entry['clock-drift'], byPpm: entry.by, forUs: entry.for }),
);

const nemesis = rule(
  {
    nemesis: z
      .enum([...NEMESIS_NAMES, 'any'])
      .describe('Several faults that belong together (docs/faults.md); `any`: one that fits is drawn for each strike.'),
    ...timing,
    for: durationRange().optional().describe('How long it lasts, or each part of it; absent: what is usual for it.'),
    timeScale: chance()
      .prefault('1/60')
      .describe('Of those from published statistics: how much faster times pass than in the field.'),
  },
  (entry) => ({
    kind: 'nemesis',
    name: entry.nemesis,
    timeScale: entry.timeScale,
    ...(entry.for === undefined ? {} : { forUs: entry.for }),
  }),
);

/** Somebody operates the job; not a fault, but it comes at its time like one. */
const operation = rule({ ...operationShape, ...timing }, (entry) => ({ kind: 'operation', command: commandOf(entry) }));

export const faultSchema = z.union([
  crash,
  powerLoss,
  pause,
  slowCpu,
  outOfMemory,
  diskDamage,
  throwing,
  hang,
  partition,
  cut,
  hold,
  reset,
  delay,
  loss,
  duplicate,
  reorder,
  slowLink,
  storage,
  coordination,
  log,
  sink,
  rescale,
  operation,
  clockStep,
  clockDrift,
  nemesis,
]);

const asRange = (value: number | Range): Range => (typeof value === 'number' ? { low: value, high: value } : value);

type Between = Lasting & { readonly target: string; readonly peer: string };

function datagrams(
  kind: 'loss' | 'duplicate' | 'reorder',
  ratio: z.output<ReturnType<typeof chance>>,
  entry: Between,
): FaultAction {
  return { kind, target: entry.target, peer: entry.peer, chance: ratio, forUs: entry.for };
}

function service(
  name: 'storage' | 'coordination' | 'log' | 'sink',
  what: (typeof COORDINATION_EFFECTS | typeof STORAGE_EFFECTS | typeof SINK_EFFECTS)[number],
  entry: Lasting & { readonly factor: number; readonly chance: { numerator: number; denominator: number } },
): FaultAction {
  return { kind: 'service', service: name, effect: what, factor: entry.factor, chance: entry.chance, forUs: entry.for };
}
