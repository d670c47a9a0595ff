/**
 * Who may import whom, read from the sources with a regexp.
 *
 * The compiler (project references) and lint (noRestrictedImports) keep the same borders; this test judges by resolved
 * path and by an allow-list, so that a glob which stopped to match cannot open a border unseen.
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  countSourceFiles,
  type ImportEdge,
  importsOf,
  packageName,
  ROOT,
  SOURCE_FOLDERS,
  type SourceFolder,
  sourceFilesIn,
  withoutComments,
} from './source-files.ts';

/** What a folder may import beside itself. 'declared' is any runtime dependency of package.json. */
const ALLOWED: Record<SourceFolder, { folders: readonly string[]; packages: readonly string[] | 'declared' }> = {
  engine: { folders: [], packages: [] },
  sim: { folders: ['engine'], packages: ['seedrandom'] },
  scenarios: { folders: ['sim', 'engine'], packages: ['yaml', 'zod'] },
  bench: { folders: ['scenarios', 'sim', 'engine'], packages: 'declared' },
  reports: { folders: ['bench', 'scenarios', 'sim', 'engine'], packages: 'declared' },
  cli: { folders: ['reports', 'bench', 'scenarios', 'sim', 'engine'], packages: 'declared' },
};

/** The files that touch the world. One more needs a decision record in docs/. */
const IMPURE_FILES = ['cli/files.ts', 'cli/terminal.ts', 'cli/workers.ts', 'bench/wall-clock.ts'];
/** The one file that speaks to the network, and what it does so with (decision 0081). */
const NETWORK_FILE = 'cli/s3-bucket.ts';
const NETWORK_PACKAGES = ['aws4fetch'];

/** Parts of the engine that all of sim may see; the rest is for the composition of the cluster. */
const ENGINE_VOCABULARY = /^engine\/(?:foundation|protocol|job)\//;
const KNOWS_WHOLE_ENGINE = /^sim\/(cluster\/|simulate\.ts$|judges\/state-decoders\.ts$)/;

const declared = Object.keys(
  (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { dependencies: Record<string, string> })
    .dependencies,
);

/** Why an edge is refused and what to do instead; null when it is fine. */
function refusal(folder: SourceFolder, edge: ImportEdge): string | null {
  const { folders, packages } = ALLOWED[folder];
  if (edge.target === null) return packageRefusal(folder, edge, packages === 'declared' ? declared : packages);
  if (!edge.target.endsWith('.ts')) return 'write the specifier with its .ts ending';
  if (!existsSync(join(ROOT, edge.target))) return 'this file does not exist: correct the path';
  const target = edge.target.split('/')[0] ?? '';
  if (target === folder) {
    return edge.target === `${folder}/index.ts`
      ? 'import the file itself; index.ts is the door for other folders'
      : null;
  }
  if (!folders.includes(target)) {
    return `${folder} may import from ${['itself', ...folders].join(', ')}: move the shared part down, or pass it in`;
  }
  if (folder === 'sim' && !ENGINE_VOCABULARY.test(edge.target) && !KNOWS_WHOLE_ENGINE.test(edge.from)) {
    return 'only sim/cluster/, sim/simulate.ts and (for state files) sim/judges/state-decoders.ts know the whole engine: import from engine/foundation, protocol or job';
  }
  return null;
}

function packageRefusal(folder: SourceFolder, edge: ImportEdge, packages: readonly string[]): string | null {
  if (edge.specifier.startsWith('node:')) {
    return IMPURE_FILES.includes(edge.from) ? null : `only ${IMPURE_FILES.join(', ')} touch the world: go through them`;
  }
  if (NETWORK_PACKAGES.includes(packageName(edge.specifier)) && edge.from !== NETWORK_FILE)
    return `only ${NETWORK_FILE} speaks to the network: go through it`;
  if (packages.includes(packageName(edge.specifier))) return null;
  return `${folder} may import the packages [${packages.join(', ')}]: pass the value in, or add the package to ALLOWED and dependencies`;
}

describe.each(SOURCE_FOLDERS)('imports of %s', (folder) => {
  const files = sourceFilesIn(folder);

  it('are read from every file there is', () => {
    expect(files.length, 'sourceFilesIn() misses files: repair the walker').toBe(countSourceFiles(folder));
    expect(files.length, `${folder} has no source file: repair SOURCE_FOLDERS`).toBeGreaterThan(0);
  });

  it('are all found by the patterns', () => {
    const missed = files.filter((file) => {
      const mentions = [...withoutComments(file.text).matchAll(/^.*\bfrom\s+['"]\S+['"];?$/gm)].length;
      return importsOf(file).length < mentions;
    });
    expect(
      missed.map((file) => file.path),
      'importsOf() misses an import here: repair its patterns',
    ).toEqual([]);
  });

  it('stay inside the allowed set', () => {
    const refused = files.flatMap((file) =>
      importsOf(file).flatMap((edge) => {
        const reason = refusal(folder, edge);
        return reason === null ? [] : [`${edge.from} imports '${edge.specifier}': ${reason}`];
      }),
    );
    expect(refused).toEqual([]);
  });

  it('are never computed', () => {
    const computed = files.filter((file) => /\bimport\s*\(\s*(?!['"\s])/.test(withoutComments(file.text)));
    expect(
      computed.map((file) => file.path),
      'write the specifier of import() as a string, so that it can be judged',
    ).toEqual([]);
  });
});

describe('the judge of imports', () => {
  const judge = (folder: SourceFolder, from: string, specifier: string): string | null => {
    const [edge] = importsOf({ path: from, text: `import type { A } from '${specifier}';\n` });
    return edge === undefined ? 'no edge was found' : refusal(folder, edge);
  };

  it.each<[SourceFolder, string, string]>([
    ['engine', 'engine/checkpoint/a.ts', '../../sim/index.ts'],
    ['engine', 'engine/a.ts', 'seedrandom'],
    ['engine', 'engine/a.ts', 'node:fs'],
    ['engine', 'engine/checkpoint/a.ts', '../index.ts'],
    ['sim', 'sim/kernel/a.ts', '../../engine/index.ts'],
    ['sim', 'sim/a.ts', 'yaml'],
    ['scenarios', 'scenarios/a.ts', '../cli/index.ts'],
    ['reports', 'reports/a.ts', 'vitest'],
    ['cli', 'cli/index-of-nothing.ts', 'node:fs'],
    ['cli', 'cli/a.ts', '../tests/tidy/source-files.ts'],
    ['cli', 'cli/a.ts', 'aws4fetch'],
    ['bench', 'bench/a.ts', 'aws4fetch'],
    ['bench', 'bench/a.ts', '../sim/index.js'],
  ])('%s: refuses that %s imports %s', (folder, from, specifier) => {
    expect(judge(folder, from, specifier)).toEqual(expect.any(String));
  });

  it.each<[SourceFolder, string, string]>([
    ['sim', 'sim/kernel/a.ts', 'seedrandom'],
    ['sim', 'sim/cluster/a.ts', '../../engine/index.ts'],
    ['scenarios', 'scenarios/a.ts', '../sim/index.ts'],
    ['bench', 'bench/a.ts', 'csv-stringify/sync'],
    ['cli', 'cli/files.ts', 'node:fs'],
    ['cli', 'cli/s3-bucket.ts', 'aws4fetch'],
  ])('%s: accepts that %s imports %s', (folder, from, specifier) => {
    expect(judge(folder, from, specifier)).toBeNull();
  });

  it('is not misled by comments, and sees dynamic, side-effect, re-exporting and many-line imports', () => {
    const text = [
      "// import { a } from '../a.ts';",
      "/* import { b } from '../b.ts'; */",
      "import {\n  c,\n  d,\n} from '../c.ts';",
      "import '../d.ts';",
      "export * from '../e.ts';",
      "const f = await import('../f.ts');",
      "type G = import('../g.ts').G;",
    ].join('\n');
    const targets = importsOf({ path: 'sim/kernel/x.ts', text }).map((edge) => edge.target);
    expect(targets.sort()).toEqual(['sim/c.ts', 'sim/d.ts', 'sim/e.ts', 'sim/f.ts', 'sim/g.ts']);
  });
});
