/** Rows as high as their content needs. */

import { MAX_SIZE_PX, ROW_HEIGHT_PX } from "./model.js";

/** @typedef {import("./model.js").Model} Model */
/**
 * @typedef {object} Measures what only who paints can tell
 * @property {(cell: ReturnType<Model["cellAt"]>, column: number) => number} heightOf that a row must have for a cell; 0 for an empty one
 * @property {(row: number) => number} rowHeight as it is now
 */

/**
 * Give rows the height of their highest content.
 * @param {Model} model
 * @param {number} first
 * @param {number} last
 * @param {Measures} measures
 * @param {"exactly"|"growing"} how growing: rows that have a height of their own keep it, none gets lower
 */
export function fitRows(model, first, last, measures, how) {
  const { rows, columns } = model;
  /** @type {Map<number|null, [first: number, last: number][]>} rows of one height travel together */
  const alike = new Map();
  for (let row = first; row <= last; row += 1) {
    if (how === "growing" && measures.rowHeight(row) !== ROW_HEIGHT_PX) continue;
    let height = ROW_HEIGHT_PX;
    for (const [row_id, column_id] of model.filled({ row: rows.idAt(row) })) {
      const column = columns.findPosition(column_id);
      if (column !== undefined) height = Math.max(height, measures.heightOf(model.cellAt(row_id, column_id), column));
    }
    height = Math.min(height, MAX_SIZE_PX);
    if (height === measures.rowHeight(row)) continue;
    const size = height === ROW_HEIGHT_PX ? null : height;
    const stretches = alike.get(size) ?? [];
    const neighbour = stretches.at(-1);
    if (neighbour?.[1] === row - 1) neighbour[1] = row;
    else stretches.push([row, row]);
    alike.set(size, stretches);
  }
  model.asOneStep(() => {
    for (const [size, stretches] of alike) {
      model.submit({ kind: "resize", rows: stretches.flatMap(([from, to]) => rows.runsBetween(from, to)), size });
    }
  });
}
