/**
 * What a sweep reached: the rare situations, the classes of faults and their patterns, against the list of all there are.
 *
 * Owns: the comparison, and docs/probes.md. A situation that no life reached is tested by none, whatever the verdicts say.
 */
import { PATTERN_NAMES } from '../scenarios/patterns.ts';
import { FAULT_CLASSES } from '../sim/faults/fault-classes.ts';
import { ALL_PROBES, BEYOND_SWEEPS } from '../sim/probes.ts';
import type { SweepSums } from './sweep-summary.ts';

/** Names of what never occurred and should have. */
export interface Unreached {
  readonly probes: readonly string[];
  /** Classes of faults that never were effective. */
  readonly faults: readonly string[];
  /** Nemeses and other patterns that never struck. */
  readonly patterns: readonly string[];
}

export interface ReachedProbe {
  readonly name: string;
  readonly area: string;
  readonly says: string;
  /** How often, and in how many lives; 0: never. */
  readonly times: number;
  readonly lives: number;
}

export function unreached({ probes, faults, patterns }: Pick<SweepSums, 'probes' | 'faults' | 'patterns'>): Unreached {
  return {
    probes: ALL_PROBES.flatMap(({ name }) => ((probes[name] ?? 0) > 0 || name in BEYOND_SWEEPS ? [] : [name])),
    faults: FAULT_CLASSES.filter((name) => (faults[name]?.effective ?? 0) === 0),
    patterns: PATTERN_NAMES.filter((name) => (patterns[name]?.effective ?? 0) === 0),
  };
}

/** In the order of the list of all probes. */
export function reachedProbes({ probes, probeLives }: Pick<SweepSums, 'probes' | 'probeLives'>): ReachedProbe[] {
  return ALL_PROBES.map(({ name, area, says }) => {
    return { name, area, says, times: probes[name] ?? 0, lives: probeLives[name] ?? 0 };
  });
}

/** docs/probes.md. */
export function probesDocument(): string {
  const areas = [...new Set(ALL_PROBES.map(({ area }) => area))];
  const parts = areas.map((area) => {
    const rows = ALL_PROBES.filter((one) => one.area === area).map(({ name, says }) => {
      const why = BEYOND_SWEEPS[name]?.why;
      return `| \`${name}\` | ${says}${why === undefined ? '' : ` Not asked of sweeps: ${why}.`} |`;
    });
    return `## ${area}\n\n| probe | what has happened |\n|---|---|\n${rows.join('\n')}\n`;
  });
  return `# Rare situations

A probe is a named point of the engine's code that says: this rare situation occurred (elsewhere: \`CODE_PROBE\`, sometimes-assertion).
A sweep whose lives all passed has said nothing about a situation that none of them reached. So \`run --json\` counts the probes of a life,
\`sweep --json\` those of all lives with what was never reached (\`unreached\`), \`probes.csv\` has one row per life and probe, and the report a
table. \`sweep --require-reached\` ends with exit code 4 when a probe, a class of faults (\`${FAULT_CLASSES[0]}\`, \`${FAULT_CLASSES.at(-1)}\` ...), or a pattern of them (a nemesis,
\`${PATTERN_NAMES.at(-1)}\` ...) never occurred; continuous integration runs it over all shipped scenarios.

In the engine, \`probe(out, name)\` reports that a branch was taken and \`sometimes(condition, out, name)\` that something held there. The names
are one table, [probes.ts](../engine/protocol/probe-table.ts), from which this file is made; a test keeps it current. Rows (C9, K7 ...) are those of
[features.md](features.md).

${parts.join('\n')}`;
}
