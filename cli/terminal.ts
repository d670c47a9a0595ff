/**
 * The terminal: standard output and error, progress, interrupts, arguments. The only file that writes to the screen.
 *
 * Owns: what a person or a pipe sees. Does not own: what is said (commands decide).
 * I1: standard output carries results only; progress, notes and errors go to standard error.
 * I2: progress is a bar on a terminal and plain lines elsewhere, at most one line in ten seconds.
 */
import { availableParallelism } from 'node:os';
import { basename, relative } from 'node:path';
import process from 'node:process';
import { styleText } from 'node:util';
import cliProgress from 'cli-progress';
import { today, wallClockMs } from '../bench/index.ts';

export type Tone = 'plain' | 'good' | 'bad' | 'dim' | 'strong';

export interface Progress {
  /** `note` stands behind the bar, for example `12 failed`. */
  update(done: number, note: string): void;
  stop(): void;
}

/** What commands may ask of a terminal; tests hand in one of their own. */
export interface Terminal {
  /** A line on standard output. */
  out(text: string): void;
  /** A line on standard error. */
  err(text: string): void;
  /** Colours a piece of text for standard output; plain where colour is not wanted. */
  paint(tone: Tone, text: string): string;
  /** `total` 0: unknown. */
  progress(title: string, total: number): Progress;
  /** Calls back once on an interrupt (Ctrl-C); answers how to stop listening. */
  onInterrupt(callback: () => void): () => void;
  /** Lets in what came while this thread was busy, such as an interrupt. */
  turn(): Promise<void>;
  wallMs(): number;
  /** The calendar day as YYYY-MM-DD: a note for people, nothing is decided by it. */
  today(): string;
  /** An environment variable; undefined where it is not set or empty. */
  variable(name: string): string | undefined;
  /** Threads that make sense on this machine. */
  readonly parallelism: number;
  /** How this program was called: what a replay command begins with. */
  readonly invocation: string;
}

const STYLES = { good: 'green', bad: 'red', dim: 'dim', strong: 'bold' } as const;
/** Plain progress lines are at least this far apart, milliseconds of wall clock. */
const PLAIN_PROGRESS_MS = 10_000;

export function processTerminal(): Terminal {
  // A reader that went away (`| head`) is no error of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    paint: (tone, text) =>
      tone === 'plain' ? text : styleText(STYLES[tone], text, { stream: process.stdout, validateStream: true }),
    progress: (title, total) => (process.stderr.isTTY ? bar(title, total) : plainProgress(title, total)),
    onInterrupt: (callback) => {
      process.once('SIGINT', callback);
      process.once('SIGTERM', callback);
      return () => {
        process.off('SIGINT', callback);
        process.off('SIGTERM', callback);
      };
    },
    turn: async () => await new Promise((resolve) => setImmediate(resolve)),
    wallMs: wallClockMs,
    today,
    variable: (name) => (process.env[name] === '' ? undefined : process.env[name]),
    parallelism: availableParallelism(),
    invocation: invocationOf(process.argv[1] ?? 'tidemark'),
  };
}

/** Runs a program with the arguments and the exit code of this process. */
export async function runProcess(
  program: (argv: readonly string[], terminal: Terminal) => Promise<number>,
): Promise<void> {
  // Set, not called: pending output is still written.
  process.exitCode = await program(process.argv.slice(2), processTerminal());
}

/** `tidemark` where it was called so, else the way it was called, from the working folder. */
function invocationOf(script: string): string {
  const name = basename(script);
  return name.endsWith('.js') ? `node ${shellWord(relative(process.cwd(), script))}` : name;
}

/** A word for a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function bar(title: string, total: number): Progress {
  const format = total === 0 ? `${title} {value} {note}` : `${title} [{bar}] {value}/{total} {eta_formatted} {note}`;
  const single = new cliProgress.SingleBar(
    { format, hideCursor: true, stream: process.stderr, clearOnComplete: true, etaBuffer: 200, gracefulExit: false },
    cliProgress.Presets.shades_classic,
  );
  single.start(Math.max(total, 1), 0, { note: '' });
  return {
    update: (done, note) => single.update(done, { note }),
    stop: () => single.stop(),
  };
}

function plainProgress(title: string, total: number): Progress {
  let saidAt = wallClockMs();
  return {
    update: (done, note) => {
      const now = wallClockMs();
      if (now - saidAt < PLAIN_PROGRESS_MS) return;
      saidAt = now;
      process.stderr.write(`${title}: ${done}${total === 0 ? '' : ` of ${total}`}${note === '' ? '' : `, ${note}`}\n`);
    },
    stop: () => {},
  };
}
