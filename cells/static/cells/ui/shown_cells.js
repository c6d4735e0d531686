/** Cells as they are shown: a formula that comes to a date looks like one, without a style of its own. */

import { momentFormatOf } from "../domain/formula_formats.js";
import { parseDate } from "../domain/literals.js";
import { isFormula } from "../domain/references.js";
import { cleanStyle } from "../domain/styles.js";

/** @typedef {import("./formats.js").Cell} Cell */
/** @typedef {import("../domain/formula_formats.js").MomentFormat} MomentFormat */
/** @typedef {import("../domain/styles.js").Style} Style */

const PLAIN = /** @type {Style} */ ({});

export class ShownCells {
  #model;
  /** @type {Map<string, MomentFormat|null>} by formula */ #formats = new Map();
  /** @type {WeakMap<Style, Map<MomentFormat, Style|undefined>>} what a style is with a format: frames ask often */ #styles = new WeakMap();

  /** @param {import("./model.js").Model} model */
  constructor(model) {
    this.#model = model;
  }

  /** Cells are others than before. */
  changed() {
    if (this.#formats.size > 0) this.#formats = new Map();
  }

  /**
   * @param {number} row
   * @param {number} column
   * @returns {Cell|undefined}
   */
  at(row, column) {
    return this.dressed(this.#model.cellAt(row, column));
  }

  /**
   * @param {Cell|undefined} cell
   * @returns {Cell|undefined}
   */
  dressed(cell) {
    if (typeof cell?.value !== "number" || cell.style?.format !== undefined || !isFormula(cell.input)) return cell;
    const format = momentFormatOf(cell.input, ({ row, column }) => this.#lookOf(row, column), this.#formats);
    return format === null ? cell : { ...cell, style: this.#styleWith(cell.style ?? PLAIN, format) };
  }

  /**
   * @param {Style} style
   * @param {MomentFormat} format
   */
  #styleWith(style, format) {
    let made = this.#styles.get(style);
    if (made === undefined) this.#styles.set(style, (made = new Map()));
    if (!made.has(format)) made.set(format, cleanStyle({ ...style, format }));
    return made.get(format);
  }

  /**
   * @param {number} row
   * @param {number} column
   * @returns {{formula: string}|{format: MomentFormat|null}}
   */
  #lookOf(row, column) {
    const { input = "", style, value } = this.#model.cellAt(row, column) ?? {};
    const format = style?.format;
    if (format !== undefined) return { format: format === "date" || format === "time" || format === "datetime" ? format : null };
    if (isFormula(input)) return typeof value === "number" ? { formula: input } : { format: null };
    const date = parseDate(input);
    if (date === undefined) return { format: null };
    return { format: date.hasDate ? (date.hasTime ? "datetime" : "date") : "time" };
  }
}
