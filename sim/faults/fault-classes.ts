/**
 * The classes of faults that a sweep over everything has to show: a kind, with its shape, its effect or whom it strikes, as `faultLabel`
 * counts them.
 *
 * Owns: the list. Classes that it does not have (a pause of one broker of many) are welcome and not asked for.
 */
import type { ClientCommand } from '../../engine/protocol/client-operations.ts';
import { SERVICE_NAMES, SERVICE_NODES, type ServiceName } from '../node-names.ts';
import { type Fault, type FaultKind, USER_CALLS } from './fault.ts';

type ServiceEffect = Extract<Fault, { kind: 'service' }>['effect'];

/** Which services know the effect; a further effect does not compile without an entry. */
const SERVICES_OF: Readonly<Record<ServiceEffect, readonly ServiceName[]>> = {
  slow: SERVICE_NAMES,
  unavailable: SERVICE_NAMES,
  fail: SERVICE_NAMES,
  'unknown-outcome': SERVICE_NAMES,
  'session-expiry': ['coordination'],
  'watch-loss': ['coordination'],
  throttled: ['storage'],
  'write-fails': ['storage'],
  'disk-full': ['storage'],
  'namenode-outage': ['storage'],
  'bit-rot': ['storage'],
  'short-read': ['storage'],
  missing: ['storage'],
  'stale-list': ['storage'],
  fence: ['sink'],
};

const OPERATIONS: Readonly<Record<ClientCommand['kind'], true>> = {
  savepoint: true,
  checkpoint: true,
  'stop-with-savepoint': true,
  cancel: true,
  'dispose-savepoint': true,
  rescale: true,
};

const SHAPES: Readonly<Record<Extract<Fault, { kind: 'partition' }>['shape'], true>> = {
  'isolate-one': true,
  halves: true,
  'one-way': true,
  pair: true,
  bridge: true,
  ring: true,
};

const MACHINES = ['jobmanager', 'taskmanager'];
const SERVICES = SERVICE_NAMES.map((name): string => SERVICE_NODES[name]);

/** What follows the kind; nothing: the kind is one class. */
const PARTS_OF: Readonly<Record<Exclude<FaultKind, 'service'>, readonly string[]>> = {
  crash: [...MACHINES, ...SERVICES, 'kafka'],
  'power-loss': [SERVICE_NODES.storage, SERVICE_NODES.sink],
  'out-of-memory': MACHINES,
  pause: MACHINES,
  'slow-cpu': MACHINES,
  'disk-damage': ['taskmanager'],
  // The call for an element is the kind itself.
  throw: [],
  hang: [],
  partition: Object.keys(SHAPES),
  hold: [],
  reset: [],
  delay: [],
  loss: [],
  duplicate: [],
  reorder: [],
  'slow-link': [],
  'clock-step': MACHINES,
  'clock-drift': MACHINES,
  operation: Object.keys(OPERATIONS),
};

export const FAULT_CLASSES: readonly string[] = [
  ...Object.entries(PARTS_OF).flatMap(([kind, parts]) =>
    parts.length === 0 ? [kind] : parts.map((part) => `${kind}/${part}`),
  ),
  ...Object.entries(SERVICES_OF).flatMap(([effect, services]) =>
    services.map((name) => `${effect}/${SERVICE_NODES[name]}`),
  ),
  ...USER_CALLS.filter((call) => call !== 'element').map((call) => `throw/${call}`),
];
