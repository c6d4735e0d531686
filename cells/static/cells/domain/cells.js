/** Something for each cell, by row id and column id. */

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
