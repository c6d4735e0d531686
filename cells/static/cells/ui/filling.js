/** Filling cells from their neighbours: by the handle with series, by Ctrl+D and Ctrl+R with copies; one step of undo. */

import { isFormula, shifted } from "../domain/references.js";
import { continueSeries } from "../domain/series.js";
import { gettext } from "./words.js";

const MAX_FILLED_CELLS = 200_000; // beyond this it is a slip, not a wish

/** @typedef {import("../domain/addresses.js").Range} Range */
/** @typedef {import("../domain/operations.js").Edit} Edit */
/** @typedef {import("./model.js").Model} Model */
/** @typedef {{row: number, column: number}} Place */

/**
 * Return what a handle that is dragged from a range to a place fills as well: along one axis, the one it went farther on.
 * @param {Range} from
 * @param {Place} to
 * @returns {Range|null} the range and what is filled; null if the place is within
 */
export function rangeFilled(from, { row, column }) {
  const down = row > from.bottom ? row - from.bottom : Math.min(0, row - from.top);
  const across = column > from.right ? column - from.right : Math.min(0, column - from.left);
  if (down === 0 && across === 0) return null;
  if (Math.abs(down) >= Math.abs(across)) return { ...from, top: Math.min(from.top, row), bottom: Math.max(from.bottom, row) };
  return { ...from, left: Math.min(from.left, column), right: Math.max(from.right, column) };
}

export class Filling {
  #model;
  #selection;
  #actions;
  #tell;

  /**
   * @param {Model} model
   * @param {import("./selection.js").Selection} selection
   * @param {import("./actions.js").Actions} actions
   * @param {(sentence: string) => void} tell why something was not done
   */
  constructor(model, selection, actions, tell) {
    this.#model = model;
    this.#selection = selection;
    this.#actions = actions;
    this.#tell = tell;
  }

  /**
   * Let a range go on to a larger one, which is selected then.
   * @param {Range} from
   * @param {Range} to longer along one axis, at one end
   */
  extend(from, to) {
    if (!this.#write(from, to, continueSeries)) return;
    this.#selection.selectRange(to);
  }

  /** Copy the first selected row to those below it; of one row alone, the row above it. */
  down() {
    const { top, bottom } = this.#selection.range;
    this.#copy({ ...this.#selection.range, bottom: bottom === top ? top - 1 : top, top: bottom === top ? top - 1 : top });
  }

  /** Likewise the first selected column to the right. */
  right() {
    const { left, right } = this.#selection.range;
    this.#copy({ ...this.#selection.range, left: left === right ? left - 1 : left, right: left === right ? left - 1 : left });
  }

  /**
   * Let the selection go on down to where its neighbours at the left, or at the right, end.
   */
  downBesideNeighbours() {
    const { range } = this.#selection;
    const { rows } = this.#model;
    for (const column of [range.left - 1, range.right + 1]) {
      let bottom = range.bottom;
      while (bottom + 1 < rows.length && this.#inputAt(bottom + 1, column) !== "") bottom += 1;
      if (bottom === range.bottom) continue;
      this.extend(range, { ...range, bottom });
      return;
    }
  }

  /** @param {Range} from */
  #copy(from) {
    if (!this.#model.mayEdit || from.top < 0 || from.left < 0) return;
    const { range } = this.#selection;
    const to = { ...range, top: Math.min(from.top, range.top), left: Math.min(from.left, range.left) };
    this.#write(from, to, (texts, count) => Array.from({ length: count }, (_, index) => texts[index % texts.length]));
  }

  /**
   * @param {Range} from
   * @param {Range} to
   * @param {(texts: string[], count: number, direction: 1|-1) => string[]} go
   */
  #write(from, to, go) {
    const isDown = to.top !== from.top || to.bottom !== from.bottom;
    const [first, last, start, end] = isDown ? [from.top, from.bottom, to.top, to.bottom] : [from.left, from.right, to.left, to.right];
    const isBack = start < first;
    const count = isBack ? first - start : end - last;
    const [near, far] = isDown ? [from.left, from.right] : [from.top, from.bottom];
    if (count * (far - near + 1) > MAX_FILLED_CELLS) {
      this.#tell(gettext("That would fill %(count)s cells: select fewer.", { count: count * (far - near + 1) }));
      return false;
    }
    const length = last - first + 1;
    /** @type {Edit[]} */
    const edits = [];
    for (let line = near; line <= far; line += 1) {
      /** @type {(along: number) => Place} */
      const placeAt = (along) => (isDown ? { row: along, column: line } : { row: line, column: along });
      const seeds = Array.from({ length }, (_, index) => placeAt(isBack ? last - index : first + index));
      const texts = go(seeds.map(({ row, column }) => this.#inputAt(row, column)), count, isBack ? -1 : 1);
      for (const [index, text] of texts.entries()) {
        const { row, column } = placeAt(isBack ? first - 1 - index : last + 1 + index);
        const seed = seeds[index % length];
        const style = this.#model.styleAt(/** @type {number} */ (this.#model.rows.idAt(seed.row)), /** @type {number} */ (this.#model.columns.idAt(seed.column)));
        const input = isFormula(text) ? shifted(text, this.#model, row - seed.row, column - seed.column) : text;
        edits.push(this.#actions.edit(row, column, input, style ?? ""));
      }
    }
    this.#actions.submit(this.#changing(edits));
    return true;
  }

  /**
   * Return the edits that change something: whole columns are mostly empty, and stay so.
   * @param {Edit[]} edits
   */
  #changing(edits) {
    return edits.filter(([row_id, column_id, text, style]) => style !== undefined || text !== this.#model.inputAt(row_id, column_id));
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  #inputAt(row, column) {
    const row_id = this.#model.rows.idAt(row);
    const column_id = this.#model.columns.idAt(column);
    return row_id === undefined || column_id === undefined ? "" : this.#model.inputAt(row_id, column_id);
  }
}
