/** Borders of rows and columns: dragged, they resize; clicked twice, they fit to the content. */

import { MAX_SIZE_PX, MIN_SIZE_PX } from "./model.js";

const GRIP_PX = { rows: 3, columns: 5 }; // how near to a border the pointer catches it; rows are low

/** @typedef {"rows"|"columns"} AxisName */

export class Borders {
  #target;
  #offsetsOf;

  /**
   * @param {import("./pointer.js").Target} target
   * @param {(event: MouseEvent) => {x: number, y: number}} offsetsOf where on what is seen of the sheet an event is, in pixels
   */
  constructor(target, offsetsOf) {
    this.#target = target;
    this.#offsetsOf = offsetsOf;
    const { columnHeaders, rowHeaders } = target.painter;
    for (const [headers, axis] of /** @type {[HTMLElement, AxisName][]} */ ([[columnHeaders, "columns"], [rowHeaders, "rows"]])) {
      headers.addEventListener("pointermove", (event) => this.#hover(event, headers, axis));
      headers.addEventListener("dblclick", (event) => this.#onBorder(event, axis));
    }
  }

  /**
   * Drag the border that was pressed, if it was one.
   * @param {PointerEvent} event
   * @param {HTMLElement} headers
   * @param {AxisName} axis
   */
  takes(event, headers, axis) {
    const border = this.#at(event, axis);
    if (border !== null) this.#drag(event, headers, axis, border);
    return border !== null;
  }

  /**
   * Return the row or column whose far border is under the pointer.
   * @param {MouseEvent} event
   * @param {AxisName} axis
   * @returns {number|null}
   */
  #at(event, axis) {
    if (!this.#target.mayEdit) return null;
    const { x, y } = this.#offsetsOf(event);
    const pixel = axis === "columns" ? x : y;
    const port = this.#target.port(axis);
    const position = port.positionAt(pixel);
    if (Math.abs(port.endOf(position) - pixel) <= GRIP_PX[axis]) return position;
    const isAfterFrozen = port.frozen > 0 && pixel - port.frozenSize >= 0 && pixel - port.frozenSize <= GRIP_PX[axis];
    if (isAfterFrozen) return port.frozen - 1; // where they meet, the border is that of what stays
    return position > 0 && pixel - port.startOf(position) <= GRIP_PX[axis] ? position - 1 : null;
  }

  /**
   * @param {PointerEvent} event
   * @param {HTMLElement} headers
   * @param {AxisName} axis
   */
  #hover(event, headers, axis) {
    const cursor = axis === "columns" ? "col-resize" : "row-resize";
    headers.style.cursor = this.#at(event, axis) === null ? "" : cursor;
  }

  /**
   * A double click on a border fits a row or column to its content.
   * @param {MouseEvent} event
   * @param {AxisName} axis
   */
  #onBorder(event, axis) {
    const border = this.#at(event, axis);
    if (border !== null) this.#target.fit(axis, border);
  }

  /**
   * @param {PointerEvent} event
   * @param {HTMLElement} headers
   * @param {AxisName} axis
   * @param {number} position
   */
  #drag(event, headers, axis, position) {
    const geometry = this.#target.geometry(axis);
    const start = this.#target.port(axis).startOf(position);
    const pressed = axis === "columns" ? event.clientX : event.clientY;
    const usual = geometry.sizeOf(position);
    let size = usual;
    headers.setPointerCapture(event.pointerId);
    /** @param {PointerEvent} moved */
    const follow = (moved) => {
      const distance = ((axis === "columns" ? moved.clientX : moved.clientY) - pressed) / this.#target.zoom;
      size = Math.max(MIN_SIZE_PX, Math.min(MAX_SIZE_PX, Math.round(usual + distance)));
      this.#target.showGuide({ axis, offset: start + size });
    };
    const end = () => {
      headers.removeEventListener("pointermove", follow);
      this.#target.showGuide(null);
      if (size !== usual) this.#target.resize(axis, position, size);
    };
    headers.addEventListener("pointermove", follow);
    headers.addEventListener("lostpointercapture", end, { once: true });
  }
}
