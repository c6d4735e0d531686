/** What unacknowledged operations show on top of the confirmed cells; found without a look at each of their cells. */

import { CellMap } from "../domain/cells.js";
import { mergeStyle } from "../domain/styles.js";

/** @typedef {import("../domain/operations.js").SetStyles} SetStyles */
/** @typedef {import("../domain/styles.js").Style} Style */
/** @typedef {import("./unacknowledged.js").Entry} Entry */

export class Overlay {
  /** @type {CellMap<Entry>} The newest entry that writes a cell. */ writers = new CellMap();
  /** @type {CellMap<Entry>} The newest entry that replaces a cell's style. */ stylers = new CellMap();
  /** @type {Entry[]} Those that merge a style into rows × columns, by order. */ areas = [];
  #count = 0;

  /** Whether nothing is shown. */
  get isEmpty() {
    return this.#count === 0;
  }

  /** @param {Entry} entry */
  add(entry) {
    if (entry.cells === null && entry.area === null) return;
    this.#count += 1;
    if (entry.area !== null) {
      this.areas.push(entry);
      this.areas.sort((a, b) => a.order - b.order);
    }
    for (const [row, columns] of entry.cells?.rows() ?? []) {
      for (const [column, edit] of columns) {
        put(this.writers, row, column, entry);
        if (edit[3] !== undefined) put(this.stylers, row, column, entry);
      }
    }
  }

  /**
   * @param {Entry} entry
   * @param {readonly Entry[]} earlier which may show through now, newest first
   */
  remove(entry, earlier) {
    if (entry.cells === null && entry.area === null) return;
    this.#count -= 1;
    if (entry.area !== null) this.areas = this.areas.filter((other) => other !== entry);
    for (const [row, columns] of entry.cells?.rows() ?? []) {
      for (const column of columns.keys()) {
        uncover(this.writers, row, column, entry, () => earlier.find(({ cells }) => cells?.get(row, column)));
        uncover(this.stylers, row, column, entry, () => earlier.find(({ cells }) => cells?.get(row, column)?.[3] !== undefined));
      }
    }
  }

  /**
   * Return what is written into a cell, or undefined.
   * @param {number} row
   * @param {number} column
   * @returns {string|undefined}
   */
  inputAt(row, column) {
    return this.writers.get(row, column)?.cells?.get(row, column)?.[2];
  }

  /**
   * Return what the formula that is written into a cell comes to, if that is known.
   * @param {number} row
   * @param {number} column
   */
  valueAt(row, column) {
    return this.writers.get(row, column)?.cells?.get(row, column)?.[4];
  }

  /**
   * Return what a cell's style becomes.
   * @param {number} row
   * @param {number} column
   * @param {Style|undefined} confirmed
   * @returns {Style|undefined}
   */
  styleAt(row, column, confirmed) {
    const styler = this.stylers.get(row, column);
    let style = styler ? mergeStyle(undefined, styler.cells?.get(row, column)?.[3] ?? "") : confirmed;
    for (const { order, area, operation } of this.areas) {
      if (styler && order < styler.order) continue;
      if (area?.has(row, column)) style = mergeStyle(style, /** @type {SetStyles} */ (operation).style);
    }
    return style;
  }
}

/**
 * @param {CellMap<Entry>} newest
 * @param {number} row
 * @param {number} column
 * @param {Entry} entry
 */
function put(newest, row, column, entry) {
  const known = newest.get(row, column);
  if (!known || known.order <= entry.order) newest.set(row, column, entry);
}

/**
 * @param {CellMap<Entry>} newest
 * @param {number} row
 * @param {number} column
 * @param {Entry} entry
 * @param {() => Entry|undefined} find what was under it
 */
function uncover(newest, row, column, entry, find) {
  if (newest.get(row, column) !== entry) return;
  const under = find();
  if (under) newest.set(row, column, under);
  else newest.delete(row, column);
}
