/**
 * The files of the house, as text: what the tidy tests look at.
 *
 * Owns: where the repository is, which folders hold sources, how imports are read from a text.
 * Does not own: any rule. Rules stand in the test that enforces them.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Folders with sources, in the order of imports: each may import from those before it. */
export const SOURCE_FOLDERS = ['engine', 'sim', 'scenarios', 'bench', 'reports', 'cli'] as const;

export type SourceFolder = (typeof SOURCE_FOLDERS)[number];

export interface SourceFile {
  /** Path from the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface ImportEdge {
  readonly from: string;
  readonly specifier: string;
  /** Path from the root for a relative import; null for a package or a `node:` module. */
  readonly target: string | null;
}

/** Every TypeScript file below a folder, in a fixed order. */
export function sourceFilesIn(folder: string): SourceFile[] {
  const paths: string[] = [];
  const visit = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (entry.name.endsWith('.ts')) paths.push(path);
    }
  };
  if (existsSync(join(ROOT, folder))) visit(join(ROOT, folder));
  return paths
    .map((path) => ({ path: relative(ROOT, path).split(sep).join('/'), text: readFileSync(path, 'utf8') }))
    .sort((left, right) => (left.path < right.path ? -1 : 1));
}

/** A second count, by other means than `sourceFilesIn`: a walker that sees nothing must not pass for a clean house. */
export function countSourceFiles(folder: string): number {
  const entries = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return entries.filter((name) => name.endsWith('.ts')).length;
}

/** The text without comments, line for line, so that prose cannot be taken for code. */
export function withoutComments(text: string): string {
  // Strings and templates are matched first, so that '//' inside one stays.
  const token = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
  return text.replace(token, (match) => (match.startsWith('/') ? match.replace(/[^\n]/g, '') : match));
}

/** Lines that hold code: neither blank nor comment. */
export function countCodeLines(text: string): number {
  return withoutComments(text)
    .split('\n')
    .filter((line) => line.trim() !== '').length;
}

/** All imports and re-exports of a file: static, side-effect and dynamic ones, and `import()` types. */
export function importsOf(file: SourceFile): ImportEdge[] {
  const code = withoutComments(file.text);
  const patterns = [
    /^[ \t]*(?:import|export)\s[^'"`;]*?\bfrom\s*['"]([^'"\n]+)['"]/gm,
    /^[ \t]*import\s*['"]([^'"\n]+)['"]/gm,
    /\bimport\s*\(\s*['"`]([^'"`\n]+)['"`]/g,
  ];
  return patterns.flatMap((pattern) =>
    [...code.matchAll(pattern)].map(([, specifier = '']) => ({
      from: file.path,
      specifier,
      target: specifier.startsWith('.') ? posix.join(posix.dirname(file.path), specifier) : null,
    })),
  );
}

/** The package an import names: `csv-stringify` for `csv-stringify/sync`. */
export function packageName(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '');
}
