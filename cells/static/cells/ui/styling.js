/** What the toolbar and its shortcuts do to the selected cells: each becomes operations on the model, one step of undo. */

import { MAX_CELLS_PER_OPERATION, splitStyles } from "../domain/operations.js";
import { MAX_DECIMALS } from "../domain/styles.js";
import { fitRows } from "./fitting.js";
import { decimalsShown } from "./values.js";
import { gettext } from "./words.js";

const MAX_CELLS = 10 * MAX_CELLS_PER_OPERATION; // beyond this it is a slip, or takes the others' time
const MAX_GROWN_ROWS = 1_000; // whose wrapped texts are measured at once

/** @type {import("../domain/styles.js").Style} */
const NONE = Object.freeze({});

export const MAX_FROZEN = 50; // the server's limit

/** @typedef {import("../domain/addresses.js").Range} Range */
/** @typedef {import("../domain/styles.js").Style} Style */
/** @typedef {import("../domain/styles.js").StyleChanges} StyleChanges */
/** @typedef {import("./fitting.js").Measures} Measures */
/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./selection.js").Selection} Selection */

/**
 * Return the smallest range that has all of some cells which lie in a range; null if none does.
 * @param {Model} model
 * @param {Range} range
 * @param {Iterable<[number, number]>} cells ids
 * @returns {Range|null}
 */
function boundsOf({ rows, columns }, range, cells) {
  /** @type {Range|null} */
  let bounds = null;
  for (const [row_id, column_id] of cells) {
    const row = rows.findPosition(row_id);
    const column = columns.findPosition(column_id);
    if (row === undefined || column === undefined) continue;
    if (row < range.top || row > range.bottom || column < range.left || column > range.right) continue;
    bounds ??= { top: row, bottom: row, left: column, right: column };
    bounds.top = Math.min(bounds.top, row);
    bounds.bottom = Math.max(bounds.bottom, row);
    bounds.left = Math.min(bounds.left, column);
    bounds.right = Math.max(bounds.right, column);
  }
  return bounds;
}

/** @param {Range} range */
function sizeOf({ top, left, bottom, right }) {
  return (bottom - top + 1) * (right - left + 1);
}

export class Styling {
  #model;
  #selection;
  #around;

  /**
   * @param {Model} model
   * @param {Selection} selection
   * @param {object} around
   * @param {(sentence: string) => void} around.tell why something was not done
   * @param {Measures} around.measures
   */
  constructor(model, selection, around) {
    this.#model = model;
    this.#selection = selection;
    this.#around = around;
  }

  /** The active cell. */
  get cell() {
    const { rows, columns } = this.#model;
    const { row, column } = this.#selection.active;
    return this.#model.cellAt(rows.idAt(row) ?? -1, columns.idAt(column) ?? -1);
  }

  /** @returns {Style} of the active cell; what the toolbar shows */
  get style() {
    return this.cell?.style ?? NONE;
  }

  get mayEdit() {
    return this.#model.mayEdit && this.#model.isLoaded;
  }

  /**
   * Merge a style into that of every selected cell; "" clears all formatting.
   * @param {StyleChanges|""} changes
   */
  apply(changes) {
    if (!this.mayEdit || this.#model.rows.length === 0) return;
    const range = this.#meant(changes);
    if (range === null) return;
    const { rows, columns } = this.#model;
    const operations = splitStyles(rows.runsBetween(range.top, range.bottom), columns.runsBetween(range.left, range.right), changes);
    this.#model.asOneStep(() => {
      for (const operation of operations) this.#model.submit(operation);
      if (changes !== "" && changes.wrap === true && range.bottom - range.top < MAX_GROWN_ROWS) {
        fitRows(this.#model, range.top, range.bottom, this.#around.measures, "growing");
      }
    });
  }

  /**
   * Give all selected cells what the active one lacks, or take it from all.
   * @param {"bold"|"italic"|"strike"|"wrap"} key
   */
  toggle(key) {
    this.apply({ [key]: this.style[key] ? null : true });
  }

  /** @param {"left"|"center"|"right"} align chosen again, it goes back to what numbers and texts have of themselves */
  align(align) {
    this.apply({ align: this.style.align === align ? null : align });
  }

  /**
   * @param {Style["format"]|null} format null: as typed
   * @param {string} [currency]
   */
  format(format, currency) {
    this.apply({ format, decimals: null, currency: currency ?? null });
  }

  /**
   * Show one decimal more or less than the active cell does.
   * @param {1|-1} step
   */
  decimals(step) {
    const decimals = Math.max(0, Math.min(MAX_DECIMALS, decimalsShown(this.cell) + step));
    this.apply({ decimals });
  }

  /**
   * Let the first rows and columns stay in view.
   * @param {{rows?: number, columns?: number}} wanted what is not named stays as it is
   */
  freeze({ rows = this.#model.frozenNext.rows, columns = this.#model.frozenNext.columns }) {
    if (!this.mayEdit) return;
    if (rows > MAX_FROZEN || columns > MAX_FROZEN) {
      this.#around.tell(gettext("At most %(count)s rows and columns can be frozen.", { count: MAX_FROZEN }));
      return;
    }
    this.#model.submit({ kind: "freeze", rows, columns });
  }

  /**
   * Return what a change is to be written into: of whole rows, columns or sheets no more than is in use if they are many;
   * null if nothing is, or it would be too much.
   * @param {StyleChanges|""} changes
   * @returns {Range|null}
   */
  #meant(changes) {
    const { range, shape } = this.#selection;
    const takesOnly = changes === "" || Object.values(changes).every((value) => value === null);
    if (takesOnly) {
      const styled = boundsOf(this.#model, range, this.#model.styled());
      return styled && this.#within(styled);
    }
    if (sizeOf(range) <= MAX_CELLS || shape === "cells") return this.#within(range);
    const used = boundsOf(this.#model, range, this.#used());
    if (used === null || sizeOf(used) > MAX_CELLS) return this.#within(used ?? range);
    this.#around.tell(gettext("Only the part of the sheet that is in use was formatted."));
    return used;
  }

  *#used() {
    yield* this.#model.filled();
    yield* this.#model.styled();
  }

  /** @param {Range} range */
  #within(range) {
    if (sizeOf(range) <= MAX_CELLS) return range;
    this.#around.tell(gettext("That would format %(count)s cells, and at most %(most)s go at once: select fewer.", { count: sizeOf(range), most: MAX_CELLS }));
    return null;
  }
}
