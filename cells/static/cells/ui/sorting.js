/** Sorting a range by the column of the active cell: its rows take each other's places, as one operation. */

import { MAX_OPERATION_BYTES } from "../domain/operations.js";
import { parseDate, parseNumber, textOf } from "../domain/literals.js";
import { isFormula, shifted } from "../domain/references.js";
import { sortedOrder } from "../domain/sorting.js";
import { sameStyle } from "../domain/styles.js";
import { regionAround } from "./movement.js";
import { gettext, locale } from "./words.js";

const MAX_SORTED_CELLS = 200_000; // the server's limit: beyond this the others wait too long
const MAX_SORTED_ROWS = 40_000; // whose order a frame holds

/** @typedef {import("../domain/addresses.js").Range} Range */
/** @typedef {import("../domain/operations.js").ShownEdit} ShownEdit */
/** @typedef {import("./model.js").Model} Model */

/**
 * Return what is sorted: the selection or, of a cell alone, the data around it; no frozen rows, and nothing below the data.
 * @param {Model} model
 * @param {import("./selection.js").Selection} selection
 * @returns {Range}
 */
export function sortedRange(model, selection) {
  const range = selection.isSingle ? regionAround(model, selection.active) : selection.range;
  const top = Math.max(range.top, model.frozen.rows);
  if (range.bottom - top < 1_000) return { ...range, top };
  let bottom = top;
  let right = range.left;
  for (const [row_id, column_id] of model.filled()) {
    const row = model.rows.findPosition(row_id);
    const column = model.columns.findPosition(column_id);
    if (row === undefined || column === undefined || row > range.bottom || column < range.left || column > range.right) continue;
    bottom = Math.max(bottom, row);
    right = Math.max(right, column);
  }
  return { ...range, top, bottom, right };
}

/**
 * @param {Model} model
 * @param {import("./selection.js").Selection} selection
 * @param {import("./actions.js").Actions} actions
 * @param {1|-1} direction
 * @param {(sentence: string) => void} tell why nothing was sorted
 */
export function sortRange(model, selection, actions, direction, tell) {
  if (!model.mayEdit) return;
  const { top, left, bottom, right } = sortedRange(model, selection);
  const height = Math.max(0, bottom - top + 1);
  const tooMany = sayTooMany(height, right - left + 1);
  if (tooMany !== null) return tell(tooMany);
  const by = Math.max(left, Math.min(right, selection.active.column));
  /** @type {(row: number, column: number) => ReturnType<Model["cellAt"]>} */
  const cellAt = (row, column) => model.cellAt(/** @type {number} */ (model.rows.idAt(row)), /** @type {number} */ (model.columns.idAt(column)));
  const keys = Array.from({ length: height }, (_, down) => keyOf(cellAt(top + down, by)));
  const { compare } = new Intl.Collator(locale, { numeric: true });
  /** @type {ShownEdit[]} */
  const shown = [];
  const order = sortedOrder(keys, direction, compare);
  for (const [down, from] of order.entries()) {
    if (down === from) continue;
    for (let column = left; column <= right; column += 1) {
      const cell = cellAt(top + from, column);
      const before = cellAt(top + down, column);
      const { input: held = "", style = "", value } = cell ?? {};
      const input = isFormula(held) ? shifted(held, model, down - from, 0) : held;
      if (input === (before?.input ?? "") && sameStyle(style, before?.style)) continue;
      const edit = actions.edit(top + down, column, input, style);
      shown.push(value === undefined ? edit : [edit[0], edit[1], input, edit[3], value]); // nothing flickers
    }
  }
  if (shown.length > 0) {
    const rows = model.rows.runsBetween(top, bottom);
    const columns = model.columns.runsBetween(left, right);
    if (JSON.stringify({ rows, columns, order }).length > MAX_OPERATION_BYTES) {
      return tell(gettext("These rows have been moved about too much to be sorted at once: choose fewer."));
    }
    model.submit({ kind: "reorder_cells", rows, columns, order, shown });
  }
  selection.selectRange({ top, left, bottom, right });
}

/**
 * @param {number} height
 * @param {number} width
 */
function sayTooMany(height, width) {
  if (height > MAX_SORTED_ROWS) return gettext("At most %(count)s rows can be sorted at once.", { count: MAX_SORTED_ROWS });
  if (height * width > MAX_SORTED_CELLS) return gettext("At most %(count)s cells can be sorted at once.", { count: MAX_SORTED_CELLS });
  return null;
}

/**
 * @param {ReturnType<Model["cellAt"]>} cell
 * @returns {import("../domain/sorting.js").Key}
 */
function keyOf(cell) {
  const value = cell?.value;
  if (value === undefined && isFormula(cell?.input ?? "")) return null; // nobody knows yet
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (value !== undefined) return typeof value === "string" && value !== "" ? value : null;
  const input = cell?.input ?? "";
  if (/^(true|false)$/i.test(input.trim())) return /^true$/i.test(input.trim());
  return parseNumber(input)?.value ?? parseDate(input)?.day ?? (textOf(input) || null);
}
