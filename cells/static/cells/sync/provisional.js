/**
 * Rows that came ahead of a first load, shown until the log's own state has got as far.
 *
 * Each is a whole row as it was at one revision. While the confirmed cells are older, or in between two revisions, it
 * stands in front of them; from that revision on it is forgotten. So it never becomes part of what deltas add up to.
 */

import { cellOf } from "./confirmed.js";

/** @typedef {import("../domain/axes.js").Run} Run */
/** @typedef {import("./confirmed.js").Cell} Cell */
/** @typedef {import("./confirmed.js").WireCell} WireCell */
/** @typedef {{at: number, cells: Map<number, Cell>}} Row */

export class Provisional {
  /** @type {Map<number, Row>} by id */ #rows = new Map();
  #confirmed;

  /** @param {import("./packed_cells.js").PackedCells} confirmed what is shown of all other rows */
  constructor(confirmed) {
    this.#confirmed = confirmed;
  }

  /** @param {number} row */
  has(row) {
    return this.#rows.has(row);
  }

  /**
   * Return a cell as it is best known.
   * @param {number} row
   * @param {number} column
   */
  get(row, column) {
    const ahead = this.#rows.size === 0 ? undefined : this.#rows.get(row);
    return ahead ? ahead.cells.get(column) : this.#confirmed.get(row, column);
  }

  /**
   * Yield the row and column ids of what is known, in no order.
   * @param {{row?: number, column?: number}} [only] of this row or column
   * @returns {Generator<[row: number, column: number]>}
   */
  *among(only = {}) {
    for (const cell of this.#confirmed.among(only)) if (!this.#rows.has(cell[0])) yield cell;
    for (const [row, { cells }] of this.#rows) {
      if (only.row !== undefined && only.row !== row) continue;
      for (const column of cells.keys()) if (only.column === undefined || only.column === column) yield [row, column];
    }
  }

  /**
   * Take rows.loaded; of two states of a row the newer one counts.
   * @param {{at: number, rows: Run[], cells: WireCell[]}} frame
   */
  take({ at, rows, cells }) {
    /** @type {Map<number, Row>} */
    const taken = new Map();
    for (const [first, count] of rows) {
      for (let row = first; row < first + count; row += 1) {
        if ((this.#rows.get(row)?.at ?? 0) <= at) taken.set(row, { at, cells: new Map() });
      }
    }
    for (const wire of cells) {
      const cell = cellOf(wire);
      if (cell) taken.get(wire[0])?.cells.set(wire[1], cell);
    }
    for (const [row, ahead] of taken) this.#rows.set(row, ahead);
  }

  /**
   * The confirmed cells are those of a revision: forget what is not newer.
   * @param {number} revision
   */
  reached(revision) {
    for (const [row, { at }] of this.#rows) if (at <= revision) this.#rows.delete(row);
  }

  /**
   * The log ends at a revision: forget what is from beyond, and so from a log that was replaced.
   * @param {number} head
   */
  keepUpTo(head) {
    for (const [row, { at }] of this.#rows) if (at > head) this.#rows.delete(row);
  }

  clear() {
    this.#rows.clear();
  }
}
