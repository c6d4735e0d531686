/** The sheet as the log has it at one revision: cells, axes and sizes. */

import { Axis } from "../domain/axes.js";
import { cleanStyle, sameStyle } from "../domain/styles.js";
import { PackedCells } from "./packed_cells.js";

/** @typedef {import("../domain/axes.js").Run} Run */
/** @typedef {import("../domain/styles.js").Style} Style */
/** @typedef {{input: string, style?: Style, value?: unknown}} Cell */
/** @typedef {[row_id: number, column_id: number, input: string, style?: object|"", value?: unknown]} WireCell */
/** @typedef {[first_id: number, count: number, pixels: number]} SizeRun */
/** @typedef {import("../domain/axes.js").Death} Death */
/** @typedef {{rows?: Run[], columns?: Run[], row_deaths?: Death[], column_deaths?: Death[], row_sizes?: SizeRun[], column_sizes?: SizeRun[], frozen?: [rows: number, columns: number]}} Shape */

export class Confirmed {
  revision = 0;
  cells = new PackedCells();
  rows = Axis.fromRuns([]);
  columns = Axis.fromRuns([]);
  /** @type {SizeRun[]} */ rowSizes = [];
  /** @type {SizeRun[]} */ columnSizes = [];
  /** How many rows and columns stay in view. */ frozen = { rows: 0, columns: 0 };
  /** @type {number} The revision that the axes and sizes are from: sheet.opened brings them ahead of the cells. */ #shapeRevision = 0;

  /** Forget everything: the next delta starts from revision 0. */
  reset() {
    this.revision = 0;
    this.#shapeRevision = 0;
    this.cells.clear();
  }

  /**
   * Take what a frame says about axes, sizes and what is frozen, unless it is older than what is known.
   * @param {Shape} frame
   * @param {number} revision
   * @returns {boolean} whether anything changed
   */
  takeShape(frame, revision) {
    if (revision < this.#shapeRevision) return false;
    this.#shapeRevision = revision;
    if (frame.rows) this.rows = Axis.fromRuns(frame.rows, frame.row_deaths);
    if (frame.columns) this.columns = Axis.fromRuns(frame.columns, frame.column_deaths);
    if (frame.row_sizes) this.rowSizes = frame.row_sizes;
    if (frame.column_sizes) this.columnSizes = frame.column_sizes;
    if (frame.frozen) this.frozen = { rows: frame.frozen[0], columns: frame.frozen[1] };
    return Boolean(frame.rows || frame.columns || frame.row_sizes || frame.column_sizes || frame.frozen);
  }

  /**
   * Say whether of a cell as the wire has it only the value is another one: nobody has edited it.
   * @param {WireCell} wire
   */
  isCalculated([row, column, input, style, value]) {
    const known = this.cells.get(row, column);
    const isOther = value !== undefined || known?.value !== undefined;
    return known !== undefined && isOther && known.input === input && sameStyle(known.style, /** @type {import("../domain/styles.js").Style|""} */ (style));
  }

  /**
   * Take one cell as the wire has it.
   * @param {WireCell} wire
   */
  takeCell(wire) {
    const cell = cellOf(wire);
    if (cell) this.cells.set(wire[0], wire[1], cell);
    else this.cells.delete(wire[0], wire[1]);
  }
}

/**
 * Return what a cell of the wire holds; undefined if nothing.
 * @param {WireCell} wire
 * @returns {Cell|undefined}
 */
export function cellOf([, , input, raw, value]) {
  const style = raw ? cleanStyle(raw) : undefined;
  if (input === "" && !style && value === undefined) return undefined;
  /** @type {Cell} */
  const cell = { input };
  if (style) cell.style = style;
  if (value !== undefined) cell.value = value;
  return cell;
}
