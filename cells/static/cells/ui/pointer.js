/** Mouse and pen on the grid: selecting, dragging a selection, dragging borders of rows and columns. */

import { MAX_SIZE_PX, MIN_SIZE_PX } from "./model.js";

const GRIP_PX = { rows: 3, columns: 5 }; // how near to a border the pointer catches it; rows are low
const MAX_AUTOSCROLL_PX = 40; // per frame, when a drag leaves the grid

/** @typedef {import("./geometry.js").Geometry} Geometry */
/** @typedef {import("./selection.js").Place} Place */
/** @typedef {"rows"|"columns"} AxisName */
/**
 * @typedef {object} Target what the pointer works on
 * @property {import("./painter.js").Painter} painter
 * @property {import("./scrolling.js").Scrolling} scrolling
 * @property {import("./selection.js").Selection} selection
 * @property {(axis: AxisName) => Geometry} geometry
 * @property {boolean} mayEdit
 * @property {number} zoom of the grid; the pointer knows the screen's pixels
 * @property {() => void} focus take the keyboard, finish what is being edited
 * @property {() => void} edit
 * @property {(x: number, y: number) => void} openMenu
 * @property {(axis: AxisName, position: number, size: number|null) => void} resize
 * @property {(column: number) => void} fit give a column the width of its content
 * @property {(guide: {axis: AxisName, offset: number}|null) => void} showGuide
 */

export class Pointer {
  #target;

  /** @param {Target} target */
  constructor(target) {
    this.#target = target;
    const { scroller, columnHeaders, rowHeaders, corner } = target.painter;
    scroller.addEventListener("pointerdown", (event) => this.#onCells(event));
    scroller.addEventListener("click", (event) => this.#onTap(event));
    scroller.addEventListener("dblclick", (event) => this.#isOnCells(event) && target.edit());
    scroller.addEventListener("contextmenu", (event) => this.#onMenu(event, "cells"));
    corner.addEventListener("click", () => {
      target.focus();
      target.selection.select({ row: 0, column: 0 }, "all");
    });
    for (const [headers, axis] of /** @type {[HTMLElement, AxisName][]} */ ([[columnHeaders, "columns"], [rowHeaders, "rows"]])) {
      headers.addEventListener("pointerdown", (event) => this.#onHeaders(event, axis));
      headers.addEventListener("pointermove", (event) => this.#hover(event, headers, axis));
      headers.addEventListener("dblclick", (event) => this.#onBorder(event, axis));
      headers.addEventListener("contextmenu", (event) => this.#onMenu(event, axis));
      headers.addEventListener("wheel", (event) => target.scrolling.wheel(event), { passive: false });
    }
  }

  /**
   * Return where on the sheet an event is, in pixels.
   * @param {MouseEvent} event
   */
  #offsets({ clientX, clientY }) {
    const { left, top } = this.#target.painter.body.getBoundingClientRect();
    const { zoom, scrolling } = this.#target;
    return { x: (clientX - left) / zoom + scrolling.x, y: (clientY - top) / zoom + scrolling.y };
  }

  /**
   * @param {MouseEvent} event
   * @returns {Place}
   */
  #place(event) {
    const { x, y } = this.#offsets(event);
    return { row: this.#target.geometry("rows").positionAt(y), column: this.#target.geometry("columns").positionAt(x) };
  }

  /**
   * Say whether an event is on the cells: not on a scroll bar, not in the editor. By its place, not by its target: while
   * the pointer is captured every event has the same one.
   * @param {MouseEvent} event
   */
  #isOnCells({ target, clientX, clientY }) {
    const { left, top, right, bottom } = this.#target.painter.body.getBoundingClientRect();
    const isInside = clientX >= left && clientX < right && clientY >= top && clientY < bottom;
    return isInside && !(target instanceof HTMLTextAreaElement);
  }

  /** @param {PointerEvent} event */
  #onCells(event) {
    if (event.button !== 0 || event.pointerType === "touch" || !this.#isOnCells(event)) return;
    event.preventDefault(); // keeps the focus, and text from being selected
    this.#target.focus();
    const { selection } = this.#target;
    if (event.shiftKey) selection.extend(this.#place(event));
    else selection.select(this.#place(event));
    this.#drag(event, this.#target.painter.scroller, (moved) => selection.extend(this.#place(moved)));
  }

  /**
   * A finger scrolls; only its tap selects.
   * @param {MouseEvent} event
   */
  #onTap(event) {
    if (!(event instanceof PointerEvent) || event.pointerType !== "touch" || !this.#isOnCells(event)) return;
    this.#target.focus();
    this.#target.selection.select(this.#place(event));
  }

  /**
   * @param {PointerEvent} event
   * @param {AxisName} axis
   */
  #onHeaders(event, axis) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.#target.focus();
    const headers = /** @type {HTMLElement} */ (event.currentTarget);
    const border = this.#borderAt(event, axis);
    if (border !== null) {
      this.#dragBorder(event, headers, axis, border);
      return;
    }
    const { selection, scrolling, geometry } = this.#target;
    // The active cell is the first one seen, so that selecting a whole row or column does not scroll.
    const place = this.#place(event);
    if (axis === "columns") place.row = geometry("rows").positionAt(scrolling.y + 1);
    else place.column = geometry("columns").positionAt(scrolling.x + 1);
    if (event.shiftKey && selection.shape === axis) selection.extend(place);
    else selection.select(place, axis);
    this.#drag(event, headers, (moved) => selection.extend(this.#place(moved)));
  }

  /**
   * @param {MouseEvent} event
   * @param {AxisName|"cells"} where
   */
  #onMenu(event, where) {
    if (where === "cells" && !this.#isOnCells(event)) return;
    event.preventDefault();
    this.#target.focus();
    const { selection } = this.#target;
    const place = this.#place(event);
    const { top, bottom, left, right } = selection.range;
    const isInside =
      (where === "columns" || (place.row >= top && place.row <= bottom)) &&
      (where === "rows" || (place.column >= left && place.column <= right));
    if (!isInside || (where !== "cells" && selection.shape !== where)) selection.select(place, where);
    this.#target.openMenu(event.clientX, event.clientY);
  }

  /**
   * Return the row or column whose far border is under the pointer.
   * @param {MouseEvent} event
   * @param {AxisName} axis
   * @returns {number|null}
   */
  #borderAt(event, axis) {
    if (!this.#target.mayEdit) return null;
    const { x, y } = this.#offsets(event);
    const offset = axis === "columns" ? x : y;
    const geometry = this.#target.geometry(axis);
    const position = geometry.positionAt(offset);
    if (Math.abs(geometry.offsetOf(position + 1) - offset) <= GRIP_PX[axis]) return position;
    return position > 0 && offset - geometry.offsetOf(position) <= GRIP_PX[axis] ? position - 1 : null;
  }

  /**
   * @param {PointerEvent} event
   * @param {HTMLElement} headers
   * @param {AxisName} axis
   */
  #hover(event, headers, axis) {
    const cursor = axis === "columns" ? "col-resize" : "row-resize";
    headers.style.cursor = this.#borderAt(event, axis) === null ? "" : cursor;
  }

  /**
   * A double click on a border fits a column to its content, and gives a row back its usual height.
   * @param {MouseEvent} event
   * @param {AxisName} axis
   */
  #onBorder(event, axis) {
    const border = this.#borderAt(event, axis);
    if (border === null) return;
    if (axis === "columns") this.#target.fit(border);
    else this.#target.resize(axis, border, null);
  }

  /**
   * @param {PointerEvent} event
   * @param {HTMLElement} headers
   * @param {AxisName} axis
   * @param {number} position
   */
  #dragBorder(event, headers, axis, position) {
    const geometry = this.#target.geometry(axis);
    const start = geometry.offsetOf(position);
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

  /**
   * Follow the pointer until it is let go; scroll while it is beyond an edge.
   * @param {PointerEvent} event
   * @param {HTMLElement} element
   * @param {(moved: PointerEvent) => void} moved
   */
  #drag(event, element, moved) {
    const { scrolling, painter } = this.#target;
    element.setPointerCapture(event.pointerId);
    let last = event;
    let timer = 0;
    const scroll = () => {
      const { left, right, top, bottom } = painter.body.getBoundingClientRect();
      /** @type {(value: number, low: number, high: number) => number} */
      const beyond = (value, low, high) => {
        const distance = value < low ? value - low : value > high ? value - high : 0;
        return Math.max(-MAX_AUTOSCROLL_PX, Math.min(MAX_AUTOSCROLL_PX, distance));
      };
      const isColumns = element === painter.columnHeaders;
      const isRows = element === painter.rowHeaders;
      const x = isRows ? 0 : beyond(last.clientX, left, right);
      const y = isColumns ? 0 : beyond(last.clientY, top, bottom);
      if (x !== 0 || y !== 0) {
        scrolling.to(scrolling.x + x, scrolling.y + y);
        moved(last);
      }
      timer = requestAnimationFrame(scroll);
    };
    /** @param {PointerEvent} next */
    const follow = (next) => {
      last = next;
      moved(next);
    };
    element.addEventListener("pointermove", follow);
    timer = requestAnimationFrame(scroll);
    element.addEventListener(
      "lostpointercapture",
      () => {
        cancelAnimationFrame(timer);
        element.removeEventListener("pointermove", follow);
      },
      { once: true },
    );
  }
}
