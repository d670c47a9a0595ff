/**
 * What the event loop of a life holds: something that knows what to do when its time has come.
 *
 * One method instead of a union of payloads: arriving messages, due timers, waking mailboxes and faults schedule
 * themselves, so no object is made only to carry them. The objects of the hot path are pooled by their owners.
 */

export interface ScheduledEvent {
  /** Called once, by the event loop, at the time it was scheduled for. */
  fire(): void;
}

/** The `dispatch` of the event loop. */
export const fireEvent = (event: ScheduledEvent): void => event.fire();
