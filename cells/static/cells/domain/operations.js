/** Intended edits: their one JSON form, their limits, and how a large one becomes several. */

/** @typedef {import("./axes.js").Run} Run */
/** @typedef {[row_id: number, column_id: number, input: string]} Edit */
/** @typedef {{kind: "set_cells", cells: Edit[]}} SetCells */
/** @typedef {{kind: "insert_rows"|"insert_columns", before: number|null, count: number}} Insert */
/** @typedef {{kind: "delete_rows"|"delete_columns", rows?: Run[], columns?: Run[]}} Delete */
/** @typedef {{kind: "move_rows"|"move_columns", rows?: Run[], columns?: Run[], before: number|null}} Move */
/** @typedef {{kind: "resize", rows?: Run[], columns?: Run[], size: number|null}} Resize */
/** @typedef {SetCells|Insert|Delete|Move|Resize} Operation What travels. */
/** @typedef {{kind: "paste", cell: [row_id: number, column_id: number], values: string[][]}} Paste Waits for rows and columns that are not born; never travels. */
/** @typedef {{kind: "transfer", cells: Edit[], cleared: Edit[], after: string[]}} Transfer Writes `cells` and empties what was cut, in one, once the operations `after` are in the log; falls with them. Travels as set_cells. */
/** @typedef {Operation|Paste|Transfer} Intended What a person wants: kept until it is in the log. */

export const MAX_CELLS_PER_OPERATION = 10_000; // the server's limit: one operation holds a sheet's lock only briefly
export const MAX_OPERATION_BYTES = 200_000; // a frame may have 256 KiB; leave room for its envelope
export const MAX_INPUT_CHARACTERS = 32_767; // what other spreadsheets keep in a cell

/**
 * Return the length in bytes that `text` has as a JSON string in UTF-8; never less than the true one.
 * @param {string} text
 */
function jsonBytes(text) {
  let bytes = 2;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x20) bytes += 6;
    else if (unit === 0x22 || unit === 0x5c) bytes += 2;
    else if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else bytes += 3;
  }
  return bytes;
}

/**
 * Return `text` without what no cell may hold: NUL goes, half a surrogate pair becomes U+FFFD.
 * @param {string} text
 */
export function cleanText(text) {
  return text
    .replaceAll("\u0000", "")
    .replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, "\uFFFD");
}

/**
 * Say whether a cell may hold as much; characters are code points, as the server counts them.
 * @param {string} text
 */
export function isTooLong(text) {
  return text.length > MAX_INPUT_CHARACTERS && [...text].length > MAX_INPUT_CHARACTERS;
}

/**
 * Return as few set_cells operations as the limits allow, in order.
 * @param {Iterable<Edit>} edits
 * @returns {SetCells[]}
 */
export function splitEdits(edits) {
  /** @type {SetCells[]} */
  const operations = [];
  let bytes = Infinity;
  for (const edit of edits) {
    const size = jsonBytes(edit[2]) + `[${edit[0]},${edit[1]},],`.length;
    const last = operations.at(-1);
    if (last && last.cells.length < MAX_CELLS_PER_OPERATION && bytes + size <= MAX_OPERATION_BYTES) {
      last.cells.push(edit);
      bytes += size;
    } else {
      operations.push({ kind: "set_cells", cells: [edit] });
      bytes = size;
    }
  }
  return operations;
}

/**
 * Return what an operation writes, cell by cell; null for what touches axes.
 * @param {Intended} operation
 * @returns {Edit[]|null}
 */
export function editsOf(operation) {
  if (operation.kind === "transfer") return [...operation.cells, ...operation.cleared];
  return operation.kind === "set_cells" ? operation.cells : null;
}

/**
 * Return what a person would want back of an operation that was refused: its texts, a row a line.
 * @param {Intended} operation
 */
export function textOf(operation) {
  if (operation.kind === "paste") return operation.values.map((row) => row.join("\t")).join("\n");
  if (operation.kind !== "set_cells" && operation.kind !== "transfer") return "";
  /** @type {Map<number, string[]>} */
  const lines = new Map();
  for (const [row, , input] of operation.cells) {
    const line = lines.get(row);
    if (line) line.push(input);
    else lines.set(row, [input]);
  }
  return [...lines.values()].map((line) => line.join("\t")).join("\n").trim();
}
