/**
 * One text per plain JSON value: keys sorted by code unit, no blanks. Two values are equal exactly if their texts are.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const fields = value as Readonly<Record<string, unknown>>;
  let text = '';
  // Every life hashes its plan: names and fields are put together as they come.
  for (const name of Object.keys(fields).sort((a, b) => (a < b ? -1 : 1))) {
    const field = fields[name];
    if (field !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${canonicalJson(field)}`;
  }
  return `{${text}}`;
}
