/** Where the keyboard leads. */

/** @typedef {import("./model.js").Model} Model */
/** @typedef {{row: number, column: number}} Place */
/** @typedef {import("../domain/addresses.js").Range} Range */

/**
 * Return where Ctrl with an arrow leads: to the end of the block of filled cells, else to the next filled cell, else to
 * the end of the axis.
 * @param {number} position
 * @param {1|-1} direction
 * @param {ReadonlySet<number>} filled positions on this line
 * @param {number} length of the axis
 */
export function edgeOfData(position, direction, filled, length) {
  const last = direction > 0 ? length - 1 : 0;
  if (filled.has(position) && filled.has(position + direction)) {
    while (filled.has(position + direction)) position += direction;
    return position;
  }
  let nearest = last;
  for (const candidate of filled) {
    const isAhead = (candidate - position) * direction > 0;
    if (isAhead && (nearest - candidate) * direction > 0) nearest = candidate;
  }
  return nearest;
}

/**
 * Return where Ctrl with an arrow leads from a place. One of `down` and `right` is 1 or -1, the other 0.
 * @param {Model} model
 * @param {Place} from
 * @param {number} down
 * @param {number} right
 * @returns {Place}
 */
export function jump(model, { row, column }, down, right) {
  const { rows, columns } = model;
  const isDown = down !== 0;
  /** @type {Set<number>} */
  const positions = new Set();
  for (const [row_id, column_id] of model.filled(isDown ? { column: columns.idAt(column) } : { row: rows.idAt(row) })) {
    const position = isDown ? rows.findPosition(row_id) : columns.findPosition(column_id);
    if (position !== undefined) positions.add(position);
  }
  if (isDown) return { row: edgeOfData(row, down > 0 ? 1 : -1, positions, rows.length), column };
  return { row, column: edgeOfData(column, right > 0 ? 1 : -1, positions, columns.length) };
}

/**
 * Return the last filled cell of a row or, with null, where the last filled row and the last filled column meet.
 * @param {Model} model
 * @param {number|null} row
 * @returns {Place}
 */
export function lastFilled(model, row) {
  const { rows, columns } = model;
  const end = { row: row ?? 0, column: 0 };
  for (const [row_id, column_id] of model.filled(row === null ? {} : { row: rows.idAt(row) })) {
    const at = { row: rows.findPosition(row_id), column: columns.findPosition(column_id) };
    if (at.row === undefined || at.column === undefined) continue;
    end.row = Math.max(end.row, at.row);
    end.column = Math.max(end.column, at.column);
  }
  return end;
}

/**
 * Return the block of filled cells that a place belongs to or touches: no filled cell lies beside it.
 * @param {Model} model
 * @param {Place} place
 * @returns {Range}
 */
export function regionAround(model, { row, column }) {
  const { rows, columns } = model;
  /** @type {(row: number, column: number) => boolean} */
  const isFilled = (row, column) => {
    const row_id = rows.idAt(row);
    const column_id = columns.idAt(column);
    return row_id !== undefined && column_id !== undefined && model.inputAt(row_id, column_id) !== "";
  };
  const region = { top: row, left: column, bottom: row, right: column };
  /** @type {(row: number) => boolean} */
  const isRowFilled = (row) => {
    for (let at = region.left - 1; at <= region.right + 1; at += 1) if (isFilled(row, at)) return true;
    return false;
  };
  /** @type {(column: number) => boolean} */
  const isColumnFilled = (column) => {
    for (let at = region.top - 1; at <= region.bottom + 1; at += 1) if (isFilled(at, column)) return true;
    return false;
  };
  for (let isGrowing = true; isGrowing; ) {
    isGrowing = false;
    for (; isRowFilled(region.top - 1); isGrowing = true) region.top -= 1;
    for (; isRowFilled(region.bottom + 1); isGrowing = true) region.bottom += 1;
    for (; isColumnFilled(region.left - 1); isGrowing = true) region.left -= 1;
    for (; isColumnFilled(region.right + 1); isGrowing = true) region.right += 1;
  }
  return region;
}
