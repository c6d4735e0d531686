/**
 * The paper and the lines of a pane of cells, ruled by rows and columns: a cell with borders and a ground of its own costs
 * more to lay out and to paint than its text.
 */

import { element } from "./elements.js";
import { positionIn } from "./headers.js";

const SPARE = 4; // elements beyond those needed, so that a ring is not rebuilt for one more

/** @typedef {import("./geometry.js").Geometry} Geometry */
/** @typedef {import("./ports.js").Stretch} Stretch */
/** @typedef {{geometry: Geometry, stretch: Stretch, origin: number, scroll: number}} Side */

/** The lines behind the rows, or behind the columns: a ring of elements, moved as a whole. */
class Strip {
  /** @type {"top"|"left"} */ #side;
  /** @type {{element: HTMLElement, end: number}[]} */ #slots = [];
  element;

  /** @param {"rows"|"columns"} axis */
  constructor(axis) {
    this.#side = axis === "rows" ? "top" : "left";
    this.element = element("div", `rule-strip rule-strip-${axis}`);
  }

  /** @param {Side} side */
  paint({ geometry, stretch: { first, last }, origin, scroll }) {
    this.#makeRoom(last - first + 1);
    for (const [place, slot] of this.#slots.entries()) {
      const position = positionIn(place, this.#slots.length, first);
      if (slot.element.hidden !== position > last) slot.element.hidden = position > last;
      if (position > last) continue;
      const end = geometry.offsetOf(position + 1) - 1 - origin;
      if (slot.end !== end) slot.element.style[this.#side] = `${(slot.end = end)}px`;
    }
    this.element.style[this.#side] = `${origin - scroll}px`;
  }

  /** @param {number} count */
  #makeRoom(count) {
    if (count <= this.#slots.length) return;
    this.#slots = Array.from({ length: count + SPARE }, () => ({ element: element("div", "rule"), end: NaN }));
    this.element.replaceChildren(...this.#slots.map((slot) => slot.element));
  }
}

export class Rules {
  #rows = new Strip("rows");
  #columns = new Strip("columns");
  element = element("div", "rules", { "aria-hidden": "true" });

  constructor() {
    this.element.append(this.#rows.element, this.#columns.element);
  }

  /**
   * Rule as far as the sheet reaches.
   * @param {Side} down
   * @param {Side} across
   */
  paint(down, across) {
    this.element.style.width = `${Math.max(0, across.geometry.offsetOf(across.stretch.last + 1) - across.scroll)}px`;
    this.element.style.height = `${Math.max(0, down.geometry.offsetOf(down.stretch.last + 1) - down.scroll)}px`;
    this.#rows.paint(down);
    this.#columns.paint(across);
  }
}
