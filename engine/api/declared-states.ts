/**
 * What a function may declare as state (Flink: StateDescriptor; there the task finds out).
 *
 * I1: state is found by its name, in the job as in files: two states of one name would be one, of two forms (decision 0128);
 * I2: what is declared can be written: the description of a type goes into every file of its state.
 */
import type { FunctionSpec } from '../job/functions.ts';
import type { OperatorStateDescriptor } from '../state/operator-state-descriptor.ts';
import { nestingOf, TYPE_NESTING_MAX } from '../state/serializer-snapshot-codec.ts';
import { type StateDescriptor, TIMER_STATES } from '../state/state-descriptor.ts';
import { InvalidJob } from './invalid-job.ts';

export interface DeclaringFunction extends Pick<FunctionSpec<unknown>, 'states' | 'operatorStates'> {
  /** Of its operator, for messages. */
  readonly name: string;
  readonly broadcastStates: readonly OperatorStateDescriptor[];
}

/** Throws `InvalidJob`. */
export function checkDeclaredStates({ name, states, operatorStates = [], broadcastStates }: DeclaringFunction): void {
  const ofNoKey = [...operatorStates, ...broadcastStates];
  for (const declared of [states, ofNoKey]) {
    const names = declared.map((state) => state.name);
    const twice = names.find((one, index) => names.indexOf(one) !== index);
    if (twice !== undefined)
      throw new InvalidJob(
        `The function of '${name}' declares two states of the name '${twice}': state is found by it.`,
      );
  }
  const reserved = states.find((state) => state.name.startsWith(TIMER_STATES));
  if (reserved !== undefined)
    throw new InvalidJob(`The function of '${name}' declares a state '${reserved.name}': timers lie under such names.`);
  const deep = [...states, ...ofNoKey].find((state) => storedNestingOf(state) > TYPE_NESTING_MAX);
  if (deep !== undefined)
    throw new InvalidJob(
      `The state '${deep.name}' of '${name}' has a type nested ${storedNestingOf(deep)} deep; ${TYPE_NESTING_MAX} is the most.`,
    );
}

/** A list, a map, an entry of broadcast state and the time of last access each lie around the type. */
function storedNestingOf(state: StateDescriptor | OperatorStateDescriptor): number {
  const types = 'type' in state ? [state.type] : [state.keyType, state.valueType];
  const isWithin = state.kind === 'list' || !('type' in state);
  const isStamped = 'timeToLive' in state && state.timeToLive !== undefined;
  return Math.max(...types.map(({ snapshot }) => nestingOf(snapshot))) + Number(isWithin) + Number(isStamped);
}
