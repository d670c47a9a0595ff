/** The job around the operator: purchases by customer, through the operator, into a transactional sink. */
import { StreamExecutionEnvironment, Types, valueState } from 'tidemark';

export const POINTS = valueState('points', Types.int);

export function pointsJob(name, create) {
  return {
    name,
    description: 'Loyalty points per customer.',
    parameters: [],
    build({ parallelism, topics, guarantee }) {
      const env = new StreamExecutionEnvironment({ jobId: name, name, parallelism });
      env
        .fromLog({
          topic: topics[0].name,
          partitions: topics[0].partitions,
          bounded: topics[0].bounded === true,
          uid: 'purchases',
        })
        .keyBy((purchase) => purchase.customer)
        .process({ states: [POINTS], create })
        .uid('points')
        .sinkTo({ guarantee })
        .uid('sink');
      // How many points a customer has depends on which purchases came, not on their order. What comes out does depend on it: it is
      // compared by the records it came from.
      return { graph: env.jobGraph(), audit: { stateIsOrderInsensitive: true, outputValues: 'lineage' } };
    },
  };
}
