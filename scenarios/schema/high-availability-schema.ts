/**
 * Who elects the leading JobManager and keeps what outlives it: the written form and the form in a plan.
 *
 * Written short (`highAvailability: zookeeper`) or with options. A plan without the key is older than the choice: the lease store.
 */
import { z } from 'zod';
import { record } from './scalars.ts';

const KINDS = ['lease-store', 'zookeeper', 'kubernetes', 'none'] as const;
const EXPECTED = `expected ${KINDS.join(', ')}, or { type, tolerateSuspendedConnections }`;

const type = z
  .enum(KINDS, { error: EXPECTED })
  .describe(
    '`lease-store`: versioned values with compare-and-set. `zookeeper`: sessions, ephemeral nodes, watches. `kubernetes`: a ConfigMap with a leader annotation. `none`: one JobManager, whose end is the end of the job.',
  );

export const highAvailabilitySchema = z
  .union(
    [
      type,
      record({
        type,
        tolerateSuspendedConnections: z
          .boolean()
          .default(false)
          .describe(
            "ZooKeeper: a leader goes on while its connection is lost, until its session may be over. Flink's default.",
          ),
      }),
    ],
    { error: EXPECTED },
  )
  .transform((written) =>
    typeof written === 'string'
      ? { kind: written, tolerateSuspendedConnections: false }
      : { kind: written.type, tolerateSuspendedConnections: written.tolerateSuspendedConnections },
  );

export const highAvailabilityPlanSchema = record({
  kind: z.enum(KINDS),
  tolerateSuspendedConnections: z.boolean(),
}).default({ kind: 'lease-store', tolerateSuspendedConnections: false });
