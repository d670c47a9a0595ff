/**
 * Mutation operators over compiled JavaScript: each place where a small mistake could be made, with the text that makes it.
 *
 * Owns: which places there are. Does not own: running anything. Asserts, probes, reports of facts and virtual CPU time are left alone: what they
 * say changes nothing that the engine does.
 */
import { createHash } from 'node:crypto';
import { type Node, parse } from 'acorn';

export const OPERATORS = ['negate-condition', 'boundary', 'swap-logical', 'remove-call', 'return-early'] as const;
export type Operator = (typeof OPERATORS)[number];

export interface Mutant {
  /**
   * Names file, operator, the function or method around it, its text, and which of its like there it is: so it stays the same when its file
   * changes elsewhere.
   */
  readonly id: string;
  readonly file: string;
  /** Of the compiled file, from 1. */
  readonly line: number;
  readonly operator: Operator;
  readonly start: number;
  readonly end: number;
  readonly original: string;
  readonly replacement: string;
}

interface AnyNode extends Node {
  readonly [field: string]: unknown;
}

const BOUNDARIES: Readonly<Record<string, string>> = { '<': '<=', '<=': '<', '>': '>=', '>=': '>' };
/** Calls whose absence nobody can see, or that only say what is so. */
const SILENT = /^(?:assert|probe|sometimes|out\.report|\w*[oO]ut\.report|\w*[oO]ut\.busy|unreachable)\b/;

const isNode = (value: unknown): value is AnyNode =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

export function mutantsOf(file: string, text: string): Mutant[] {
  const mutants: Mutant[] = [];
  const lines = lineStarts(text);
  const likeIt = new Map<string, number>();
  const source = (node: AnyNode): string => text.slice(node.start, node.end);
  const visit = (node: AnyNode, around: string): void => {
    if (isSilent(node, source)) return;
    const name = nameOf(node, source);
    const scope = name === undefined ? around : `${around}/${name}`;
    const add = (operator: Operator, { start, end }: Pick<AnyNode, 'start' | 'end'>, replacement: string): void => {
      const original = text.slice(start, end);
      const line = lines.findLastIndex((at) => at <= start) + 1;
      const what = `${file}\0${operator}\0${scope}\0${original.replace(/\s+/g, ' ')}`;
      const before = likeIt.get(what) ?? 0;
      likeIt.set(what, before + 1);
      const id = createHash('sha256').update(`${what}\0${before}`).digest('hex').slice(0, 12);
      mutants.push({ id, file, line, operator, start, end, original, replacement });
    };
    mutate(node, { add, source });
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) if (isNode(child)) visit(child, scope);
    }
  };
  const program = parse(text, { ecmaVersion: 'latest', sourceType: 'module' });
  visit(program as unknown as AnyNode, '');
  return mutants;
}

/** Of a class, function, method or constant. */
function nameOf(node: AnyNode, source: (node: AnyNode) => string): string | undefined {
  switch (node.type) {
    case 'ClassDeclaration':
    case 'FunctionDeclaration':
    case 'VariableDeclarator':
      return source(node['id'] as AnyNode);
    case 'MethodDefinition':
    case 'PropertyDefinition':
      return source(node['key'] as AnyNode);
    default:
      return undefined;
  }
}

function isSilent(node: AnyNode, source: (node: AnyNode) => string): boolean {
  const call = node.type === 'ExpressionStatement' ? (node['expression'] as AnyNode) : node;
  return call.type === 'CallExpression' && SILENT.test(source(call));
}

interface Making {
  readonly add: (operator: Operator, node: Pick<AnyNode, 'start' | 'end'>, replacement: string) => void;
  readonly source: (node: AnyNode) => string;
}

function mutate(node: AnyNode, { add, source }: Making): void {
  switch (node.type) {
    case 'IfStatement':
    case 'ConditionalExpression': {
      const test = node['test'] as AnyNode;
      add('negate-condition', test, `!(${source(test)})`);
      return;
    }
    case 'BinaryExpression': {
      const operator = BOUNDARIES[node['operator'] as string];
      if (operator === undefined) return;
      add('boundary', node, `${source(node['left'] as AnyNode)} ${operator} ${source(node['right'] as AnyNode)}`);
      return;
    }
    case 'LogicalExpression': {
      const operator = node['operator'] as string;
      if (operator === '??') return;
      const sides = [node['left'] as AnyNode, node['right'] as AnyNode].map((side) => `(${source(side)})`);
      add('swap-logical', node, sides.join(operator === '&&' ? ' || ' : ' && '));
      return;
    }
    case 'ExpressionStatement': {
      const { type } = node['expression'] as AnyNode;
      if (type === 'CallExpression' && !source(node).startsWith('super')) add('remove-call', node, ';');
      return;
    }
    case 'MethodDefinition': {
      const { body } = node['value'] as { readonly body: AnyNode };
      const isPlain = node['kind'] === 'method' && (body['body'] as unknown[]).length > 1;
      if (isPlain && !/\breturn [^;]/.test(source(body)))
        add('return-early', { start: body.start + 1, end: body.start + 1 }, ' return;');
      return;
    }
    default:
  }
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
