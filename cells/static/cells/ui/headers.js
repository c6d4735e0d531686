/** The letters of the columns and the numbers of the rows, those that scroll and those that stay. */

import { formatColumn } from "../domain/addresses.js";
import { element } from "./elements.js";

const SPARE = 4; // elements beyond those needed, so that a ring is not rebuilt for one more

/** @typedef {import("./geometry.js").Geometry} Geometry */
/** @typedef {import("./ports.js").Port} Port */
/** @typedef {import("./ports.js").Stretch} Stretch */
/** @typedef {{element: HTMLElement, position: number, start: number, size: number, mark: string}} HeaderSlot */

/**
 * Return the one position at or beyond `first` that a place in a ring stands for.
 * @param {number} place
 * @param {number} capacity
 * @param {number} first
 */
export function positionIn(place, capacity, first) {
  return first + ((place - (first % capacity) + capacity) % capacity);
}

/** One strip of headers: a ring of elements, moved as a whole. */
class Strip {
  #axis;
  /** @type {HeaderSlot[]} */ #slots = [];
  element = element("div", "strip", { role: "presentation" });

  /** @param {"rows"|"columns"} axis */
  constructor(axis) {
    this.#axis = axis;
  }

  /**
   * @param {Geometry} geometry
   * @param {Stretch} stretch
   * @param {{first: number, last: number, isWhole: boolean}} selected
   * @param {number} origin what the strip's own beginning is, in pixels of the sheet
   * @param {number} scroll
   */
  paint(geometry, { first, last }, selected, origin, scroll) {
    this.#makeRoom(last - first + 1);
    for (const [place, slot] of this.#slots.entries()) {
      const position = positionIn(place, this.#slots.length, first);
      slot.element.hidden = position > last;
      if (position > last) continue;
      this.#paintSlot(slot, position, geometry.offsetOf(position) - origin, geometry.sizeOf(position));
      const isSelected = position >= selected.first && position <= selected.last;
      const mark = isSelected ? (selected.isWhole ? "whole" : "touched") : "";
      if (slot.mark !== mark) slot.element.dataset.selected = slot.mark = mark;
    }
    const distance = `${origin - scroll}px`;
    this.element.style.transform = this.#axis === "columns" ? `translate(${distance}, 0)` : `translate(0, ${distance})`;
  }

  /**
   * @param {HeaderSlot} slot
   * @param {number} position
   * @param {number} start
   * @param {number} size
   */
  #paintSlot(slot, position, start, size) {
    const isColumn = this.#axis === "columns";
    const { style } = slot.element;
    if (slot.position !== position) {
      slot.position = position;
      slot.element.textContent = isColumn ? formatColumn(position) : String(position + 1);
      if (isColumn) slot.element.setAttribute("aria-colindex", String(position + 2));
    }
    if (slot.start !== start) style[isColumn ? "left" : "top"] = `${(slot.start = start)}px`;
    if (slot.size !== size) style[isColumn ? "width" : "height"] = `${(slot.size = size)}px`;
  }

  /** @param {number} count */
  #makeRoom(count) {
    if (count <= this.#slots.length) return;
    const isColumn = this.#axis === "columns";
    this.#slots = Array.from({ length: count + SPARE }, () => {
      const header = isColumn ? element("div", "column-header", { role: "columnheader" }) : element("div", "row-header");
      return { element: header, position: -1, start: NaN, size: NaN, mark: "" };
    });
    this.element.replaceChildren(...this.#slots.map((slot) => slot.element));
  }
}

export class Headers {
  #axis;
  #moving;
  #still;
  #frozen = element("div", "frozen-headers", { role: "presentation" });

  /**
   * @param {"rows"|"columns"} axis
   * @param {HTMLElement} place
   */
  constructor(axis, place) {
    this.#axis = axis;
    this.#moving = new Strip(axis);
    this.#still = new Strip(axis);
    this.#frozen.append(this.#still.element);
    place.append(this.#moving.element, this.#frozen);
  }

  /**
   * @param {Geometry} geometry
   * @param {Port} port
   * @param {number} origin
   * @param {{first: number, last: number, isWhole: boolean}} selected
   */
  paint(geometry, port, origin, selected) {
    this.#moving.paint(geometry, port.moving, selected, origin, port.scroll);
    this.#frozen.hidden = port.frozen === 0;
    if (port.frozen === 0) return;
    this.#frozen.style[this.#axis === "columns" ? "width" : "height"] = `${port.frozenSize}px`;
    this.#still.paint(geometry, port.still, selected, 0, 0);
  }
}
