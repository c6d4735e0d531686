/** Sorting a range by the column of the active cell: its cells are written anew, with their looks, in one step of undo. */

import { parseDate, parseNumber } from "../domain/literals.js";
import { sortedOrder } from "../domain/sorting.js";
import { sameStyle } from "../domain/styles.js";
import { regionAround } from "./movement.js";
import { gettext, locale } from "./words.js";

const MAX_SORTED_CELLS = 200_000; // beyond this the others wait too long

/** @typedef {import("../domain/addresses.js").Range} Range */
/** @typedef {import("../domain/operations.js").Edit} Edit */
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
  const count = (bottom - top + 1) * (right - left + 1);
  if (count > MAX_SORTED_CELLS) {
    tell(gettext("At most %(count)s cells can be sorted at once.", { count: MAX_SORTED_CELLS }));
    return;
  }
  const by = Math.max(left, Math.min(right, selection.active.column));
  /** @type {(row: number, column: number) => ReturnType<Model["cellAt"]>} */
  const cellAt = (row, column) => model.cellAt(/** @type {number} */ (model.rows.idAt(row)), /** @type {number} */ (model.columns.idAt(column)));
  const keys = Array.from({ length: Math.max(0, bottom - top + 1) }, (_, down) => keyOf(cellAt(top + down, by)));
  const { compare } = new Intl.Collator(locale, { numeric: true });
  /** @type {Edit[]} */
  const edits = [];
  for (const [down, from] of sortedOrder(keys, direction, compare).entries()) {
    if (down === from) continue;
    for (let column = left; column <= right; column += 1) {
      const cell = cellAt(top + from, column);
      const before = cellAt(top + down, column);
      const isSame = (cell?.input ?? "") === (before?.input ?? "") && sameStyle(cell?.style, before?.style);
      if (!isSame) edits.push(actions.edit(top + down, column, cell?.input ?? "", cell?.style ?? ""));
    }
  }
  actions.submit(edits);
  selection.selectRange({ top, left, bottom, right });
}

/**
 * @param {ReturnType<Model["cellAt"]>} cell
 * @returns {import("../domain/sorting.js").Key}
 */
function keyOf(cell) {
  const value = cell?.value;
  if (typeof value === "number" || typeof value === "boolean") return value;
  const text = value === undefined ? (cell?.input ?? "") : typeof value === "string" ? value : "";
  if (text === "") return null;
  if (/^(true|false)$/i.test(text.trim())) return /^true$/i.test(text.trim());
  return parseNumber(text)?.value ?? parseDate(text)?.day ?? text;
}
