/** Where things of the sheet are on the screen, and which of them are at a point of it; how large all of it is shown. */

import { Geometry } from "./geometry.js";
import { COLUMN_WIDTH_PX, ROW_HEIGHT_PX } from "./model.js";
import { Port } from "./ports.js";
import { boundedZoom } from "./zoom.js";

/** @typedef {import("./selection.js").Place} Place */

export class Sight {
  #model;
  #painter;
  #scrolling;
  /** @type {Geometry} */ rows;
  /** @type {Geometry} */ columns;
  zoom = 1;

  /**
   * @param {import("./model.js").Model} model
   * @param {import("./painter.js").Painter} painter
   * @param {import("./scrolling.js").Scrolling} scrolling
   */
  constructor(model, painter, scrolling) {
    this.#model = model;
    this.#painter = painter;
    this.#scrolling = scrolling;
    this.rows = new Geometry(model.rows, model.rowSizes, ROW_HEIGHT_PX);
    this.columns = new Geometry(model.columns, model.columnSizes, COLUMN_WIDTH_PX);
  }

  /** Rows, columns or sizes are others than before. */
  reshape() {
    this.rows = new Geometry(this.#model.rows, this.#model.rowSizes, ROW_HEIGHT_PX);
    this.columns = new Geometry(this.#model.columns, this.#model.columnSizes, COLUMN_WIDTH_PX);
  }

  /**
   * Return what is seen of an axis now.
   * @param {"rows"|"columns"} axis
   */
  port(axis) {
    const { x, y, width, height } = this.#scrolling;
    const { frozen } = this.#model;
    if (axis === "rows") return new Port(this.rows, y, height, frozen.rows);
    return new Port(this.columns, x, width, frozen.columns);
  }

  /**
   * Return the cell at a point of the screen, or the nearest one.
   * @param {{clientX: number, clientY: number}} point
   * @returns {Place}
   */
  placeAt({ clientX, clientY }) {
    const { left, top } = this.#painter.body.getBoundingClientRect();
    return {
      row: this.port("rows").positionAt((clientY - top) / this.zoom),
      column: this.port("columns").positionAt((clientX - left) / this.zoom),
    };
  }

  /**
   * Return where a cell is on the screen, be it beyond the edges of what is seen, and these edges.
   * @param {Place} place
   * @returns {{cell: DOMRect, view: DOMRect}}
   */
  rectOf({ row, column }) {
    const view = this.#painter.body.getBoundingClientRect();
    const x = view.left + this.port("columns").startOf(column) * this.zoom;
    const y = view.top + this.port("rows").startOf(row) * this.zoom;
    const cell = new DOMRect(x, y, this.columns.sizeOf(column) * this.zoom, this.rows.sizeOf(row) * this.zoom);
    return { cell, view };
  }

  /** Where the last row ends on the screen; null while that is not seen. */
  get end() {
    const { length } = this.rows;
    const end = this.port("rows").endOf(length - 1);
    if (length === 0 || end >= this.#scrolling.height) return null; // asks no layout in the frames of a long sheet
    const { left, top } = this.#painter.scroller.getBoundingClientRect();
    return { left, top: top + end * this.zoom };
  }

  /**
   * Scroll as little as it takes to see a cell.
   * @param {Place} place
   */
  reveal({ row, column }) {
    this.#scrolling.to(this.port("columns").revealing(column), this.port("rows").revealing(row));
  }

  /**
   * Show everything larger or smaller; what is at a point stays there.
   * @param {number} wanted 1: as it is
   * @param {{clientX: number, clientY: number}|undefined} around else the upper left corner stays
   * @param {(zoom: number) => void} apply lays the page out for it
   */
  zoomTo(wanted, around, apply) {
    const { body } = this.#painter;
    /** @type {() => {x: number, y: number}} from the corner of the cells to the point; the headers grow, too */
    const distance = () => {
      const { left, top } = body.getBoundingClientRect();
      return { x: ((around?.clientX ?? left) - left) / this.zoom, y: ((around?.clientY ?? top) - top) / this.zoom };
    };
    const before = distance();
    const { x, y } = this.#scrolling;
    this.zoom = boundedZoom(wanted);
    apply(this.zoom);
    const after = distance();
    this.#scrolling.to(x + before.x - after.x, y + before.y - after.y);
  }
}
