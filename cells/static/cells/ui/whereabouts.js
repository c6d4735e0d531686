/** Where a person is on the sheet, as others are told. */

/** @typedef {{cell: [number, number]|null, range: [number, number, number, number]|null, editing: boolean}} Whereabouts by ids */

/**
 * @param {import("./model.js").Model} model
 * @param {import("./selection.js").Selection} selection
 * @param {{row: number, column: number}|null} edited ids of the cell that is being edited
 * @returns {Whereabouts}
 */
export function whereaboutsOf({ rows, columns }, { active, range, isSingle }, edited) {
  const { row, column } = edited ?? { row: rows.idAt(active.row) ?? -1, column: columns.idAt(active.column) ?? -1 };
  const { top, left, bottom, right } = range;
  const corners = [rows.idAt(top), columns.idAt(left), rows.idAt(bottom), columns.idAt(right)];
  return { cell: [row, column], range: isSingle ? null : /** @type {[number, number, number, number]} */ (corners), editing: edited !== null };
}
