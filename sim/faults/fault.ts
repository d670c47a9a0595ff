/**
 * Faults are data: what, to whom, when, how strong. A plan holds a list of them; the injector applies it.
 *
 * Every fault is resolved: names of nodes, microseconds, integer ratios. Ranges and chance belong to scenarios.
 */
import type { NodeId } from '../../engine/foundation/ids.ts';
import type { ClientCommand } from '../../engine/protocol/client-operations.ts';
import type { FaultPoint } from './checkpoint-point.ts';

/** When a fault starts: at a virtual time, or at a logical point of a checkpoint's life. */
export type FaultTrigger =
  | { readonly atUs: number }
  | {
      readonly point: FaultPoint;
      /** Checkpoint id; absent: any. */
      readonly checkpoint?: number;
      /** Vertex name or index and subtask, for points that happen at a task; absent: any. */
      readonly vertex?: number;
      readonly subtask?: number;
      /** Node at which it happens: who sends, receives, restores; of what becomes durable, the outside system. Absent: any. */
      readonly node?: NodeId;
      /** Only what happens after this fault has struck counts; a fault that is not in the plan never strikes. Absent: all. */
      readonly since?: string;
      /** Only what happens from this time on counts; absent: all. */
      readonly fromUs?: number;
      /** The n-th matching event, from 1. */
      readonly occurrence: number;
      /** The fault strikes so long after it; absent: at once. */
      readonly afterUs?: number;
    };

interface OfFault {
  /** Unique in the plan, stable under removal of others: `f1`, `f2` ... */
  readonly id: string;
  readonly trigger: FaultTrigger;
}

export type Fault = OfFault &
  (
    | {
        readonly kind: 'crash';
        readonly node: NodeId;
        /** -1: never comes back. Memory is lost, disk kept. */
        readonly restartAfterUs: number;
      }
    | {
        /** The storage of checkpoints, or of output files, loses power: its node crashes, and what was not synced is lost, all of it or in part. */
        readonly kind: 'power-loss';
        readonly node: NodeId;
        readonly restartAfterUs: number;
      }
    | {
        /**
         * The process keeps what its handlers allocate from now on; the one that goes beyond the headroom ends it, and has done nothing.
         * What a handler allocates are the bytes it sends: buffers, snapshots, requests.
         */
        readonly kind: 'out-of-memory';
        readonly node: NodeId;
        readonly headroomBytes: number;
        /** From its end until its supervisor has started it again. */
        readonly restartAfterUs: number;
      }
    | { readonly kind: 'pause'; readonly node: NodeId; readonly forUs: number }
    /** All work of the machine takes `factor` times as long: a neighbour, a hot core, a collector that never rests. */
    | { readonly kind: 'slow-cpu'; readonly node: NodeId; readonly factor: number; readonly forUs: number }
    | {
        /**
         * The disk of the machine goes bad: files that are on it, and those that are written until it ends, rot with the given chance. They
         * stay so until they are written anew: there is no other copy on that disk.
         */
        readonly kind: 'disk-damage';
        readonly node: NodeId;
        readonly chance: { readonly numerator: number; readonly denominator: number };
        /** Says which files and which of their bytes: a whole number. */
        readonly place: number;
        readonly forUs: number;
      }
    | {
        /** The next call of a user function on the node throws. */
        readonly kind: 'throw';
        readonly node: NodeId;
        /** Index of the vertex whose function it is; absent: any. */
        readonly vertex?: number;
        /** Which kind of call; absent: for an element. */
        readonly call?: UserCall;
        /** Calls that still return, once it is armed; absent: none. */
        readonly afterCalls?: number;
        /** False: the error says that no restart can help. */
        readonly recoverable: boolean;
      }
    | {
        /** The next call of a user function on the node does not return for this long: its subtask does nothing meanwhile. */
        readonly kind: 'hang';
        readonly node: NodeId;
        readonly vertex?: number;
        readonly call?: UserCall;
        readonly hangUs: number;
      }
    | {
        readonly kind: 'partition';
        readonly shape: PartitionShape;
        /** Nothing passes from `a` to `b`; nor back, unless one-way. Nodes in neither side talk to all. */
        readonly a: readonly NodeId[];
        readonly b: readonly NodeId[];
        readonly oneWay: boolean;
        readonly forUs: number;
      }
    | {
        /**
         * Messages between the two sides wait on the way and go on together when it ends: datagrams are late instead of lost, however long
         * it takes and whoever has died meanwhile; connections that wait too long are given up, as in a partition.
         */
        readonly kind: 'hold';
        readonly a: readonly NodeId[];
        readonly b: readonly NodeId[];
        readonly oneWay: boolean;
        readonly forUs: number;
      }
    /** Connections between the two sides are reset: what is on the way in them is lost, and both ends are told at once. */
    | { readonly kind: 'reset'; readonly a: readonly NodeId[]; readonly b: readonly NodeId[] }
    | {
        /** Extra latency for every message between the two sides. */
        readonly kind: 'delay';
        readonly a: readonly NodeId[];
        readonly b: readonly NodeId[];
        readonly extraUs: { readonly low: number; readonly high: number };
        readonly forUs: number;
      }
    | {
        /** Datagrams are lost, doubled or overtake each other with the given chance; connections retransmit and only get slower. */
        readonly kind: 'loss' | 'duplicate' | 'reorder';
        readonly a: readonly NodeId[];
        readonly b: readonly NodeId[];
        readonly chance: { readonly numerator: number; readonly denominator: number };
        readonly forUs: number;
      }
    | {
        /** Bandwidth between the two sides divided by `factor`. */
        readonly kind: 'slow-link';
        readonly a: readonly NodeId[];
        readonly b: readonly NodeId[];
        readonly factor: number;
        readonly forUs: number;
      }
    | {
        readonly kind: 'service';
        /** An outside system: object store, coordination store, log broker or sink store. */
        readonly node: NodeId;
        /**
         * `slow`: latency times `factor`. `unavailable`: refused at once. `fail`: no effect, says so. `unknown-outcome`: it
         * takes effect, the reply is lost. Of the coordination store: `session-expiry` (ZooKeeper): a session that is heard of ends;
         * `watch-loss` (Kubernetes): a watch ends with an event that it would have told. Of the checkpoint storage: `throttled`: too
         * busy, refused at once. `write-fails`: as `fail`, but reads work. `disk-full`: no
         * room for what is written.
         * `namenode-outage` (hdfs): refused at once, but what goes to datanodes. `bit-rot`, `short-read`, `missing`: the copy of a file
         * that answers reads is bad, until it is repaired at the end; `chance` is that of each file. `stale-list`: a file that is stored
         * meanwhile is missing from lists until the end; `chance` is that of each. Of a Kafka-like sink: `fence`: somebody else has
         * initialized the id of a producer that writes: its transaction is aborted and it is told so.
         */
        readonly effect:
          | 'slow'
          | 'unavailable'
          | 'fail'
          | 'unknown-outcome'
          | 'session-expiry'
          | 'watch-loss'
          | 'throttled'
          | 'write-fails'
          | 'disk-full'
          | 'namenode-outage'
          | 'bit-rot'
          | 'short-read'
          | 'missing'
          | 'stale-list'
          | 'fence';
        readonly factor: number;
        readonly chance: { readonly numerator: number; readonly denominator: number };
        readonly forUs: number;
      }
    /** The wall clock of the node is set, ahead or back (row B13). Absent `forUs`: for good, else it is set right again. */
    | { readonly kind: 'clock-step'; readonly node: NodeId; readonly byUs: number; readonly forUs?: number }
    /** It gains or loses so much meanwhile, and keeps that. */
    | { readonly kind: 'clock-drift'; readonly node: NodeId; readonly driftPpm: number; readonly forUs: number }
    | {
        /** No fault, but as one it comes at its time or point: somebody operates the job. */
        readonly kind: 'operation';
        readonly command: ClientCommand;
      }
  );

/**
 * When the engine calls a user function: with an element, with a timer (a window: when it fires), before the first element, with its operator
 * state before that, in the synchronous part of a snapshot, behind the last element of a bounded job.
 */
export const USER_CALLS = ['element', 'timer', 'open', 'initialize', 'snapshot', 'finish'] as const;
export type UserCall = (typeof USER_CALLS)[number];

/** `bridge`: two sides that share one node; `ring`: one of the cuts after which each sees a majority, and no two the same one. */
export const PARTITION_SHAPES = ['isolate-one', 'halves', 'one-way', 'pair', 'bridge', 'ring'] as const;
export type PartitionShape = (typeof PARTITION_SHAPES)[number];

export type Operation = Extract<Fault, { kind: 'operation' }>;

export type FaultKind = Fault['kind'];
/** How faults are counted and shown: `partition/one-way`, `service/unknown-outcome`, `crash` ... */
export function faultLabel(fault: Fault): string {
  if (fault.kind === 'partition') return `partition/${fault.shape}`;
  if (fault.kind === 'operation') return `operation/${fault.command.kind}`;
  if (fault.kind === 'service') return `${fault.effect}/${fault.node}`;
  // Of user code it does not matter whose machine it was.
  if (fault.kind === 'throw' || fault.kind === 'hang')
    return fault.call === undefined || fault.call === 'element' ? fault.kind : `${fault.kind}/${fault.call}`;
  return 'node' in fault ? `${fault.kind}/${fault.node.replace(/-\d+$/, '')}` : fault.kind;
}
