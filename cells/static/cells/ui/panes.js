/**
 * One pane of cells: those that scroll, or those that frozen rows or columns keep in view.
 *
 * A row of the sheet is a row in each pane that has cells of it; their indices tell assistive technology what belongs together.
 */

import { element } from "./elements.js";
import { makeCell, markCell, paintCell } from "./cell_slots.js";
import { positionIn } from "./headers.js";
import { walkRow } from "./row_walk.js";
import { Rules } from "./rules.js";

const SPARE = 4; // elements beyond those needed, so that a ring is not rebuilt for one more row

/** @typedef {import("./cell_slots.js").CellSlot} CellSlot */
/** @typedef {import("./painter.js").View} View */
/** @typedef {import("./ports.js").Stretch} Stretch */
/** @typedef {{element: HTMLElement, name: HTMLElement, cells: CellSlot[], top: number, height: number, row: number, isComing: boolean}} RowSlot */
/** @typedef {{x: number, y: number}} Offset in pixels */

export class Pane {
  #name;
  #ruler;
  /** @type {RowSlot[]} */ #rowSlots = [];
  #columnCapacity = 0;
  #rules = new Rules();
  #layer = element("div", "layer", { role: "presentation" });
  element;

  /**
   * @param {"main"|"top"|"left"|"corner"} name
   * @param {import("./ruler.js").Ruler} ruler
   */
  constructor(name, ruler) {
    this.#name = name;
    this.#ruler = ruler;
    this.element = element("div", `pane pane-${name}`, { role: "presentation" });
    this.element.append(this.#rules.element, this.#layer);
  }

  /**
   * Return the element of a cell, if it is one of those that are seen here.
   * @param {number} row
   * @param {number} column
   */
  find(row, column) {
    const slot = this.#rowSlots[row % this.#rowSlots.length];
    const cell = slot?.cells[column % this.#columnCapacity];
    const isSeen = !this.element.hidden && slot?.row === row && cell?.column === column && !slot.element.hidden;
    return isSeen ? cell.element : null;
  }

  /**
   * @param {View} view
   * @param {Stretch} rows
   * @param {Stretch} columns
   * @param {Offset} origin of the layer, in pixels of the sheet
   * @param {Offset} scroll
   */
  paint(view, rows, columns, origin, scroll) {
    this.#makeRoom(rows.last - rows.first + 1, columns.last - columns.first + 1);
    for (const [place, slot] of this.#rowSlots.entries()) {
      const row = positionIn(place, this.#rowSlots.length, rows.first);
      if (slot.element.hidden !== row > rows.last) slot.element.hidden = row > rows.last;
      if (row > rows.last) continue;
      this.#placeRow(view, slot, row, origin);
      this.#paintCells(view, slot, row, columns, origin);
    }
    this.#rules.paint(
      { geometry: view.rowGeometry, stretch: rows, origin: origin.y, scroll: scroll.y },
      { geometry: view.columnGeometry, stretch: columns, origin: origin.x, scroll: scroll.x },
    );
    this.#layer.style.transform = `translate(${origin.x - scroll.x}px, ${origin.y - scroll.y}px)`;
  }

  /**
   * @param {number} rows
   * @param {number} columns
   */
  #makeRoom(rows, columns) {
    if (rows <= this.#rowSlots.length && columns <= this.#columnCapacity) return;
    const capacity = Math.max(rows + SPARE, this.#rowSlots.length);
    this.#columnCapacity = Math.max(columns + SPARE, this.#columnCapacity);
    const prefix = this.#name === "main" ? "cell" : `${this.#name}-cell`;
    this.#rowSlots = Array.from({ length: capacity }, (_, place) => {
      const row = element("div", "row", { role: "row" });
      const name = element("div", "row-name", { role: "rowheader", "aria-colindex": "1" });
      const cells = Array.from({ length: this.#columnCapacity }, (__, column) => makeCell(`${prefix}-${place}-${column}`));
      row.append(name, ...cells.map((slot) => slot.element));
      return { element: row, name, cells, top: NaN, height: NaN, row: -1, isComing: false };
    });
    this.#layer.replaceChildren(...this.#rowSlots.map((slot) => slot.element));
  }

  /**
   * @param {View} view
   * @param {RowSlot} slot
   * @param {number} row
   * @param {Offset} origin
   */
  #placeRow({ rowGeometry, rows, isKnown }, slot, row, origin) {
    const isComing = !isKnown(/** @type {number} */ (rows.idAt(row)));
    if (slot.isComing !== isComing) slot.element.classList.toggle("is-coming", (slot.isComing = isComing));
    if (slot.row !== row) {
      slot.row = row;
      slot.name.textContent = String(row + 1);
      slot.element.setAttribute("aria-rowindex", String(row + 2));
    }
    const top = rowGeometry.offsetOf(row) - origin.y;
    const height = rowGeometry.sizeOf(row);
    if (slot.top !== top) slot.element.style.top = `${(slot.top = top)}px`;
    if (slot.height === height) return;
    slot.element.style.height = `${(slot.height = height)}px`;
    slot.element.style.lineHeight = `${height - 1}px`; // in the middle, above the line below
  }

  /**
   * @param {View} view
   * @param {RowSlot} slot
   * @param {number} row
   * @param {Stretch} columns
   * @param {Offset} origin
   */
  #paintCells(view, slot, row, columns, origin) {
    const { range } = view;
    const row_id = /** @type {number} */ (view.rows.idAt(row));
    const isInRange = row >= range.top && row <= range.bottom;
    const tints = view.tints(row_id);
    const found = view.found(row_id);
    const marks = view.marks(row_id);
    walkRow(view, row_id, columns, (walked, column_id) => {
      const { column } = walked;
      const cell = slot.cells[column % this.#columnCapacity];
      paintCell(cell, walked, walked.start - origin.x, slot.height, this.#ruler);
      markCell(cell, isInRange && column >= range.left && column <= range.right, tints?.get(column_id) ?? "", found?.has(column_id) === true, marks?.get(column_id), walked.note);
    });
    for (const cell of slot.cells) {
      if (cell.column === -1 || (cell.column >= columns.first && cell.column <= columns.last)) continue;
      cell.column = -1;
      cell.element.hidden = true;
    }
  }
}
