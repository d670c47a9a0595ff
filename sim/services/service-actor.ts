/**
 * The contract of an outside system: an actor that may also report what happens to the world's durable state.
 *
 * Owns: the shape of a service. Does not own: its node, which crashes and restarts like any other (sim/cluster).
 * Every service lives in the main mailbox of its node and answers the mailbox that asked.
 *
 * I1: what must survive a crash of the node lies in an object that is handed to the constructor; an actor made anew on that
 *     object goes on where the old one stopped. Requests in progress are memory and vanish.
 */
import type { Input, Out } from '../../engine/protocol/actor.ts';
import type { EngineEvent } from '../../engine/protocol/engine-events.ts';
import type { Micros } from '../../engine/foundation/time.ts';
import type { WorldEvent } from '../history/history-event.ts';

export type ServiceOut = Omit<Out, 'report'> & {
  /** A fact for the history; services also report what became durable. */
  report(event: EngineEvent | WorldEvent): void;
};

export interface ServiceActor {
  handle(input: Input, nowUs: Micros, out: ServiceOut): void;
}
