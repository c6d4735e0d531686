/** The foot of the page: sum, average, count, least and most of what is selected. */

import { element } from "./elements.js";
import { shownOf } from "./formats.js";
import { numberIn } from "./values.js";
import { gettext, locale } from "./words.js";

const WAIT_MS = 120; // after the last change; who types on, or drags on, is not to wait for sums
const SLICE = 20_000; // cells between two looks at the clock's other work
const DECIMALS = 6; // beyond them a sum of prices shows what floating point made of it

/** @typedef {import("../domain/addresses.js").Range} Range */
/** @typedef {import("./model.js").Model} Model */
/** @typedef {{sum: number, count: number, numbers: number, least: number, most: number}} Sums */

/**
 * Add up the filled cells of a range, letting others have their turn in between.
 * @param {Model} model
 * @param {Range} range
 * @param {() => Promise<boolean>} rest before the next slice; false: it is not wanted any more
 * @returns {Promise<Sums|null>} null if it is not wanted any more
 */
export async function sumsOf(model, { top, left, bottom, right }, rest) {
  const { rows, columns } = model;
  const sums = { sum: 0, count: 0, numbers: 0, least: Infinity, most: -Infinity };
  let error = 0; // what was lost in adding (Neumaier)
  let seen = 0;
  const isTall = bottom - top >= 2_000;
  const lines = isTall ? [undefined] : Array.from({ length: bottom - top + 1 }, (_, down) => rows.idAt(top + down));
  for (const row of lines) {
    for (const [row_id, column_id] of model.filled(row === undefined ? {} : { row })) {
      seen += 1;
      if (seen % SLICE === 0 && !(await rest())) return null;
      const column = columns.findPosition(column_id);
      if (column === undefined || column < left || column > right) continue;
      const position = isTall ? rows.findPosition(row_id) : top;
      if (position === undefined || position < top || position > bottom) continue;
      sums.count += 1;
      const number = numberIn(model.cellAt(row_id, column_id));
      if (number === undefined) continue;
      const next = sums.sum + number;
      error += Math.abs(sums.sum) >= Math.abs(number) ? sums.sum - next + number : number - next + sums.sum;
      sums.sum = next;
      sums.numbers += 1;
      sums.least = Math.min(sums.least, number);
      sums.most = Math.max(sums.most, number);
    }
  }
  sums.sum += error;
  return sums;
}

/**
 * Return what to say of sums, the most wanted first.
 * @param {Sums} sums
 * @param {import("../domain/styles.js").Style} [style] of the active cell: sums of prices are prices
 * @returns {[label: string, text: string][]}
 */
export function describeSums({ sum, count, numbers, least, most }, style = {}) {
  /** @type {[string, string][]} */
  const parts = [];
  const isOfNumbers = style.format === "thousands" || style.format === "currency" || style.format === "percent";
  const plain = (/** @type {number} */ number) => number.toLocaleString(locale, { maximumFractionDigits: DECIMALS });
  const formatted = isOfNumbers ? (/** @type {number} */ number) => shownOf({ input: "", style, value: number })[0] : plain;
  if (numbers > 0) {
    parts.push([gettext("Sum"), formatted(sum)], [gettext("Average"), formatted(sum / numbers)]);
    parts.push([gettext("Min"), formatted(least)], [gettext("Max"), formatted(most)]);
  }
  if (count > 0) parts.push([gettext("Count"), plain(count)]);
  return parts;
}

export class SumsLine {
  #list = element("dl", "sums");
  #around;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #timer;
  #shown = "";
  #key = "";

  /**
   * @param {HTMLElement} place
   * @param {object} around
   * @param {Model} around.model
   * @param {import("./selection.js").Selection} around.selection
   * @param {() => import("../domain/styles.js").Style} around.styleNow of the active cell
   */
  constructor(place, around) {
    this.#around = around;
    place.prepend(this.#list);
  }

  /** Something may be otherwise: the selection, or what is in it. */
  refresh() {
    const { selection, model } = this.#around;
    const { top, left, bottom, right } = selection.range;
    const key = selection.isSingle ? "" : `${top} ${left} ${bottom} ${right}`;
    const isOther = key !== this.#key;
    this.#key = key;
    if (key === "" || !model.isLoaded) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#show([]);
      return;
    }
    if (isOther) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    this.#timer ??= setTimeout(() => void this.#count(), WAIT_MS);
  }

  async #count() {
    this.#timer = undefined;
    const { selection, model } = this.#around;
    const key = this.#key;
    const rest = () => new Promise((/** @type {(isWanted: boolean) => void} */ go) => setTimeout(() => go(key === this.#key), 0));
    const sums = await sumsOf(model, selection.range, rest);
    if (sums && key === this.#key) this.#show(describeSums(sums, this.#around.styleNow()));
  }

  /** @param {[label: string, text: string][]} parts */
  #show(parts) {
    const news = JSON.stringify(parts);
    if (news === this.#shown) return;
    this.#shown = news;
    this.#list.replaceChildren(...parts.map(([label, text]) => {
      const part = element("div", "sum");
      part.append(element("dt", "", {}, label), element("dd", "", {}, text));
      return part;
    }));
  }
}
