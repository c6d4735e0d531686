/** What a paste beyond the edge of the grid needs: first births, then edits. */

import { MAX_COLUMNS, MAX_ROWS } from "../domain/addresses.js";
import { SheetSyncError } from "../domain/errors.js";
import { splitEdits } from "../domain/operations.js";
import { isFormula, renamed } from "../domain/references.js";

/** @typedef {import("../domain/axes.js").Axis} Axis */
/** @typedef {import("../domain/operations.js").Edit} Edit */
/** @typedef {import("../domain/operations.js").Expected} Expected */
/** @typedef {import("../domain/operations.js").Operation} Operation */
/** @typedef {import("../domain/operations.js").Paste} Paste */

/**
 * Return the rows and columns that must be born before `paste` fits or, once it fits, its edits.
 * @param {Paste} paste
 * @param {Axis} rows
 * @param {Axis} columns
 * @returns {{births: Operation[], edits: Operation[]}|{error: SheetSyncError}}
 */
export function planPaste({ cell, values, styles, expected }, rows, columns) {
  const top = rows.findPosition(cell[0]);
  const left = columns.findPosition(cell[1]);
  if (top === undefined || left === undefined) {
    return { error: new SheetSyncError("deleted", "The cell to paste at was deleted.") };
  }
  const width = values.reduce((widest, line) => Math.max(widest, line.length), 0);
  if (top + values.length > MAX_ROWS || left + width > MAX_COLUMNS) {
    return { error: new SheetSyncError("limit_exceeded", "What you pasted is larger than a sheet may be.") };
  }
  /** @type {Operation[]} */
  const births = [];
  const missingRows = top + values.length - rows.length;
  const missingColumns = left + width - columns.length;
  if (missingRows > 0) births.push({ kind: "insert_rows", before: null, count: missingRows });
  if (missingColumns > 0) births.push({ kind: "insert_columns", before: null, count: missingColumns });
  if (births.length > 0) return { births, edits: [] };
  /** @type {(axis: Axis, start: number, id: number, awaited: Expected|undefined) => number} */
  const born = (axis, start, id, awaited) => (awaited && id >= awaited.first ? (axis.idAt(start + awaited.offset + id - awaited.first) ?? id) : id);
  /** @type {(input: string) => string} formulas may name what has only now been born */
  const settled = (input) => renamed(input, (id) => born(rows, top, id, expected?.rows), (id) => born(columns, left, id, expected?.columns));
  /** @type {Edit[]} */
  const edits = [];
  values.forEach((line, down) => {
    const row = /** @type {number} */ (rows.idAt(top + down));
    line.forEach((given, right) => {
      const input = expected && isFormula(given) ? settled(given) : given;
      const column = /** @type {number} */ (columns.idAt(left + right));
      const style = styles?.[down]?.[right] ?? null;
      edits.push(style === null ? [row, column, input] : [row, column, input, style]);
    });
  });
  return { births, edits: splitEdits(edits) };
}
