/** Below the last row: how many more there are to be. */

import { element } from "./elements.js";
import { gettext } from "./words.js";

export const ADDED_ROWS = 1_000; // at once: a screenful or two would be used up soon
const MOST = 100_000;

/**
 * @typedef {object} Surroundings
 * @property {() => {left: number, top: number}|null} end where the last row ends on the screen; null while that is not seen
 * @property {() => boolean} mayEdit
 * @property {(count: number) => void} add
 * @property {() => void} focus gives the keyboard back to the grid
 */

export class MoreRows {
  #stage;
  #around;
  #form = element("form", "more-rows", { "data-region": "" });
  #count = element("input", "more-rows-count", { type: "number", min: "1", max: String(MOST), required: "", "aria-label": gettext("How many rows") });

  /**
   * @param {HTMLElement} stage
   * @param {Surroundings} around
   */
  constructor(stage, around) {
    this.#stage = stage;
    this.#around = around;
    this.#count.value = String(ADDED_ROWS);
    this.#form.hidden = true;
    this.#form.append(this.#count, element("button", "button more-rows-add", { type: "submit" }, gettext("Add rows at the bottom")));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      around.add(Number(this.#count.value));
      around.focus();
    });
    this.#form.addEventListener("keydown", (event) => event.key === "Escape" && around.focus());
    stage.append(this.#form);
  }

  /** Stand where the sheet ends now. */
  place() {
    const end = this.#around.mayEdit() ? this.#around.end() : null;
    if (end === null && this.#form.contains(document.activeElement)) this.#around.focus();
    this.#form.hidden = end === null;
    if (end === null) return;
    const { left, top } = this.#stage.getBoundingClientRect();
    this.#form.style.transform = `translate(${end.left - left}px, ${end.top - top}px)`;
  }
}
