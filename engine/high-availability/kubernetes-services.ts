/** High availability over Kubernetes: one ConfigMap per job holds leader annotation and registers (row F13; Flink: KubernetesLeaderElectionHaServices). */
import type { LeaderEpoch, NodeId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineMessage } from '../protocol/messages.ts';
import type { HighAvailabilityServices, ServicesOptions } from './high-availability-services.ts';
import { KubernetesElector } from './kubernetes-elector.ts';
import { KubernetesLock } from './kubernetes-lock.ts';
import { KubernetesRegisters } from './kubernetes-registers.ts';

export class KubernetesServices implements HighAvailabilityServices {
  readonly registers: KubernetesRegisters;
  readonly #lock: KubernetesLock;
  readonly #elector: KubernetesElector;
  readonly #node: NodeId;

  constructor(options: ServicesOptions) {
    this.#node = options.coordination;
    this.#lock = new KubernetesLock(options);
    this.#elector = new KubernetesElector(options, this.#lock);
    const { jobId, parts } = options;
    this.registers = new KubernetesRegisters({
      jobId,
      lock: this.#lock,
      elector: this.#elector,
      fencing: parts.leaderFencing,
    });
  }

  get epoch(): LeaderEpoch | undefined {
    return this.#elector.epoch;
  }

  start(nowUs: Micros, out: Out): void {
    this.#elector.start(nowUs, out);
  }

  checkLeadership(nowUs: Micros, out: Out): void {
    this.#elector.check(nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#elector.handleTimer(timer, nowUs, out) || this.#lock.handleTimer(timer, nowUs, out);
  }

  handleMessage(message: EngineMessage, nowUs: Micros, out: Out): boolean {
    switch (message.kind) {
      case 'kubernetes-reply':
        this.#lock.handleReply(message, nowUs, out);
        return true;
      case 'kubernetes-watch-event': {
        const object = message.type === 'modified' ? message.object : undefined;
        this.#elector.watched(message.requestId, object, nowUs, out);
        return true;
      }
      case 'connection-lost':
        if (message.peer !== this.#node) return false;
        this.#elector.connectionLost(nowUs, out);
        return true;
      default:
        return false;
    }
  }
}
