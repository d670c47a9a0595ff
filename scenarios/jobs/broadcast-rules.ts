/**
 * Rules broadcast to a keyed stream: every key knows every rule, in the version that is newest (Flink: the broadcast state pattern).
 *
 * The topic `rules` changes rules: a row belongs to the rule named by the first letter of a field, and raises its version by one.
 * Without such a topic some of the events change rules, too. The other topics are events. Each key counts its events, and keeps for each rule the version it applies. A rule that changes is
 * applied to all keys that are known (`applyToKeyedState`); a key that is new takes all rules from broadcast state. So at any cut each key
 * holds exactly the broadcast rules, whichever came first: a rule that one subtask missed, or that one restore lost, shows in the
 * state of every key there. Which version an event meets depends on the order of arrival, so outputs are compared by lineage.
 */
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import type { BroadcastProcessFunction, FunctionSpec } from '../../engine/job/functions.ts';
import type { MapState, ValueState } from '../../engine/state/keyed-state.ts';
import { broadcastState } from '../../engine/state/operator-state-descriptor.ts';
import { mapState, valueState } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import { type JobDefinition, keyField, numberParameter, outputKey, type Row, textParameter } from './job-definition.ts';
import { delayMinutes } from './event-time.ts';
import { readTopic, readUnion, sinkOptions } from './log-topics.ts';

/** The topic whose rows change rules. */
export const RULES_TOPIC = 'rules';

/** What comes out for every event. */
export interface RuledEvent {
  readonly key: string;
  /** Events of this key so far, this one included. */
  readonly count: number;
  /** Sum of the versions of all rules that the key applies now. */
  readonly versions: number;
}

/** An object, so that a copy that is forgotten shows. */
interface Rule {
  version: number;
}

const RULES = 'rules';
const COUNT = 'count';
const APPLIED = 'applied-versions';
const RULE = Types.row<Rule>({ version: Types.int });

export const broadcastRules: JobDefinition = {
  name: 'broadcast-rules',
  description: 'Counts events per key and applies to every key the rules that the topic `rules` broadcasts.',
  parameters: [
    { name: 'key', description: 'Field of an event that is the key.', default: 'origin' },
    { name: 'rule', description: 'Field of a change whose first letter names the rule.', default: 'iata' },
    { name: 'changes', description: 'Without a topic `rules`: one event in so many changes a rule.', default: 1 },
    {
      name: 'withdrawn',
      description: 'With so many changes a rule is withdrawn, and begins anew with the next one; 0: never.',
      default: 0,
    },
    { name: 'asked', description: 'Whether the function asks for its states when it needs them.', default: false },
  ],
  build(input) {
    const field = textParameter(input.parameters, 'key');
    const ruleField = textParameter(input.parameters, 'rule');
    const every = numberParameter(input.parameters, 'changes');
    const withdrawn = numberParameter(input.parameters, 'withdrawn');
    const isAsking = input.parameters['asked'] === true;
    const env = new StreamExecutionEnvironment({
      jobId: 'broadcast-rules',
      name: 'Broadcast rules',
      parallelism: input.parallelism,
    });
    const rules = input.topics.find(({ name }) => name === RULES_TOPIC);
    const events = readUnion(
      env,
      input,
      input.topics.filter((topic) => topic !== rules),
    );
    const changing = every === 1 ? events : events.filter((row) => delayMinutes(row) % every === 0).uid('changing');
    const changes = rules === undefined ? changing : readTopic(env, input, rules);
    events
      .keyBy((row) => keyField(row, field))
      .connect(changes.broadcast(broadcastState(RULES, Types.string, RULE)))
      .process(applyRules({ field, ruleField, withdrawn, isAsking }))
      .uid('rules')
      .name('Rules')
      .sinkTo(sinkOptions(input))
      .uid('sink');
    return { graph: env.jobGraph(), audit: { stateIsOrderInsensitive: true, outputValues: 'lineage', outputKey } };
  },
};

interface Rules {
  readonly field: string;
  readonly ruleField: string;
  readonly withdrawn: number;
  readonly isAsking: boolean;
}

function applyRules({
  field,
  ruleField,
  withdrawn,
  isAsking,
}: Rules): FunctionSpec<BroadcastProcessFunction<Row, Row, RuledEvent>> {
  return {
    states: [valueState(COUNT, Types.int), mapState(APPLIED, Types.string, Types.int)],
    ...(isAsking ? { registration: 'when-asked' } : {}),
    create() {
      let count: () => ValueState<number>;
      let applied: () => MapState<string, number>;
      return {
        open(runtime) {
          count = () => runtime.value<number>(COUNT);
          applied = () => runtime.map<string, number>(APPLIED);
        },
        processElement(row, context, out) {
          const next = (count().value() ?? 0) + 1;
          count().update(next);
          let versions = 0;
          for (const [rule, { version }] of context.broadcastState<string, Rule>(RULES).entries()) {
            if (next === 1) applied().put(rule, version);
            versions += applied().get(rule) ?? 0;
          }
          out.collect({ key: keyField(row, field), count: next, versions });
        },
        processBroadcastElement(row, context) {
          const name = keyField(row, ruleField).slice(0, 1);
          const rules = context.broadcastState<string, Rule>(RULES);
          const rule = rules.get(name) ?? { version: 0 };
          rule.version += 1;
          const { version } = rule;
          if (version === withdrawn) {
            rules.remove(name);
            context.applyToKeyedState(() => applied().remove(name));
            return;
          }
          rules.put(name, rule);
          context.applyToKeyedState(() => applied().put(name, version));
        },
      };
    },
  };
}
