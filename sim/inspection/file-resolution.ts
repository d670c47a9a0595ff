/**
 * Where the files that a `_metadata` names lie below the folder that is looked at.
 *
 * Checkpoints name their files by their whole path on the storage; whoever inspects one folder of it sees only the end of that path.
 * Invariant I1: all files of one `_metadata` are resolved alike: one leading part is cut off each path, or none.
 */

/** The leading part, with its slash: the shortest with which the most files are found; empty when that is none. */
export function mountOf(paths: readonly string[], isThere: (path: string) => boolean): string {
  let best = { mount: '', found: countFound(paths, '', isThere) };
  for (const mount of leadingParts(paths)) {
    const found = countFound(paths, mount, isThere);
    if (found > best.found) best = { mount, found };
  }
  return best.mount;
}

/** Undefined: it lies outside of the folder. */
export function resolvedAt(path: string, mount: string): string | undefined {
  return path.startsWith(mount) ? path.slice(mount.length) : undefined;
}

function countFound(paths: readonly string[], mount: string, isThere: (path: string) => boolean): number {
  return paths.filter((path) => {
    const resolved = resolvedAt(path, mount);
    return resolved !== undefined && isThere(resolved);
  }).length;
}

/** Shortest first. */
function leadingParts(paths: readonly string[]): readonly string[] {
  const parts = new Set<string>();
  for (const path of paths)
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1))
      parts.add(path.slice(0, slash + 1));
  return [...parts].sort((a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0));
}
