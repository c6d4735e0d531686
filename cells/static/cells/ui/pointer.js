/** Mouse and pen on the grid: selecting, dragging a selection, pointing at cells. */

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
 * @property {(axis: AxisName) => import("./ports.js").Port} port
 * @property {boolean} mayEdit
 * @property {number} zoom of the grid; the pointer knows the screen's pixels
 * @property {() => void} focus take the keyboard, finish what is being edited
 * @property {(place: Place, shape: "cells"|AxisName, isExtending: boolean) => ((place: Place) => void)|null} pointAt have a formula that is being typed refer to what is there, and to where the pointer is drawn; null: it is not wanted
 * @property {() => void} edit
 * @property {(x: number, y: number) => void} openMenu
 * @property {(axis: AxisName, position: number, size: number|null) => void} resize
 * @property {(axis: AxisName, position: number) => void} fit give a row or column the size of its content
 * @property {(guide: {axis: AxisName, offset: number}|null) => void} showGuide
 */

export class Pointer {
  #target;
  /** @type {import("./borders.js").Borders|null} null until they have come */ #borders = null;

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
      headers.addEventListener("contextmenu", (event) => this.#onMenu(event, axis));
      headers.addEventListener("wheel", (event) => target.scrolling.wheel(event), { passive: false });
    }
  }

  /**
   * Take what drags borders.
   * @param {typeof import("./borders.js").Borders} Borders
   */
  equip(Borders) {
    this.#borders = new Borders(this.#target, (event) => this.#offsets(event));
  }

  /**
   * Return where on what is seen of the sheet an event is, in pixels.
   * @param {MouseEvent} event
   */
  #offsets({ clientX, clientY }) {
    const { left, top } = this.#target.painter.body.getBoundingClientRect();
    const { zoom } = this.#target;
    return { x: (clientX - left) / zoom, y: (clientY - top) / zoom };
  }

  /**
   * @param {MouseEvent} event
   * @param {{x: number, y: number}} [least] pixels: what is before them counts as being there
   * @returns {Place}
   */
  #place(event, least = { x: -Infinity, y: -Infinity }) {
    const { x, y } = this.#offsets(event);
    const { port } = this.#target;
    return { row: port("rows").positionAt(Math.max(y, least.y)), column: port("columns").positionAt(Math.max(x, least.x)) };
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
    const point = this.#target.pointAt(this.#place(event), "cells", event.shiftKey);
    if (point) return this.#drag(event, this.#target.painter.scroller, point);
    this.#target.focus();
    const { selection } = this.#target;
    if (event.shiftKey) selection.extend(this.#place(event));
    else selection.select(this.#place(event));
    this.#drag(event, this.#target.painter.scroller, (place) => selection.extend(place));
  }

  /**
   * A finger scrolls; only its tap selects.
   * @param {MouseEvent} event
   */
  #onTap(event) {
    if (!(event instanceof PointerEvent) || event.pointerType !== "touch" || !this.#isOnCells(event)) return;
    if (this.#target.pointAt(this.#place(event), "cells", false)) return;
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
    const headers = /** @type {HTMLElement} */ (event.currentTarget);
    const point = this.#target.pointAt(this.#place(event), axis, event.shiftKey);
    if (point) return this.#drag(event, headers, point);
    this.#target.focus();
    if (this.#borders?.takes(event, headers, axis)) return;
    const { selection, port } = this.#target;
    // The active cell is the first one seen, so that selecting a whole row or column does not scroll.
    const place = this.#place(event);
    if (axis === "columns") place.row = port("rows").positionAt(1);
    else place.column = port("columns").positionAt(1);
    if (event.shiftKey && selection.shape === axis) selection.extend(place);
    else selection.select(place, axis);
    this.#drag(event, headers, (place) => selection.extend(place));
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
   * Follow the pointer until it is let go; scroll while it is beyond an edge. What is frozen is an edge, too, for a drag
   * that began beside it, until there is nothing more to scroll back to.
   * @param {PointerEvent} event
   * @param {HTMLElement} element
   * @param {(place: Place) => void} moved
   */
  #drag(event, element, moved) {
    const { scrolling, painter, port } = this.#target;
    element.setPointerCapture(event.pointerId);
    const begun = this.#offsets(event);
    const isBeside = { x: begun.x >= port("columns").frozenSize, y: begun.y >= port("rows").frozenSize };
    let last = event;
    let timer = 0;
    const edges = () => ({
      x: isBeside.x && scrolling.x > 0 ? port("columns").frozenSize : 0,
      y: isBeside.y && scrolling.y > 0 ? port("rows").frozenSize : 0,
    });
    const follow = () => {
      const { x, y } = edges();
      moved(this.#place(last, { x: x || -Infinity, y: y || -Infinity }));
    };
    const scroll = () => {
      const seen = this.#offsets(last);
      const from = edges();
      const x = element === painter.rowHeaders ? 0 : beyond(seen.x, from.x, port("columns").seen);
      const y = element === painter.columnHeaders ? 0 : beyond(seen.y, from.y, port("rows").seen);
      if (x !== 0 || y !== 0) {
        scrolling.to(scrolling.x + x, scrolling.y + y);
        follow();
      }
      timer = requestAnimationFrame(scroll);
    };
    /** @param {PointerEvent} next */
    const took = (next) => {
      last = next;
      follow();
    };
    element.addEventListener("pointermove", took);
    timer = requestAnimationFrame(scroll);
    element.addEventListener(
      "lostpointercapture",
      () => {
        cancelAnimationFrame(timer);
        element.removeEventListener("pointermove", took);
      },
      { once: true },
    );
  }
}

/**
 * Return how far to scroll in a frame while the pointer is beyond an edge.
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
function beyond(value, low, high) {
  const distance = value < low ? value - low : value > high ? value - high : 0;
  return Math.max(-MAX_AUTOSCROLL_PX, Math.min(MAX_AUTOSCROLL_PX, distance));
}
