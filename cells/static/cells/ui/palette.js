/** A palette that pops up below its button: colours by mouse and keyboard, and any other one by the system's own dialog. */

import { element } from "./elements.js";
import { icon } from "./icons.js";
import { gettext } from "./words.js";

// From black to white, then ten hues of equal steps of lightness (OKLCH), the pale ones first.
const COLORS = [
  ["#000000", "#262626", "#484848", "#696969", "#898989", "#ababab", "#c7c7c7", "#dedede", "#eeeeee", "#ffffff"],
  ["#f94173", "#fc4734", "#f68002", "#f9bd14", "#71ad00", "#14ac7d", "#01a5b3", "#3592ff", "#8a7bff", "#ca59e4"],
  ["#ffe8eb", "#ffe9e5", "#ffeadc", "#f9edd5", "#e7f4db", "#daf6e9", "#d4f6fa", "#e4f0ff", "#ecedff", "#f9e7fe"],
  ["#ffcbd2", "#fecdc5", "#fed0b1", "#f2d8a2", "#cae5b1", "#acebce", "#9eeaf2", "#c4ddfe", "#d6d6ff", "#f1cbfa"],
  ["#fe9ead", "#fda293", "#fea668", "#e4b750", "#a2ce72", "#5ed8a9", "#2ad5e5", "#91c1ff", "#b6b4ff", "#e3a2f2"],
  ["#b80049", "#ba0d01", "#974c02", "#7e5e00", "#497100", "#007654", "#01717a", "#0661bc", "#5e45cd", "#922ba8"],
  ["#74052c", "#760a03", "#5f2e01", "#4f3900", "#2b4600", "#004933", "#00464c", "#003b7a", "#3a2a82", "#5b1a69"],
];
const STEPS = /** @type {Record<string, [row: number, column: number]>} */ ({ ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] });

/**
 * Return how a colour of the palette is called.
 * @param {number} row
 * @param {number} column
 */
function nameOf(row, column) {
  if (row === 0) return [gettext("black"), gettext("grey %(step)s", { step: column }), gettext("white")][column === 0 ? 0 : column === 9 ? 2 : 1];
  const hues = [gettext("pink"), gettext("red"), gettext("orange"), gettext("yellow"), gettext("green"), gettext("emerald"), gettext("teal"), gettext("blue"), gettext("violet"), gettext("purple")];
  const color = hues[column];
  if (row === 1) return color;
  return row < 5 ? gettext("light %(color)s %(step)s", { color, step: 5 - row }) : gettext("dark %(color)s %(step)s", { color, step: row - 4 });
}

export class Palette {
  #box = element("div", "palette", { role: "dialog", hidden: "" });
  #reset = element("button", "palette-reset", { type: "button" });
  #grid = element("div", "palette-grid", { role: "grid" });
  #custom = element("input", "palette-custom", { type: "color" });
  /** @type {HTMLElement[][]} */ #swatches;
  /** @type {HTMLElement|null} */ #opener = null;
  /** @type {(color: string|null) => void} */ #choose = () => {};

  /** @param {HTMLElement} place */
  constructor(place) {
    const label = element("label", "palette-label", {}, gettext("Another colour"));
    label.append(this.#custom);
    this.#swatches = COLORS.map((colors, row) => colors.map((color, column) => this.#swatch(color, nameOf(row, column))));
    this.#grid.append(...this.#swatches.map((swatches) => {
      const row = element("div", "palette-row", { role: "row" });
      row.append(...swatches);
      return row;
    }));
    this.#box.append(this.#reset, this.#grid, label);
    place.append(this.#box);
    this.#reset.addEventListener("click", () => this.#done(null));
    this.#custom.addEventListener("change", () => this.#done(this.#custom.value.toLowerCase()));
    this.#grid.addEventListener("keydown", (event) => this.#moved(event));
    this.#box.addEventListener("keydown", (event) => this.#pressed(event));
    this.#box.addEventListener("focusout", ({ relatedTarget }) => {
      const isWithin = this.#box.contains(/** @type {Node|null} */ (relatedTarget));
      if (!isWithin && relatedTarget !== null) this.#close(false); // null: the window went to the back, or the system's dialog came
    });
    document.addEventListener("pointerdown", ({ target }) => {
      const isOutside = !this.#box.contains(/** @type {Node} */ (target)) && !this.#opener?.contains(/** @type {Node} */ (target));
      if (this.isOpen && isOutside) this.#close(false);
    }, true);
  }

  get isOpen() {
    return !this.#box.hidden;
  }

  /**
   * @param {HTMLElement} opener the button that it belongs to
   * @param {object} what
   * @param {string} what.title
   * @param {string} what.none how it is called to have no colour
   * @param {string|undefined} what.now the colour of the active cell
   * @param {(color: string|null) => void} what.choose
   */
  open(opener, { title, none, now, choose }) {
    if (this.isOpen && this.#opener === opener) {
      this.#close(true);
      return;
    }
    this.#opener?.setAttribute("aria-expanded", "false");
    this.#opener = opener;
    this.#choose = choose;
    opener.setAttribute("aria-expanded", "true");
    this.#box.setAttribute("aria-label", title);
    this.#grid.setAttribute("aria-label", title);
    this.#reset.replaceChildren(icon("none"), element("span", "", {}, none));
    if (now) this.#custom.value = now;
    const all = this.#swatches.flat();
    for (const swatch of all) swatch.setAttribute("aria-selected", String(swatch.dataset.color === now));
    this.#box.hidden = false;
    const { left, bottom } = opener.getBoundingClientRect();
    const { width } = this.#box.getBoundingClientRect();
    this.#box.style.left = `${Math.max(4, Math.min(left, innerWidth - width - 4))}px`;
    this.#box.style.top = `${bottom + 4}px`;
    this.#focus(all.find((swatch) => swatch.dataset.color === now) ?? this.#swatches[1][0]);
  }

  /**
   * @param {string} color
   * @param {string} name
   */
  #swatch(color, name) {
    const swatch = element("div", "swatch", { role: "gridcell", tabindex: "-1", "aria-label": name, title: name, "data-color": color });
    swatch.style.setProperty("--color", color);
    swatch.addEventListener("click", () => this.#done(color));
    return swatch;
  }

  /** @param {HTMLElement} swatch */
  #focus(swatch) {
    for (const other of this.#swatches.flat()) other.tabIndex = other === swatch ? 0 : -1;
    swatch.focus();
  }

  /** @param {KeyboardEvent} event */
  #moved(event) {
    const swatch = /** @type {HTMLElement} */ (event.target);
    const row = this.#swatches.findIndex((swatches) => swatches.includes(swatch));
    const column = this.#swatches[row]?.indexOf(swatch) ?? -1;
    if (column < 0) return;
    const step = STEPS[event.key];
    if (step) {
      const target = this.#swatches[row + step[0]]?.[column + step[1]];
      if (target) this.#focus(target);
      else if (event.key === "ArrowUp") this.#reset.focus();
      else if (event.key === "ArrowDown") this.#custom.focus();
    } else if (event.key === "Home") this.#focus(this.#swatches[row][0]);
    else if (event.key === "End") this.#focus(this.#swatches[row][this.#swatches[row].length - 1]);
    else if (event.key === "Enter" || event.key === " ") this.#done(swatch.dataset.color ?? null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    event.stopPropagation();
    if (event.key === "Escape") this.#close(true);
    else if (event.key === "ArrowDown" && event.target === this.#reset) this.#focus(this.#swatches[0][0]);
    else if (event.key === "Tab") this.#turn(event.shiftKey ? -1 : 1);
    else return;
    event.preventDefault();
  }

  /**
   * Keep the keyboard among the three things that are here.
   * @param {1|-1} direction
   */
  #turn(direction) {
    const swatch = this.#swatches.flat().find(({ tabIndex }) => tabIndex === 0) ?? this.#swatches[0][0];
    const stops = [this.#reset, swatch, this.#custom];
    const at = stops.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    stops[(at + direction + stops.length) % stops.length].focus();
  }

  /** @param {string|null} color */
  #done(color) {
    this.#close(true);
    this.#choose(color);
  }

  /** @param {boolean} isReturning give the keyboard back */
  #close(isReturning) {
    this.#box.hidden = true;
    this.#opener?.setAttribute("aria-expanded", "false");
    if (isReturning) this.#opener?.focus({ preventScroll: true });
  }
}
