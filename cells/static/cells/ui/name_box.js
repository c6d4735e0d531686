/** The box that says what is selected, and goes where one types. */

import { formatAddress, formatColumn, formatRange, parseRange } from "../domain/addresses.js";
import { SheetSyncError } from "../domain/errors.js";
import { gettext } from "./words.js";

/**
 * @typedef {object} Surroundings
 * @property {import("./model.js").Model} model
 * @property {import("./selection.js").Selection} selection
 * @property {() => void} finish writes what is being typed into a cell
 * @property {(range: import("../domain/addresses.js").Range) => void} goTo
 * @property {() => void} focus gives the keyboard back to the grid
 * @property {(sentence: string) => void} tell
 */

export class NameBox {
  #box;
  #around;

  /**
   * @param {HTMLInputElement} box
   * @param {Surroundings} around
   */
  constructor(box, around) {
    this.#box = box;
    this.#around = around;
    box.addEventListener("keydown", (event) => this.#pressed(event));
    box.addEventListener("focus", () => {
      around.finish();
      box.select();
    });
    box.addEventListener("blur", () => this.show());
  }

  /** Say what is selected, unless somebody types here. */
  show() {
    const { model, selection } = this.#around;
    if (document.activeElement === this.#box && document.hasFocus()) return;
    if (model.rows.length === 0 || model.columns.length === 0) return;
    const { top, left, bottom, right } = selection.range;
    const names = {
      cells: () => formatRange({ top, left, bottom, right }),
      rows: () => `${top + 1}:${bottom + 1}`,
      columns: () => `${formatColumn(left)}:${formatColumn(right)}`,
      all: () => gettext("All"),
    };
    this.#box.value = names[selection.shape]();
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const { model, focus, goTo, tell } = this.#around;
    if (event.key === "Escape") focus();
    if (event.key !== "Enter") return;
    event.preventDefault();
    try {
      const range = parseRange(this.#box.value.trim());
      const { rows, columns } = model;
      if (range.bottom < rows.length && range.right < columns.length) return goTo(range);
      tell(gettext("This sheet ends at %(address)s.", { address: formatAddress(rows.length - 1, columns.length - 1) }));
    } catch (error) {
      if (!(error instanceof SheetSyncError)) throw error;
      tell(gettext("Type an address such as B2, or a range such as A1:C9."));
    }
    this.#box.select();
  }
}
