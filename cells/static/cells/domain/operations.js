/** Intended edits: their one JSON form, their limits, and how a large one becomes several. */

import { isFormula, renamed, typedOf } from "./references.js";

/** @typedef {import("./axes.js").Run} Run */
/** @typedef {import("./references.js").Axes} Axes */
/** @typedef {import("./styles.js").Style} Style */
/** @typedef {import("./styles.js").StyleChanges} StyleChanges */
/** @typedef {[row_id: number, column_id: number, input: string, style?: Style|"", value?: unknown]} ShownEdit An edit, and what its formula comes to as far as that is known. */
/** @typedef {[row_id: number, column_id: number, input: string, style?: Style|""]} Edit A style replaces the cell's, "" clears it; without one it stays. */
/** @typedef {{kind: "set_cells", cells: Edit[]}} SetCells */
/** @typedef {{kind: "insert_rows"|"insert_columns", before: number|null, count: number}} Insert */
/** @typedef {{kind: "delete_rows"|"delete_columns", rows?: Run[], columns?: Run[]}} Delete */
/** @typedef {{kind: "move_rows"|"move_columns", rows?: Run[], columns?: Run[], before: number|null}} Move */
/** @typedef {{kind: "resize", rows?: Run[], columns?: Run[], size: number|null}} Resize */
/** @typedef {{kind: "set_styles", rows: Run[], columns: Run[], style: StyleChanges|""}} SetStyles Of every cell in rows × columns; merges, "" clears. */
/** @typedef {{kind: "reorder_cells", rows: Run[], columns: Run[], order: number[], shown?: ShownEdit[]}} ReorderCells The i-th of `rows` gets, in `columns`, what the order[i]-th has; `shown` is what that comes to here, and never travels. */
/** @typedef {{kind: "freeze", rows: number, columns: number}} Freeze How many rows and columns stay in view. */
/** @typedef {{kind: "undo"|"redo", operation_id: string}} TakeBack Names the operation that is taken back, or done again. */
/** @typedef {{kind: "restore", revision: number, range?: [top_row_id: number, left_column_id: number, bottom_row_id: number, right_column_id: number], seen?: number}} Restore Makes the sheet, or what was a range of it, what it was at a revision; what that comes to the server knows. `seen`: the revision that was here when it was submitted. */
/** @typedef {SetCells|SetStyles|ReorderCells|Insert|Delete|Move|Resize|Freeze|TakeBack|Restore} Operation What travels. */
/** @typedef {{first: number, offset: number}} Expected The ids from `first` on stand for what is not born; the first of it comes so many places behind the cell that is pasted at. */
/** @typedef {{kind: "paste", cell: [row_id: number, column_id: number], values: string[][], styles?: (Style|""|null)[][], expected?: {rows: Expected, columns: Expected}}} Paste Waits for rows and columns that are not born; its formulas may name these. Null leaves a cell's style. Never travels. */
/** @typedef {{kind: "transfer", cells: Edit[], cleared: Edit[], after: string[]}} Transfer Writes `cells` and empties what was cut, in one, once the operations `after` are in the log; falls with them. Travels as set_cells. */
/** @typedef {Operation|Paste|Transfer} Intended What a person wants: kept until it is in the log. */

export const MAX_CELLS_PER_OPERATION = 10_000; // the server's limit: one operation holds a sheet's lock only briefly
export const MAX_OPERATION_BYTES = 260_000; // a frame may have 256 KiB, its envelope has 130 bytes
export const MAX_INPUT_CHARACTERS = 32_767; // what other spreadsheets keep in a cell

/**
 * Return the length in bytes that `text` has as a JSON string in UTF-8.
 * @param {string} text
 */
function jsonBytes(text) {
  let bytes = 2;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit === 0x22 || unit === 0x5c) bytes += 2;
    else if (unit >= 0x20 && unit < 0x80) bytes += 1;
    else if (unit < 0x20) bytes += "\b\t\n\f\r".includes(text[index]) ? 2 : 6;
    else if (unit < 0x800) bytes += 2;
    else if (unit < 0xd800 || unit > 0xdfff) bytes += 3;
    else if (unit < 0xdc00 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00) {
      bytes += 4;
      index += 1;
    } else bytes += 6; // half a pair is escaped
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
    const [row, column, input, style] = edit;
    let size = jsonBytes(input) + `[${row},${column},],`.length;
    if (style !== undefined) size += JSON.stringify(style).length + 1; // all of it ASCII
    const whole = style === undefined && edit.length > 3 ? /** @type {Edit} */ ([row, column, input]) : edit; // JSON has no undefined
    const last = operations.at(-1);
    if (last && last.cells.length < MAX_CELLS_PER_OPERATION && bytes + size <= MAX_OPERATION_BYTES) {
      last.cells.push(whole);
      bytes += size;
    } else {
      operations.push({ kind: "set_cells", cells: [whole] });
      bytes = size;
    }
  }
  return operations;
}

/**
 * Return as few set_styles operations as the limits allow, from the first row to the last.
 * @param {readonly Run[]} rows
 * @param {readonly Run[]} columns
 * @param {StyleChanges|""} style
 * @returns {SetStyles[]}
 */
export function splitStyles(rows, columns, style) {
  return split(columns, MAX_CELLS_PER_OPERATION).flatMap((across) => {
    const width = across.reduce((sum, [, count]) => sum + count, 0);
    const down = split(rows, Math.floor(MAX_CELLS_PER_OPERATION / width));
    return down.map((some) => /** @type {SetStyles} */ ({ kind: "set_styles", rows: some, columns: across, style }));
  });
}

/**
 * Cut runs into groups of at most `most` ids.
 * @param {readonly Run[]} runs
 * @param {number} most
 * @returns {Run[][]}
 */
function split(runs, most) {
  /** @type {Run[][]} */
  const groups = [];
  let room = 0;
  for (let [first, count] of runs) {
    while (count > 0) {
      if (room === 0) {
        groups.push([]);
        room = most;
      }
      const taken = Math.min(count, room);
      groups[groups.length - 1].push([first, taken]);
      room -= taken;
      first += taken;
      count -= taken;
    }
  }
  return groups;
}

/**
 * Return what an operation writes, cell by cell; null for what names no single cells.
 * @param {Intended} operation
 * @returns {Edit[]|null}
 */
export function editsOf(operation) {
  if (operation.kind === "transfer") return [...operation.cells, ...operation.cleared];
  return operation.kind === "set_cells" ? operation.cells : null;
}

/**
 * Return what is shown of an operation, cell by cell, until the log has it; null for what writes no single cells.
 * @param {Intended} operation
 * @returns {ShownEdit[]|null}
 */
export function shownOf(operation) {
  return operation.kind === "reorder_cells" ? (operation.shown ?? []) : editsOf(operation);
}

/**
 * Return an operation as the server knows it.
 * @param {Exclude<Intended, Paste>} operation
 * @returns {Operation}
 */
export function forTheWire(operation) {
  if (operation.kind === "transfer") return { kind: "set_cells", cells: [...operation.cells, ...operation.cleared] };
  if (operation.kind === "restore") {
    const { seen, ...wanted } = operation;
    return wanted;
  }
  if (operation.kind !== "reorder_cells") return operation;
  const { kind, rows, columns, order } = operation;
  return { kind, rows, columns, order };
}

/**
 * Say whether an operation takes another one back, or does it again.
 * @param {Intended} operation
 * @returns {operation is TakeBack}
 */
export function isTakeBack(operation) {
  return operation.kind === "undo" || operation.kind === "redo";
}

/**
 * Return what a person would want back of an operation that was refused: its texts as they are typed, a row a line.
 * @param {Intended} operation
 * @param {Axes} axes
 */
export function textOf(operation, axes) {
  if (operation.kind === "paste") return textsOf(operation, axes).map((row) => row.join("\t")).join("\n");
  if (operation.kind !== "set_cells" && operation.kind !== "transfer") return "";
  /** @type {Map<number, string[]>} */
  const lines = new Map();
  for (const [row, , input] of operation.cells) {
    const line = lines.get(row);
    const text = typedOf(input, axes);
    if (line) line.push(text);
    else lines.set(row, [text]);
  }
  return [...lines.values()].map((line) => line.join("\t")).join("\n").trim();
}

/**
 * Return the texts of a paste, as if what it waits for were born at the end.
 * @param {Paste} paste
 * @param {Axes} axes
 */
function textsOf({ values, expected }, { rows, columns }) {
  const size = values.reduce((widest, line) => Math.max(widest, line.length), 1);
  const axes = { rows: rows.insert(null, values.length), columns: columns.insert(null, size) };
  /** @type {(input: string) => string} */
  const settled = (input) => renamed(input, (id) => later(id, expected?.rows, rows.nextId), (id) => later(id, expected?.columns, columns.nextId));
  return values.map((line) => line.map((input) => typedOf(expected && isFormula(input) ? settled(input) : input, axes)));
}

/**
 * @param {number} id
 * @param {Expected|undefined} expected
 * @param {number} first the id that the first one gets
 */
function later(id, expected, first) {
  return expected && id >= expected.first ? first + id - expected.first : id;
}
