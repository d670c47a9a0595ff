/** A fault in a sentence: what, to whom, when, how long. */
import { unreachable } from '../engine/foundation/assert.ts';
import type { Fault, UserCall } from '../sim/faults/fault.ts';

export function faultSentence(fault: Fault): string {
  return `${whenOf(fault)}, ${whatOf(fault)}`;
}

function whenOf({ trigger }: Fault): string {
  if ('atUs' in trigger) return `at ${seconds(trigger.atUs)}`;
  const { point, checkpoint, vertex, subtask, node, since, fromUs, occurrence, afterUs } = trigger;
  const of = checkpoint === undefined ? '' : ` of checkpoint ${checkpoint}`;
  const at =
    vertex === undefined
      ? ''
      : ` at ${subtask === undefined ? 'any subtask' : `subtask ${subtask}`} of vertex ${vertex}`;
  const nth = occurrence === 1 ? '' : ` (occurrence ${occurrence})`;
  const on = node === undefined ? '' : ` on ${node}`;
  const counted = `${since === undefined ? '' : ` after ${since}`}${fromUs === undefined ? '' : ` from ${seconds(fromUs)} on`}`;
  const delay = afterUs === undefined ? 'when' : `${seconds(afterUs)} after`;
  return `${delay} ${point}${of}${at}${on}${nth}${counted}`;
}

function whatOf(fault: Fault): string {
  switch (fault.kind) {
    case 'crash':
      return `${fault.node} crashes ${fault.restartAfterUs < 0 ? 'for good' : `and starts again after ${seconds(fault.restartAfterUs)}`}`;
    case 'power-loss':
      return `${fault.node} loses power, with what was not synced, and starts again after ${seconds(fault.restartAfterUs)}`;
    case 'pause':
      return `${fault.node} stands still for ${seconds(fault.forUs)}`;
    case 'out-of-memory':
      return `${fault.node} has ${fault.headroomBytes} B of memory left, and starts again ${seconds(fault.restartAfterUs)} after its end`;
    case 'slow-cpu':
      return `${fault.node} works ${fault.factor} times slower for ${seconds(fault.forUs)}`;
    case 'disk-damage':
      return `files on the disk of ${fault.node} rot${oddsOf(fault.chance)}, for ${seconds(fault.forUs)} also those that are written`;
    case 'throw':
      return `a user function on ${fault.node} throws${inCall(fault)}`;
    case 'hang':
      return `a user function on ${fault.node} does not return${inCall(fault)} for ${seconds(fault.hangUs)}`;
    case 'partition':
      return `nothing passes ${between(fault, fault.oneWay)} for ${seconds(fault.forUs)}`;
    case 'hold':
      return `messages ${between(fault, fault.oneWay)} are held for ${seconds(fault.forUs)}`;
    case 'reset':
      return `connections ${between(fault, false)} are reset`;
    case 'operation':
      return `the client asks for ${operationText(fault.command)}`;
    case 'service':
      return `${fault.node} ${SERVICE_EFFECTS[fault.effect]}${oddsOf(fault.chance)} for ${seconds(fault.forUs)}`;
    case 'clock-step':
      return `the clock of ${fault.node} is set ${fault.byUs < 0 ? 'back' : 'forward'} by ${seconds(Math.abs(fault.byUs))}${fault.forUs === undefined ? '' : ` for ${seconds(fault.forUs)}`}`;
    case 'clock-drift':
      return `the clock of ${fault.node} ${fault.driftPpm < 0 ? 'loses' : 'gains'} ${Math.abs(fault.driftPpm)} ppm for ${seconds(fault.forUs)}`;
    case 'delay': {
      const { low, high } = fault.extraUs;
      const by = low === high ? seconds(low) : `${seconds(low)} to ${seconds(high)}`;
      return `messages ${between(fault, false)} take ${by} longer for ${seconds(fault.forUs)}`;
    }
    case 'loss':
    case 'duplicate':
    case 'reorder':
      return `datagrams ${between(fault, false)} ${DATAGRAMS[fault.kind]}${oddsOf(fault.chance)} for ${seconds(fault.forUs)}`;
    case 'slow-link':
      return `the link ${between(fault, false)} has ${fault.factor} times less bandwidth for ${seconds(fault.forUs)}`;
    default:
      return unreachable(fault);
  }
}

type ServiceEffect = Extract<Fault, { kind: 'service' }>['effect'];

const SERVICE_EFFECTS: Readonly<Record<ServiceEffect, string>> = {
  slow: 'is slow',
  unavailable: 'is unavailable',
  fail: 'fails requests without carrying them out',
  'unknown-outcome': 'carries requests out and loses its replies',
  'session-expiry': 'ends sessions that it hears of',
  'watch-loss': 'ends watches with an event that they would have told',
  throttled: 'is too busy and refuses requests',
  'write-fails': 'fails writes',
  'disk-full': 'has no room for what is written',
  'namenode-outage': 'is without its namenode',
  'bit-rot': 'reads files with flipped bits',
  'short-read': 'reads files short',
  missing: 'does not find files that are there',
  'stale-list': 'leaves files that are stored meanwhile out of lists',
  fence: 'fences producers that write',
};

type Command = Extract<Fault, { kind: 'operation' }>['command'];

function operationText(command: Command): string {
  const resumed =
    'thenResume' in command && command.thenResume !== undefined ? ', and begins the job again from it' : '';
  switch (command.kind) {
    case 'rescale':
      return `parallelism ${command.parallelism}`;
    case 'savepoint':
      return 'a savepoint';
    case 'checkpoint':
      return 'a checkpoint';
    case 'stop-with-savepoint':
      return `a stop with a savepoint${command.drain ? ' that drains the job' : ''}${resumed}`;
    case 'cancel':
      return `the end of the job${resumed}`;
    case 'dispose-savepoint':
      return 'the disposal of its savepoint';
    default:
      return unreachable(command);
  }
}

const IN_CALL: Readonly<Record<UserCall, string>> = {
  element: '',
  timer: ' when a timer fires',
  open: ' when it is opened',
  initialize: ' when it is given its operator state',
  snapshot: ' in a snapshot',
  finish: ' in its last work',
};

const inCall = ({ call = 'element' }: { readonly call?: UserCall }): string => IN_CALL[call];

const DATAGRAMS = { loss: 'are lost', duplicate: 'come twice', reorder: 'overtake each other' } as const;

function between({ a, b }: { readonly a: readonly string[]; readonly b: readonly string[] }, oneWay: boolean): string {
  if (!oneWay && list(a) === list(b)) return `among ${list(a)}`;
  return oneWay ? `from ${list(a)} to ${list(b)}` : `between ${list(a)} and ${list(b)}`;
}

const list = (names: readonly string[]): string => names.join(', ');
const seconds = (us: number): string => `${us / 1_000_000} s`;
const oddsOf = ({ numerator, denominator }: { readonly numerator: number; readonly denominator: number }): string =>
  numerator === denominator ? '' : ` (${numerator} of ${denominator})`;
