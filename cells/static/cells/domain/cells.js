/** Something for each cell, by row id and column id; and the cells of whole rows × columns. */

import { lastNotAbove, spansOf } from "./axes.js";

/** @typedef {import("./axes.js").Run} Run */
/** @typedef {import("./axes.js").Span} Span */

/** @template T */
export class CellMap {
  /** @type {Map<number, Map<number, T>>} */ #rows = new Map();

  /**
   * @param {number} row
   * @param {number} column
   * @returns {T|undefined}
   */
  get(row, column) {
    return this.#rows.get(row)?.get(column);
  }

  /**
   * @param {number} row
   * @param {number} column
   * @param {T} content
   */
  set(row, column, content) {
    let columns = this.#rows.get(row);
    if (columns === undefined) this.#rows.set(row, (columns = new Map()));
    columns.set(column, content);
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  delete(row, column) {
    const columns = this.#rows.get(row);
    if (columns?.delete(column) && columns.size === 0) this.#rows.delete(row);
  }

  clear() {
    this.#rows.clear();
  }

  /** @returns {IterableIterator<[number, Map<number, T>]>} */
  rows() {
    return this.#rows.entries();
  }

  /**
   * @param {number} row
   * @returns {ReadonlyMap<number, T>|undefined}
   */
  row(row) {
    return this.#rows.get(row);
  }

  /**
   * Yield the row and column ids of what is held, in no order.
   * @param {{row?: number, column?: number}} [only] of this row or column
   * @returns {Generator<[row: number, column: number]>}
   */
  *among({ row, column } = {}) {
    for (const [row_id, columns] of row === undefined ? this.#rows : [/** @type {const} */ ([row, this.#rows.get(row)])]) {
      if (columns === undefined || (column !== undefined && !columns.has(column))) continue;
      for (const column_id of column === undefined ? columns.keys() : [column]) yield [row_id, column_id];
    }
  }

  /**
   * Say whether any cell is in both.
   * @param {CellMap<unknown>} other
   */
  meets(other) {
    for (const [row, columns] of this.#rows) {
      const theirs = other.row(row);
      if (theirs === undefined) continue;
      for (const column of columns.keys()) if (theirs.has(column)) return true;
    }
    return false;
  }
}

/** Rows × columns, by ids: as cheap for a million cells as for one. */
export class Area {
  #rows;
  #columns;
  #from;
  #to;

  /**
   * Throws malformed.
   * @param {readonly Run[]} rows
   * @param {readonly Run[]} columns
   */
  constructor(rows, columns) {
    this.#rows = spansOf(rows);
    this.#columns = spansOf(columns);
    this.#from = this.#rows[0]?.from ?? 0; // most areas are told apart by their first and last row
    this.#to = this.#rows.at(-1)?.to ?? 0;
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  has(row, column) {
    return row >= this.#from && row < this.#to && isIn(this.#columns, column) && isIn(this.#rows, row);
  }

  /**
   * Say whether any cell is in both.
   * @param {Area|CellMap<unknown>} other
   */
  meets(other) {
    if (other instanceof Area) return overlap(this.#rows, other.#rows) && overlap(this.#columns, other.#columns);
    for (const [row, columns] of other.rows()) {
      if (!isIn(this.#rows, row)) continue;
      for (const column of columns.keys()) if (isIn(this.#columns, column)) return true;
    }
    return false;
  }

  /**
   * Yield the row and column ids of all cells.
   * @param {{row?: number, column?: number}} [only] of this row or column
   * @returns {Generator<[number, number]>}
   */
  *cells({ row, column } = {}) {
    for (const row_id of idsIn(this.#rows, row)) {
      for (const column_id of idsIn(this.#columns, column)) yield [row_id, column_id];
    }
  }
}

/**
 * @param {Span[]} spans
 * @param {number} id
 */
function isIn(spans, id) {
  const span = spans[lastNotAbove(spans.length, (place) => spans[place].from, id)];
  return span !== undefined && id < span.to;
}

/**
 * @param {Span[]} some
 * @param {Span[]} others
 */
function overlap(some, others) {
  let place = 0;
  for (const { from, to } of some) {
    while (place < others.length && others[place].to <= from) place += 1;
    if (place < others.length && others[place].from < to) return true;
  }
  return false;
}

/**
 * @param {Span[]} spans
 * @param {number} [only]
 */
function* idsIn(spans, only) {
  if (only !== undefined) {
    if (isIn(spans, only)) yield only;
    return;
  }
  for (const { from, to } of spans) for (let id = from; id < to; id += 1) yield id;
}
