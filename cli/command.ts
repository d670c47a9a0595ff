/** What a command is handed and what it answers. */
import type { ExitCode } from './exit-codes.ts';
import type { LivePlan } from './life.ts';
import type { LifePool } from './life-pool.ts';
import type { OptionValues } from './option-table.ts';
import type { Terminal } from './terminal.ts';

export interface CommandCall {
  readonly operands: readonly string[];
  readonly options: OptionValues;
  readonly terminal: Terminal;
  /** Stand-ins of tests. */
  readonly parts?: { readonly livePlan?: LivePlan; readonly pool?: LifePool };
}

export type Command = (call: CommandCall) => Promise<ExitCode>;
