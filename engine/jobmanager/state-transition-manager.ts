/**
 * When a change of resources leads to a change of the job (rows F6, F7; Flink: DefaultStateTransitionManager, FLIP-461, FLIP-472). Pure: a
 * phase, an input and facts give the next phase. The scheduler asks it twice over: before a deployment (no cooldown, no delay: go as soon
 * as all that is desired is there, or enough of it for a while) and while the job runs (rescale, at a completed checkpoint if one comes).
 *
 *     cooldown -> idling -> stabilizing -> stabilized -> transitioning
 *
 * I1: during the cooldown nothing happens, but a change is remembered with its time;
 * I2: while stabilizing, only all that is desired is reason enough; once stabilized, what suffices is;
 * I3: a reason is acted upon at a trigger (a checkpoint has completed), or at the latest `maxDelayUs` after the change.
 */
export interface TransitionTiming {
  /** After a deployment nothing is changed for this time. */
  readonly cooldownUs: number;
  /** How long resources may still come before less than desired is taken. */
  readonly stabilizationUs: number;
  /** Longest wait for a trigger. */
  readonly maxDelayUs: number;
}

export interface TransitionFacts {
  readonly nowUs: number;
  /** What is there allows a change for the better. */
  readonly sufficient: boolean;
  /** All that is asked for is there. */
  readonly desired: boolean;
}

export type TransitionPhase =
  | {
      readonly kind: 'cooldown';
      readonly untilUs: number;
      /** Of the first change that would have sufficed. */
      readonly changedAtUs: number | undefined;
    }
  | { readonly kind: 'idling' }
  | {
      readonly kind: 'stabilizing';
      /** Of the first change. */
      readonly changedAtUs: number;
      /** Until then a trigger is waited for; undefined: what was desired was not there, and nothing has changed since. */
      readonly evaluateAtUs: number | undefined;
    }
  | { readonly kind: 'stabilized'; readonly changedAtUs: number }
  | { readonly kind: 'transitioning' };

/** `change`: resources or requirements did. `trigger`: a good moment has come. `time`: some has passed. */
export type TransitionInput = 'change' | 'trigger' | 'time';

export function firstPhase(nowUs: number, { cooldownUs }: TransitionTiming): TransitionPhase {
  return cooldownUs === 0
    ? { kind: 'idling' }
    : { kind: 'cooldown', untilUs: nowUs + cooldownUs, changedAtUs: undefined };
}

/** Several phases may have passed since the last input: each is asked what the time makes of it, until one stays. */
export function nextPhase(
  phase: TransitionPhase,
  input: TransitionInput,
  facts: TransitionFacts,
  timing: TransitionTiming,
): TransitionPhase {
  let next = step(phase, input, facts, timing);
  for (let before = phase; next !== before; ) {
    before = next;
    next = step(before, 'time', facts, timing);
  }
  return next;
}

/** When time alone may change the phase; undefined: never. */
export function wakesAtUs(phase: TransitionPhase, timing: TransitionTiming): number | undefined {
  switch (phase.kind) {
    case 'cooldown':
      return phase.untilUs;
    case 'stabilizing':
      return Math.min(phase.changedAtUs + timing.stabilizationUs, phase.evaluateAtUs ?? Number.POSITIVE_INFINITY);
    case 'stabilized':
      return phase.changedAtUs + timing.maxDelayUs;
    default:
      return undefined;
  }
}

function step(
  phase: TransitionPhase,
  input: TransitionInput,
  facts: TransitionFacts,
  timing: TransitionTiming,
): TransitionPhase {
  switch (phase.kind) {
    case 'cooldown':
      return afterCooldown(phase, input, facts, timing);
    case 'idling':
      return input === 'change' && facts.sufficient ? stabilizing(facts.nowUs, timing) : phase;
    case 'stabilizing':
      return afterStabilizing(phase, input, facts, timing);
    case 'stabilized':
      if (input !== 'trigger' && facts.nowUs < phase.changedAtUs + timing.maxDelayUs) return phase;
      return facts.sufficient ? { kind: 'transitioning' } : { kind: 'idling' };
    default:
      return phase;
  }
}

function afterCooldown(
  phase: TransitionPhase & { readonly kind: 'cooldown' },
  input: TransitionInput,
  { nowUs, sufficient }: TransitionFacts,
  timing: TransitionTiming,
): TransitionPhase {
  if (phase.changedAtUs === undefined && input === 'change' && sufficient) return { ...phase, changedAtUs: nowUs };
  if (nowUs < phase.untilUs) return phase;
  return phase.changedAtUs === undefined ? { kind: 'idling' } : stabilizing(phase.changedAtUs, timing);
}

function afterStabilizing(
  phase: TransitionPhase & { readonly kind: 'stabilizing' },
  input: TransitionInput,
  { nowUs, desired }: TransitionFacts,
  timing: TransitionTiming,
): TransitionPhase {
  const { changedAtUs, evaluateAtUs } = phase;
  const isDue = input === 'trigger' || (evaluateAtUs !== undefined && nowUs >= evaluateAtUs);
  if (isDue && desired) return { kind: 'transitioning' };
  if (nowUs >= changedAtUs + timing.stabilizationUs) return { kind: 'stabilized', changedAtUs };
  if (input === 'change' && evaluateAtUs === undefined) return { ...phase, evaluateAtUs: nowUs + timing.maxDelayUs };
  return isDue && evaluateAtUs !== undefined ? { ...phase, evaluateAtUs: undefined } : phase;
}

const stabilizing = (changedAtUs: number, { maxDelayUs }: TransitionTiming): TransitionPhase => ({
  kind: 'stabilizing',
  changedAtUs,
  evaluateAtUs: changedAtUs + maxDelayUs,
});
