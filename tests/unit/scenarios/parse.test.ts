import { describe, expect, it } from 'vitest';
import { type FileProblem, formatProblem, parseScenario, type Scenario } from '../../../scenarios/index.ts';

const GOOD = `name: good
job: { use: keyed-count, parallelism: 4 }
input: { dataset: flights, records: 20000, rate: 2000/s }
`;

/** Section 7 of the design, to the letter. */
const DESIGN = `name: partition-during-alignment
job: { use: keyed-count, parallelism: 4 }
input: { dataset: flights, records: 20000, rate: 2000/s }
cluster: { taskManagers: 3, slots: 2, jobManagers: 2, profile: cloud-small }
checkpointing: { interval: 1s, timeout: 10s, mode: exactly-once, unaligned: false, storage: object-store, backend: hashmap }
restart: { strategy: exponential-delay, initial: 100ms, max: 5s }
faults:
  - { partition: isolate-one, target: taskmanager, every: 4s..9s, for: 500ms..3s }
  - { crash: jobmanager, at: { checkpoint: 3, point: metadata-write.done }, restartAfter: 2s }
duration: 30s
expect: exactly-once
`;

function scenarioOf(text: string): Scenario {
  const parsed = parseScenario({ text, file: 'a.yaml' });
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
  return parsed.scenario;
}
function problemsOf(text: string): readonly FileProblem[] {
  const parsed = parseScenario({ text, file: 'a.yaml' });
  return parsed.ok ? [] : parsed.problems;
}
const places = (text: string): string[] =>
  problemsOf(text).map(({ line, column, path }) => `${line}:${column} ${path}`);

describe('restart of a scenario file', () => {
  const restartOf = (text: string) => scenarioOf(`${GOOD}${text}`).engine.restart;

  it('6.2: a strategy that is named has the defaults of Flink', () => {
    expect(restartOf('restart: { strategy: exponential-delay }\n')).toEqual({
      strategy: 'exponential-delay',
      initialUs: 1_000_000,
      maxUs: 60_000_000,
      multiplier: { numerator: 3, denominator: 2 },
      jitter: { numerator: 1, denominator: 10 },
      resetThresholdUs: 3_600_000_000,
      attemptsBeforeReset: 0,
    });
    expect(restartOf('restart: { strategy: fixed-delay }\n')).toEqual({
      strategy: 'fixed-delay',
      attempts: 1,
      delayUs: 1_000_000,
    });
    expect(restartOf('restart: { strategy: failure-rate }\n')).toEqual({
      strategy: 'failure-rate',
      maxFailures: 1,
      intervalUs: 60_000_000,
      delayUs: 1_000_000,
    });
  });

  it('left out: restarts come soon enough for lives of a minute', () => {
    expect(restartOf('')).toMatchObject({ initialUs: 500_000, maxUs: 5_000_000, resetThresholdUs: 30_000_000 });
    expect(restartOf('')).not.toHaveProperty('jitter');
    expect(restartOf('restart: { strategy: exponential-delay, jitter: 0/1 }\n')).not.toHaveProperty('jitter');
  });
});

describe('sinks of a scenario file', () => {
  const withSink = (kind: string, job = 'parallelism: 4', input = ''): string =>
    `name: good\njob: { use: keyed-count, ${job} }\ninput: { dataset: flights, records: 20000${input} }\nsink: { kind: ${kind} }\n`;

  it('B24: files may be followed by a log, which begins where they end; nothing follows what does not end', () => {
    const withLog = (files: string, log = ''): string =>
      `name: good\njob: { use: split-count }\ninput: { dataset: flights, records: 300, ${files}, thenLog: { records: 100${log} } }\n`;
    const [files, log] = scenarioOf(withLog('files: { count: 2 }', ', overlap: 40')).topics;
    expect(files).toMatchObject({ name: 'input', bounded: true, records: 300 });
    expect(log).toMatchObject({ name: 'input-log', after: 'input', before: 40, committed: 40, startFrom: 'committed' });
    expect([log?.rows?.[0], log?.rows?.at(-1)]).toEqual([260, 399]);
    expect(places(withLog('bounded: true'))).toEqual([expect.stringMatching(/^3:\d+ input\.thenLog$/)]);
    expect(places(withLog('files: { count: 2 }, discovery: 1s'))).toEqual([
      expect.stringMatching(/^3:\d+ input\.thenLog$/),
    ]);
    // Without a discovery files are looked for once, when the job begins.
    expect(places(withLog('files: { count: 2 }, start: 1s'))).toEqual(['3:70 input.start']);
    expect(places(withLog('files: { count: 2 }', ', overlap: 301'))).toEqual([
      expect.stringMatching(/^3:\d+ input\.thenLog\.overlap$/),
    ]);
  });

  it('are files, half messages or a table, each with its defaults', () => {
    expect(scenarioOf(withSink('file')).sink).toMatchObject({
      kind: 'file',
      storage: 'hdfs',
      bucketBy: 'key',
      buckets: 2,
    });
    expect(scenarioOf(withSink('rocketmq')).sink).toEqual({
      kind: 'rocketmq',
      checkAfterUs: 6_000_000,
      consumers: 'keyed',
    });
    expect(scenarioOf(withSink('upsert')).sink).toEqual({ kind: 'upsert', version: 'count' });
  });

  it('that commit do not go with at-least-once, and half messages not with an end of all input', () => {
    const atLeastOnce = 'parallelism: 4, guarantee: at-least-once';
    expect(places(withSink('file', atLeastOnce))).toEqual([expect.stringMatching(/^2:\d+ job\.guarantee$/)]);
    expect(places(withSink('rocketmq', atLeastOnce))).toEqual([expect.stringMatching(/^2:\d+ job\.guarantee$/)]);
    expect(places(withSink('upsert', atLeastOnce))).toEqual([]);
    expect(places(withSink('rocketmq', 'parallelism: 4', ', bounded: true'))).toEqual([
      expect.stringMatching(/^4:\d+ sink\.kind$/),
    ]);
  });
});

describe('scenario file', () => {
  it('reads the example of the design', () => {
    const scenario = scenarioOf(DESIGN);
    expect(scenario.topics).toEqual([
      {
        name: 'input',
        dataset: 'flights-20k',
        records: 20_000,
        partitions: 4,
        startUs: 0,
        ratePerSecond: 2_000,
        bounded: false,
      },
    ]);
    expect(scenario.engine.checkpoint).toMatchObject({
      intervalUs: 1_000_000,
      timeoutUs: 10_000_000,
      mode: 'exactly-once',
    });
    expect(scenario.engine.restart).toMatchObject({
      initialUs: 100_000,
      maxUs: 5_000_000,
      multiplier: { numerator: 3, denominator: 2 },
    });
    expect(scenario.faults).toEqual([
      {
        time: { kind: 'every', gapUs: { low: 4_000_000, high: 9_000_000 }, afterUs: 0 },
        inPlan: { numerator: 1, denominator: 1 },
        action: {
          kind: 'partition',
          shape: 'isolate-one',
          target: 'taskmanager',
          forUs: { low: 500_000, high: 3_000_000 },
        },
      },
      {
        time: { kind: 'point', point: 'metadata-write.done', checkpoint: 3, occurrence: 1 },
        inPlan: { numerator: 1, denominator: 1 },
        action: { kind: 'crash', target: 'jobmanager', restartAfterUs: { low: 2_000_000, high: 2_000_000 } },
      },
    ]);
    expect(scenario.liveness.stormUs).toBe(30_000_000);
  });

  it('reads JSON as well', () => {
    const json = JSON.stringify(
      { name: 'j', job: { use: 'keyed-count' }, input: { dataset: 'airports', records: 10 } },
      null,
      2,
    );
    expect(scenarioOf(json).name).toBe('j');
  });

  it('takes seed and name from the text as written', () => {
    const scenario = scenarioOf(GOOD.replace('name: good', 'name: 0o17\nseed: 007'));
    expect([scenario.name, scenario.seed]).toEqual(['0o17', '007']);
    expect(scenarioOf(`${GOOD}seed: 9007199254740993\n`).seed).toBe('9007199254740993');
  });

  it('names the topics of a list and of a map', () => {
    const list = GOOD.replace(
      /input:.*/,
      'input: [{ dataset: airports, records: 1 }, { dataset: airports, records: 2 }]',
    );
    expect(scenarioOf(list).topics.map((topic) => topic.name)).toEqual(['input-1', 'input-2']);
    const map = GOOD.replace(
      /input:.*/,
      'inputs: { here: { dataset: airports, records: 1 }, there: { file: x/y.csv, records: 2, time: at } }',
    );
    expect(scenarioOf(map).topics.map(({ name, dataset }) => [name, dataset])).toEqual([
      ['here', 'airports'],
      ['there', 'file:x/y.csv?time=at'],
    ]);
  });

  it('keys the job by the key of its input, unless told otherwise', () => {
    const keyed = GOOD.replace('records: 20000', 'key: destination, records: 20000');
    expect(scenarioOf(keyed).job.parameters).toMatchObject({ key: 'destination' });
    expect(scenarioOf(keyed.replace('parallelism: 4', 'parameters: { key: date }')).job.parameters).toMatchObject({
      key: 'date',
    });
  });
});

describe('problems of a scenario file', () => {
  it('names line, column and path, and the nearest key', () => {
    const [problem] = problemsOf(`${GOOD}checkpointing:\n  intreval: 1s\n`);
    expect(problem).toMatchObject({
      file: 'a.yaml',
      line: 5,
      column: 3,
      path: 'checkpointing.intreval',
      message: 'unknown key "intreval"',
      didYouMean: 'interval',
    });
    expect(formatProblem(problem as FileProblem)).toMatch(
      /^a\.yaml:5:3 checkpointing\.intreval: unknown key "intreval"; expected one of: interval, .*; did you mean "interval"\?$/,
    );
  });

  it('asks for a missing unit where the number stands', () => {
    const [problem] = problemsOf(`${GOOD}checkpointing: { interval: 500 }\n`);
    expect(problem).toMatchObject({ line: 4, column: 28, path: 'checkpointing.interval' });
    expect(problem?.message).toBe('500 is not allowed here');
    expect(problem?.expected).toBe('a duration with its unit (us, ms, s, m, h), such as 500ms, 2s or 1m');
    expect(places(`${GOOD}duration: 30\n`)).toEqual(['4:11 duration']);
    expect(places(`${GOOD}runtime: { bufferSize: 32 }\n`)).toEqual(['4:24 runtime.bufferSize']);
    expect(places(GOOD.replace('2000/s', '2000'))).toEqual(['3:50 input.rate']);
  });

  it('refuses a key that is there twice', () => {
    expect(problemsOf(`${GOOD}name: again\n`)).toEqual([
      {
        file: 'a.yaml',
        line: 4,
        column: 1,
        path: '',
        message: 'the key "name" is there twice',
        expected: 'each key once',
      },
    ]);
  });

  it('collects everything in the order of the file', () => {
    const text = `nmae: x
job: { use: keyed-cuont }
input: { dataset: flights, records: none }
checkpointing: { mode: exactly-onec }
restart: { strategy: exponental-delay }
cluster: { profile: cloud-smal }
expect: exactly-once
`;
    expect(
      problemsOf(text).map(({ line, column, path, didYouMean }) => [`${line}:${column}`, path, didYouMean]),
    ).toEqual([
      ['1:1', 'name', undefined],
      ['1:1', 'nmae', 'name'],
      ['3:37', 'input.records', undefined],
      ['4:24', 'checkpointing.mode', 'exactly-once'],
      ['5:22', 'restart.strategy', 'exponential-delay'],
      ['6:21', 'cluster.profile', 'cloud-small'],
    ]);
  });

  it('checks what no section can check alone', () => {
    expect(problemsOf(GOOD.replace('keyed-count', 'keyed-cuont'))[0]).toMatchObject({
      line: 2,
      column: 13,
      path: 'job.use',
      didYouMean: 'keyed-count',
    });
    expect(places(GOOD.replace('parallelism: 4', 'parallelism: 7'))).toEqual(['2:39 job.parallelism']);
    expect(problemsOf(GOOD.replace('parallelism: 4', 'parameters: { kye: x }'))[0]).toMatchObject({
      path: 'job.parameters.kye',
      didYouMean: 'key',
    });
    expect(problemsOf(GOOD.replace('parallelism: 4', 'parameters: { key: 3 }'))[0]).toMatchObject({
      message: '3 is no string',
    });
    expect(problemsOf(GOOD.replace('dataset: flights', 'dataset: flihgts-20k'))[0]).toMatchObject({
      line: 3,
      column: 19,
      didYouMean: 'flights-20k',
    });
    expect(places(GOOD.replace('dataset: flights', 'file: flights.xml'))).toEqual(['3:16 input.file']);
    expect(places('name: a\njob: { use: keyed-count }\n')).toEqual(['1:1 ']);
  });

  const fault = (entry: string): string => `${GOOD}faults:\n  - { ${entry} }\n`;
  const faults: readonly (readonly [string, string, string | undefined])[] = [
    ['carsh: taskmanager, at: 1s', '5:7 faults.0.carsh', 'crash'],
    ['crash: taskmanager, pause: taskmanager, at: 1s', '5:27 faults.0.pause', undefined],
    ['crash: taskmanger, at: 1s', '5:14 faults.0.crash', 'taskmanager'],
    ['crash: taskmanager-4, at: 1s', '5:14 faults.0.crash', 'taskmanager-1'],
    ['crash: taskmanager', '5:5 faults.0', undefined],
    ['crash: taskmanager, at: 1s, every: 2s', '5:5 faults.0', undefined],
    ['crash: taskmanager, at: 1s, after: 2s', '5:42 faults.0.after', undefined],
    ['crash: taskmanager, at: { point: completd }', '5:40 faults.0.at.point', 'completed'],
    ['crash: taskmanager, at: 31s', '5:31 faults.0.at', undefined],
    ['pause: taskmanager, at: 1s', '5:5 faults.0.for', undefined],
    ['pause: taskmanager, at: 1s, for: 3', '5:40 faults.0.for', undefined],
    ['pause: taskmanager, at: 1s, for: 3s..1s', '5:40 faults.0.for', undefined],
    ['partition: thirds, at: 1s, for: 1s', '5:18 faults.0.partition', undefined],
    ['storage: slwo, at: 1s, for: 1s', '5:16 faults.0.storage', 'slow'],
    ['loss: 3/2, at: 1s, for: 1s', '5:13 faults.0.loss', undefined],
    ['loss: 0.5, at: 1s, for: 1s', '5:13 faults.0.loss', undefined],
    ['crash: taskmanager, at: 1s, restartAftre: 1s', '5:35 faults.0.restartAftre', 'restartAfter'],
  ];
  it.each(faults)('{ %s }: shown at its place', (entry, place, didYouMean) => {
    const problems = problemsOf(fault(entry));
    expect(problems.map(({ line, column, path }) => `${line}:${column} ${path}`)).toEqual([place]);
    expect(problems[0]?.didYouMean).toBe(didYouMean);
    expect(problems[0]?.expected).not.toBe('');
  });

  it('are there for texts that are no scenario at all', () => {
    for (const text of ['', 'null', '[]', 'name: [', '- a', '"text"', '{', '\t', 'a: *b'])
      expect(problemsOf(text), text).not.toEqual([]);
  });
});

describe('unaligned checkpoints in a scenario', () => {
  const messagesOf = (checkpointing: string): string => {
    const parsed = parseScenario({ text: textWith(checkpointing), file: 'a.yaml' });
    return parsed.ok ? '' : parsed.problems.map(formatProblem).join(' ');
  };

  it('B5, B8: both settings reach the engine; without them barriers are aligned', () => {
    expect(scenarioOf(textWith('unaligned: true, alignedTimeout: 30ms')).engine.checkpoint).toMatchObject({
      unaligned: true,
      alignedTimeoutUs: 30_000,
    });
    expect(scenarioOf(textWith('interval: 1s')).engine.checkpoint).toMatchObject({
      unaligned: false,
      alignedTimeoutUs: 0,
    });
  });

  it('2.1: unaligned needs exactly-once, and a time-out needs unaligned', () => {
    expect(messagesOf('unaligned: true, mode: at-least-once')).toContain(
      'expected mode exactly-once with unaligned: true',
    );
    expect(messagesOf('alignedTimeout: 1s')).toContain('expected unaligned: true with an alignedTimeout');
    expect(messagesOf('unaligned: 1')).toContain('true or false');
  });

  it('X26: one checkpoint may be restored without its in-flight data, where it has any and the outcome can be said', () => {
    const givenUp = 'unaligned: true, withoutChannelStateOf: 3';
    expect(scenarioOf(textWith(givenUp)).engine.checkpoint.withoutChannelStateOf).toBe(3);
    expect(scenarioOf(textWith('unaligned: true')).engine.checkpoint).not.toHaveProperty('withoutChannelStateOf');
    expect(messagesOf('unaligned: true, withoutChannelStateOf: 0')).toContain('a whole number of at least 1');
    expect(messagesOf('withoutChannelStateOf: 3')).toMatch(
      /^a.yaml:4:\d+ .*aligned checkpoints hold no in-flight data/,
    );
    expect(messagesOf(`${givenUp}, firstId: 9`)).toContain('no checkpoint has the id 3: the first has 9');
    const resumed = (then: string): string =>
      `${textWith(givenUp)}faults: [{ operation: cancel, at: 1s, thenResume: { ${then} } }]\n`;
    expect(problemsOf(resumed('claim: claim'))).toEqual([]);
    expect(problemsOf(resumed('from: earliest-left'))[0]?.message).toContain('from an older snapshot');
    const table = `${textWith(givenUp)}sink: { kind: upsert, version: count }\n`;
    expect(problemsOf(table)[0]?.message).toContain('shows output before a checkpoint covers it');
    const cascade = textWith(givenUp).replace('keyed-count', 'keyed-cascade');
    expect(problemsOf(cascade).map(formatProblem)[0]).toMatch(
      /^a.yaml:4:\d+ checkpointing.withoutChannelStateOf: what keyed-cascade .* Count sends over an exchange/,
    );
  });

  it('F1: approximate recovery is for aligned barriers, endless input and jobs of which the outcome can be said', () => {
    const restart = 'restart: { strategy: fixed-delay, failover: approximate }\n';
    const text = (checkpointing = 'interval: 1s'): string => `${textWith(checkpointing)}${restart}`;
    expect(problemsOf(text())).toEqual([]);
    expect(scenarioOf(text()).engine.runtime.failoverStrategy).toBe('approximate');
    const refused = (wrong: string): string => problemsOf(wrong).map(formatProblem).join('\n');
    expect(refused(text('unaligned: true'))).toMatch(
      /^a.yaml:5:\d+ restart.failover: .*unaligned checkpoints, as in Flink/,
    );
    expect(refused(text('mode: at-least-once'))).toContain('it cannot be said what a subtask has missed');
    expect(refused(text().replace('records: 10', 'records: 10, bounded: true'))).toContain(
      'who misses it waits for ever',
    );
    expect(refused(text().replace('keyed-count', 'keyed-cascade'))).toContain('Count sends over an exchange');
    const table = `${text()}sink: { kind: upsert, version: count }\n`;
    expect(refused(table)).toContain('shows output before a checkpoint covers it');
    const toAll = '{ use: checked-exchanges, parallelism: 2, parameters: { topology: broadcast } }';
    const topics = 'inputs: { a: { dataset: generated:9x0, records: 9 }, b: { dataset: generated:9x0, records: 9 } }';
    const broadcast = text()
      .replace('{ use: keyed-count, parallelism: 2 }', toAll)
      .replace(/^input: .*$/m, topics);
    expect(refused(broadcast)).toContain('some may have theirs, and others not');
    expect(refused(`${text()}faults: [{ rescale: 1, at: 1s }]\n`)).toMatch(
      /^a.yaml:6:\d+ faults.0: .*nobody operates the job/,
    );
  });
});

function textWith(checkpointing: string): string {
  return `name: a
job: { use: keyed-count, parallelism: 2 }
input: { dataset: flights, records: 10 }
checkpointing: { ${checkpointing} }
`;
}

describe('a job that cannot be built', () => {
  const splits = (records: string, more = ''): string =>
    `name: a\njob: { use: split-count, parallelism: 2, parameters: { splitRecords: ${records}, key: origin } }\ninput: { dataset: flights, records: 200${more} }\n`;

  it('is refused where the parameter stands that it cannot be built with', () => {
    const [problem] = problemsOf(splits('-3'));
    expect(problem).toMatchObject({ line: 2, path: 'job.parameters.splitRecords' });
    expect(problem?.message).toContain('The split of');
    expect(problem?.expected).toContain('its default is 0');
    expect(problemsOf(splits('3'))).toEqual([]);
  });

  it('is refused as a whole where no parameter is to blame', () => {
    expect(places(splits('3', ', socket: true'))).toEqual(['2:6 job']);
  });

  it('is refused where a swarm may draw it', () => {
    const text = `${splits('3')}swarm:\n  job.parameters.splitRecords: [0, -1]\n`;
    expect(places(text)).toEqual(['5:36 swarm.job.parameters.splitRecords.1']);
  });
});
