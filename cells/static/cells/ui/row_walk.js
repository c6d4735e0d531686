/** A row's cells one by one, with what they show and how much room each has: for whatever paints them. */

import { isFormula } from "../domain/references.js";
import { shownOf } from "./formats.js";
import { lookOf } from "./looks.js";

/** @typedef {import("./painter.js").View} View */
/** @typedef {import("./ports.js").Stretch} Stretch */
/**
 * @typedef {object} Walked
 * @property {number} column
 * @property {string} text
 * @property {import("./formats.js").Kind} kind
 * @property {import("./looks.js").Look} look
 * @property {number} start in pixels of the sheet
 * @property {number} width
 * @property {number} room how far a text may spill to the right, in pixels from `start`
 * @property {import("./formula_notes.js").Note|undefined} note on its formula
 */

/**
 * Visit cells from the right to the left: a text may spill up to the next cell that is not empty or has another ground.
 * @param {View} view
 * @param {number} row_id
 * @param {Stretch} columns
 * @param {(cell: Walked, column_id: number) => void} visit is handed the same object each time
 */
export function walkRow(view, row_id, { first, last }, visit) {
  const { columnGeometry, columns } = view;
  /** @type {Walked} */
  const cell = { column: 0, text: "", kind: "empty", look: lookOf(undefined), start: 0, width: 0, room: 0, note: undefined };
  let limit = columnGeometry.offsetOf(last + 1);
  let ground = "";
  for (let column = last; column >= first; column -= 1) {
    const column_id = /** @type {number} */ (columns.idAt(column));
    const held = view.cellAt(row_id, column_id);
    [cell.text, cell.kind] = shownOf(held);
    cell.note = held !== undefined && isFormula(held.input) ? view.noteOf?.(held) : undefined;
    cell.column = column;
    cell.look = lookOf(held?.style);
    cell.start = columnGeometry.offsetOf(column);
    cell.width = columnGeometry.sizeOf(column);
    if (cell.look.fill !== ground) {
      ground = cell.look.fill;
      limit = cell.start + cell.width;
    }
    cell.room = limit - cell.start;
    visit(cell, column_id);
    if (cell.kind !== "empty") limit = cell.start;
  }
}
