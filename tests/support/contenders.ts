/**
 * JobManagers without a job that contend for leadership over one real service: whichever driver, the same world.
 *
 * Owns: time in small steps, delivery at once, cuts. Does not own: the service's behaviour (sim/services).
 * I1: a contender that is cut off neither sends nor receives; what it sends meanwhile is lost, and after a heal it is told that its
 *     connection was lost, as a stream would tell.
 */
import { type LeaderEpoch, MAIN_MAILBOX, type NodeId, nodeId } from '../../engine/foundation/ids.ts';
import { highAvailabilityServices } from '../../engine/high-availability/driver.ts';
import type { HighAvailabilityServices } from '../../engine/high-availability/high-availability-services.ts';
import type { RegisterReply } from '../../engine/high-availability/named-registers.ts';
import { type EngineParts, standardParts } from '../../engine/parts.ts';
import type { HighAvailabilityConfiguration } from '../../engine/protocol/configuration.ts';
import type { EngineMessage } from '../../engine/protocol/messages.ts';
import { coordinationDisks, coordinationService } from '../../sim/cluster/coordination-service.ts';
import { constant } from '../../sim/kernel/distribution.ts';
import { ServiceHarness } from '../unit/sim/services/service-harness.ts';
import { COORDINATION, configuration, JOB } from './engine-values.ts';
import { RecordingOut } from './recording-out.ts';

export const LEASE_US = 7_000_000;
export const RENEW_US = 2_000_000;
const STEP_US = 10_000;
const LATENCY_US = 2_000;

export interface ContenderOptions {
  readonly kind: HighAvailabilityConfiguration['kind'];
  readonly tolerateSuspendedConnections?: boolean;
  readonly parts?: Partial<EngineParts>;
}

export class Contender {
  readonly node: NodeId;
  readonly services: HighAvailabilityServices;
  readonly out: RecordingOut;
  /** `acquired 1`, `lost 1` ... */
  readonly told: string[] = [];
  isCut = false;
  /** Its process stands still: nothing is handled, what arrives waits. */
  isPaused = false;
  readonly waiting: EngineMessage[] = [];

  constructor(
    name: string,
    incarnation: number,
    { kind, tolerateSuspendedConnections = false, parts }: ContenderOptions,
  ) {
    this.node = nodeId(name);
    const runtime = { leaseUs: LEASE_US, leaseRenewUs: RENEW_US, requestTimeoutUs: 1_000_000 };
    this.services = highAvailabilityServices({
      jobId: JOB,
      node: this.node,
      incarnation,
      configuration: { ...configuration({ runtime }), highAvailability: { kind, tolerateSuspendedConnections } },
      parts: { ...standardParts, ...parts },
      coordination: COORDINATION,
      firstRequestId: incarnation * 1_000_000_000,
      contender: {
        acquired: (epoch) => this.told.push(`acquired ${epoch}`),
        lost: (epoch) => {
          this.told.push(`lost ${epoch}`);
          this.services.registers.abandon(this.out);
        },
      },
    });
    this.out = new RecordingOut((timer, nowUs, out) => {
      this.services.checkLeadership(nowUs, out);
      return this.services.handleTimer(timer, nowUs, out);
    });
  }

  get epoch(): LeaderEpoch | undefined {
    return this.services.epoch;
  }

  receive(message: EngineMessage): void {
    if (this.isPaused) {
      this.waiting.push(message);
      return;
    }
    this.services.checkLeadership(this.out.nowUs, this.out);
    this.services.handleMessage(message, this.out.nowUs, this.out);
  }
}

export class Contention {
  readonly service = new ServiceHarness();
  readonly contenders: Contender[] = [];
  readonly #options: ContenderOptions;
  readonly #disks = coordinationDisks();
  #delivered = 0;
  /** Whether two ever led at the same time. */
  sawTwoLeaders = false;

  constructor(options: ContenderOptions) {
    this.#options = options;
    this.startService();
  }

  /** Boots the service; again: it crashed, and every connection is lost. */
  startService(): void {
    const { kind } = this.#options;
    this.service.start(
      coordinationService({
        kind,
        disks: this.#disks,
        node: COORDINATION,
        latency: constant(LATENCY_US),
        conditions: this.service.conditions,
        latencySite: this.service.choices.site('latency'),
        conditionSite: this.service.choices.site('condition'),
      }),
    );
    for (const contender of this.contenders) contender.receive({ kind: 'connection-lost', peer: COORDINATION });
  }

  join(name: string, incarnation = 1): Contender {
    const contender = new Contender(name, incarnation, this.#options);
    this.contenders.push(contender);
    contender.out.advance(this.service.nowUs - contender.out.nowUs + 1);
    contender.services.start(contender.out.nowUs, contender.out);
    return contender;
  }

  /** Its process is gone: nothing of it is heard any more, and the service is told that the connection is. */
  crash(contender: Contender): void {
    this.contenders.splice(this.contenders.indexOf(contender), 1);
    this.service.receive({ kind: 'connection-lost', peer: contender.node }, contender.node);
  }

  heal(contender: Contender): void {
    contender.isCut = false;
    contender.receive({ kind: 'connection-lost', peer: COORDINATION });
    this.service.receive({ kind: 'connection-lost', peer: contender.node }, contender.node);
  }

  resume(contender: Contender): void {
    contender.isPaused = false;
    contender.out.advance(this.service.nowUs - contender.out.nowUs + 1);
    for (const message of contender.waiting.splice(0)) contender.receive(message);
  }

  run(us: number): this {
    for (let left = us; left > 0; left -= STEP_US) {
      this.#exchange();
      this.service.runFor(STEP_US);
      this.#exchange();
      for (const contender of this.contenders) {
        if (contender.isPaused) continue;
        contender.out.advance(STEP_US);
        /* Whoever acted now would ask first. */
        contender.services.checkLeadership(contender.out.nowUs, contender.out);
      }
      const leaders = this.contenders.filter(({ epoch, isPaused }) => epoch !== undefined && !isPaused);
      this.sawTwoLeaders ||= leaders.length > 1;
    }
    return this;
  }

  get leaders(): string[] {
    return this.contenders.filter(({ epoch }) => epoch !== undefined).map(({ node }) => node);
  }

  compareAndSet(contender: Contender, name: string, expectedVersion: number, value: string): RegisterReply[] {
    const replies: RegisterReply[] = [];
    const write = { name: `${JOB}/${name}`, expectedVersion, value };
    contender.services.registers.compareAndSet(write, contender.out, (reply) => replies.push(reply));
    this.run(50_000);
    return replies;
  }

  read(contender: Contender, name: string): RegisterReply[] {
    const replies: RegisterReply[] = [];
    contender.services.registers.read(`${JOB}/${name}`, contender.out, (reply) => replies.push(reply));
    this.run(50_000);
    return replies;
  }

  #exchange(): void {
    for (const contender of this.contenders)
      for (const { message } of contender.out.fresh())
        if (!contender.isCut) this.service.receive(message, contender.node, MAIN_MAILBOX);
    for (const { to, message } of this.service.sent.slice(this.#delivered)) {
      this.#delivered += 1;
      const contender = this.contenders.find(({ node }) => node === to.node);
      if (contender !== undefined && !contender.isCut) contender.receive(message);
    }
  }
}
