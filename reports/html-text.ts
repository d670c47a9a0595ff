/** Text into HTML without surprises. */

/** Text as content or as an attribute value. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** A value inside a script element: `<` cannot end it, line separators cannot break it. */
export function embeddedJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}

export interface HtmlColumn {
  readonly head: string;
  readonly number?: boolean;
}

/** A table; cells are HTML already. `attributes` of a row stand in its `tr`. */
export function htmlTable(
  columns: readonly HtmlColumn[],
  rows: readonly { readonly cells: readonly string[]; readonly attributes?: string }[],
): string {
  const align = columns.map(({ number }) => (number === true ? ' class="n"' : ''));
  const head = columns
    .map((column, index) => `<th scope="col"${align[index] ?? ''}>${escapeHtml(column.head)}</th>`)
    .join('');
  const body = rows.map(
    ({ cells, attributes = '' }) =>
      `<tr${attributes}>${cells.map((cell, index) => `<td${align[index] ?? ''}>${cell}</td>`).join('')}</tr>`,
  );
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table></div>`;
}
