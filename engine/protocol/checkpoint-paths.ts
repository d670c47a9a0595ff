/** What the path of a checkpoint's file says. */

/** `<root>chk-<n>/...` gives n; anything else NaN, which compares with nothing. */
export function checkpointIdOf(path: string, root: string): number {
  const rest = path.slice(`${root}chk-`.length);
  const slash = rest.indexOf('/');
  return slash <= 0 ? Number.NaN : Number(rest.slice(0, slash));
}
