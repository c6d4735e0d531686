/** Rows of texts as the clipboard carries them: tabs between cells, line feeds between rows, quotes where needed. */

/**
 * Read tab-separated rows. A cell in quotes may hold tabs, line feeds and doubled quotes; a quote that does not open and
 * close a whole cell is a character like others.
 * @param {string} text
 * @returns {string[][]}
 */
export function parseTsv(text) {
  const source = text.replace(/\r\n?/g, "\n").replace(/\n$/, "");
  const quoted = /"((?:[^"]|"")*)"(?=[\t\n]|$)/y;
  const plain = /[^\t\n]*/y;
  /** @type {string[][]} */
  const rows = [[]];
  let place = 0;
  for (;;) {
    quoted.lastIndex = plain.lastIndex = place;
    const found = quoted.exec(source);
    const cell = found ? found[0] : /** @type {RegExpExecArray} */ (plain.exec(source))[0];
    /** @type {string[]} */ (rows.at(-1)).push(found ? found[1].replaceAll('""', '"') : cell);
    place += cell.length;
    if (place >= source.length) return rows;
    if (source[place] === "\n") rows.push([]);
    place += 1;
  }
}

/**
 * @param {readonly (readonly string[])[]} rows
 * @returns {string}
 */
export function formatTsv(rows) {
  /** @param {string} cell */
  const format = (cell) => (/[\t\n\r]|^"/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return rows.map((row) => row.map(format).join("\t")).join("\n");
}
