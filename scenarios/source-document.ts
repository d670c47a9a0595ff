/**
 * A YAML (or JSON) text with positions: its plain value, and the line and column of every key and value in it.
 *
 * Owns: parsing and looking up. Does not own: what the value should be (schemas) nor words for people (schema-problem.ts).
 * YAML's traps are closed here: keys are text, none twice; a name or seed that looks like a number stays the text it is (`007` is no 7).
 */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import type { FileProblem } from './problem.ts';
import { type SchemaProblem, valueAt } from './schema-problem.ts';

/** These hold text even when it looks like something else. */
const TEXT_KEYS: ReadonlySet<unknown> = new Set(['seed', 'name', 'description']);

export interface Position {
  readonly line: number;
  readonly column: number;
}

export class SourceDocument {
  readonly file: string;
  /** The plain value; undefined when the text is no YAML. */
  readonly value: unknown;
  /** What is wrong with the text itself. */
  readonly problems: readonly FileProblem[];
  readonly #document: Document;
  readonly #lines = new LineCounter();

  constructor(text: string, file: string) {
    this.file = file;
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      uniqueKeys: true,
      stringKeys: true,
      prettyErrors: false,
    });
    keepTextOfNames(this.#document);
    const problems = this.#document.errors.map((error): FileProblem => {
      const isTwice = error.code === 'DUPLICATE_KEY';
      const message = isTwice ? `the key "${wordAt(text, error.pos[0])}" is there twice` : lowerFirst(error.message);
      return { file, ...this.#positionOf(error.pos[0]), path: '', message, expected: isTwice ? 'each key once' : '' };
    });
    const plain = problems.length === 0 ? this.#plainValue() : { problems };
    this.problems = plain.problems;
    this.value = plain.value;
  }

  /** Aliases are followed here, and refused where they lead nowhere or unfold beyond measure. */
  #plainValue(): { readonly value?: unknown; readonly problems: readonly FileProblem[] } {
    const document = this.#document;
    const problems: FileProblem[] = [];
    visit(document, {
      Alias: (_, alias) => {
        if (alias.resolve(document) !== undefined) return;
        const expected = `an anchor &${alias.source} before it`;
        problems.push({
          file: this.file,
          ...this.#positionOf(offsetOf(alias) ?? 0),
          path: '',
          message: `the alias *${alias.source} leads nowhere`,
          expected,
        });
      },
    });
    if (problems.length > 0) return { problems };
    try {
      return { value: document.toJS(), problems };
    } catch (thrown) {
      // What is left is an alias bomb: many aliases of aliases.
      const message = thrown instanceof Error ? lowerFirst(thrown.message) : 'the text cannot be read';
      return { problems: [{ file: this.file, line: 1, column: 1, path: '', message, expected: 'fewer aliases' }] };
    }
  }

  /** The plain value at a path. */
  valueAt(path: readonly PropertyKey[]): unknown {
    return valueAt(this.value, path);
  }

  /** A problem with its place. */
  locate({ path, onKey, ...rest }: SchemaProblem): FileProblem {
    return { file: this.file, ...this.positionOf(path, onKey), path: path.map(String).join('.'), ...rest };
  }

  /** Where the value of a path is written, or with `onKey` its key; where it is missing, what it is missing from. */
  positionOf(path: readonly PropertyKey[], onKey = false): Position {
    let node: unknown = this.#document.contents;
    let offset = offsetOf(node) ?? 0;
    for (const [index, step] of path.entries()) {
      const collection: unknown = isAlias(node) ? node.resolve(this.#document) : node;
      if (!isCollection(collection)) break;
      const pair = isMap(collection)
        ? collection.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step))
        : undefined;
      const isKeyWanted = onKey && index === path.length - 1;
      const next: unknown =
        pair === undefined ? collection.get(step, true) : isKeyWanted || pair.value === null ? pair.key : pair.value;
      const found = offsetOf(next);
      if (found === undefined) break;
      offset = found;
      node = next;
    }
    return this.#positionOf(offset);
  }

  #positionOf(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

/** A scalar that YAML read as a number or boolean, but that is a name, becomes the text it was written as. */
function keepTextOfNames(document: Document): void {
  visit(document, {
    Pair(_, pair) {
      const value = pair.value;
      if (!isPair(pair) || !isScalar(pair.key) || !TEXT_KEYS.has(pair.key.value) || !isScalar(value)) return;
      if (typeof value.value !== 'string' && value.source !== undefined && value.source !== '')
        value.value = value.source;
    },
  });
}

function offsetOf(node: unknown): number | undefined {
  return typeof node === 'object' && node !== null ? ((node as Node).range?.[0] ?? undefined) : undefined;
}

function wordAt(text: string, offset: number): string {
  return /^["']?([^\s:"',}]*)/.exec(text.slice(offset))?.[1] ?? '';
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
