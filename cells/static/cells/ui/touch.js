/** Fingers on the grid: a tap selects, two taps edit, a long one opens the menu, handles extend, two fingers zoom. */

import { element } from "./elements.js";

const LONG_MS = 500;
const DOUBLE_MS = 400;
const STILL_PX = 12; // how far a finger that rests may stray
const EDGE_PX = 36; // how near to an edge a handle scrolls
const SCROLL_PX = 12; // per frame, there

/** @typedef {import("./selection.js").Place} Place */
/** @typedef {{left: number, top: number, right: number, bottom: number}} Corners in pixels of the body */
/** @typedef {{clientX: number, clientY: number}} Point */
/**
 * @typedef {object} Target what fingers work on
 * @property {HTMLElement} host
 * @property {import("./painter.js").Painter} painter
 * @property {import("./scrolling.js").Scrolling} scrolling
 * @property {import("./selection.js").Selection} selection
 * @property {(point: Point) => Place} placeAt
 * @property {() => void} edit
 * @property {number} zoom
 * @property {(zoom: number, around: Point) => void} zoomTo
 */

/**
 * Return how far two fingers are from each other, and the point between them.
 * @param {TouchList} touches
 */
function pinchOf([one, other]) {
  return {
    distance: Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY),
    clientX: (one.clientX + other.clientX) / 2,
    clientY: (one.clientY + other.clientY) / 2,
  };
}

export class Touch {
  #target;
  #handles = {
    start: element("div", "handle handle-start", { "aria-hidden": "true" }),
    end: element("div", "handle handle-end", { "aria-hidden": "true" }),
  };
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #longTimer;
  /** @type {Point|null} where the finger that rests came down */ #resting = null;
  #hasPressedLong = false;
  /** @type {(Point & {at: number})|null} */ #lastTap = null;
  /** @type {{distance: number, zoom: number}|null} */ #pinch = null;

  /** @param {Target} target */
  constructor(target) {
    this.#target = target;
    const { host, painter } = target;
    host.addEventListener("pointerdown", (event) => this.#down(event), true);
    host.addEventListener("pointermove", (event) => this.#moved(event), true);
    for (const kind of /** @type {const} */ (["pointerup", "pointercancel"])) host.addEventListener(kind, () => this.#forgetRest(), true);
    host.addEventListener("touchend", (event) => this.#lifted(event), { capture: true, passive: false });
    host.addEventListener("click", (event) => this.#clicked(event), true);
    host.addEventListener("contextmenu", (event) => this.#menu(event), true);
    painter.scroller.addEventListener("touchstart", (event) => this.#pinchBegan(event), { passive: true });
    painter.scroller.addEventListener("touchmove", (event) => this.#pinched(event), { passive: false });
    for (const kind of /** @type {const} */ (["touchend", "touchcancel"])) painter.scroller.addEventListener(kind, () => (this.#pinch = null));
    for (const [name, handle] of Object.entries(this.#handles)) {
      painter.adopt(handle);
      handle.addEventListener("pointerdown", (event) => this.#drag(event, handle, name === "start"));
    }
  }

  /**
   * Stand at the corners of the selection.
   * @param {Corners|null} corners null: there are none to stand at
   * @param {{width: number, height: number}} seen
   */
  place(corners, { width, height }) {
    const { start, end } = this.#handles;
    for (const [handle, x, y] of /** @type {[HTMLElement, number, number][]} */ ([
      [start, corners?.left ?? 0, corners?.top ?? 0],
      [end, corners?.right ?? 0, corners?.bottom ?? 0],
    ])) {
      handle.hidden = corners === null || x < 0 || y < 0 || x > width || y > height;
      handle.style.transform = `translate(${x}px, ${y}px)`;
    }
  }

  /** @param {PointerEvent} event */
  #down(event) {
    const isTouch = event.pointerType === "touch";
    this.#target.host.classList.toggle("is-touched", isTouch);
    this.#forgetRest();
    this.#hasPressedLong = false;
    const { target } = event;
    if (!isTouch || !event.isPrimary || target instanceof HTMLTextAreaElement || this.#isHandle(target)) return;
    const { clientX, clientY } = event;
    this.#resting = { clientX, clientY };
    this.#longTimer = setTimeout(() => {
      this.#forgetRest();
      this.#hasPressedLong = true;
      target?.dispatchEvent(new MouseEvent("contextmenu", { clientX, clientY, bubbles: true, cancelable: true }));
    }, LONG_MS);
  }

  /** @param {EventTarget|null} target */
  #isHandle(target) {
    return target === this.#handles.start || target === this.#handles.end;
  }

  /** @param {PointerEvent} event */
  #moved({ clientX, clientY }) {
    const from = this.#resting;
    if (from && Math.hypot(clientX - from.clientX, clientY - from.clientY) > STILL_PX) this.#forgetRest();
  }

  #forgetRest() {
    clearTimeout(this.#longTimer);
    this.#resting = null;
  }

  /**
   * A browser that knows long presses sends a menu event of its own, sooner or later than ours: one of them is enough.
   * @param {MouseEvent} event
   */
  #menu(event) {
    if (!event.isTrusted) return;
    if (this.#hasPressedLong) {
      event.preventDefault();
      event.stopPropagation();
    } else if (this.#resting) {
      this.#forgetRest();
      this.#hasPressedLong = true;
    }
  }

  /** @param {TouchEvent} event */
  #lifted(event) {
    if (!this.#hasPressedLong) return;
    this.#hasPressedLong = false;
    if (event.cancelable) event.preventDefault(); // no click: it would hit the menu that lies under the finger now
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    if (!(event instanceof PointerEvent) || event.pointerType !== "touch") return;
    const { clientX, clientY, target } = event;
    const isOnCells = target instanceof Node && this.#target.painter.body.contains(target) && !(target instanceof HTMLTextAreaElement);
    const last = this.#lastTap;
    this.#lastTap = isOnCells ? { clientX, clientY, at: event.timeStamp } : null;
    const isSecond = last && event.timeStamp - last.at < DOUBLE_MS && Math.hypot(clientX - last.clientX, clientY - last.clientY) < 2 * STILL_PX;
    if (!isOnCells || !isSecond) return;
    this.#lastTap = null;
    event.stopPropagation();
    event.preventDefault();
    this.#target.edit();
  }

  /** @param {TouchEvent} event */
  #pinchBegan({ touches }) {
    this.#pinch = touches.length === 2 ? { distance: pinchOf(touches).distance, zoom: this.#target.zoom } : null;
    if (touches.length > 1) this.#forgetRest();
  }

  /** @param {TouchEvent} event */
  #pinched(event) {
    if (this.#pinch === null || event.touches.length !== 2) return;
    if (event.cancelable) event.preventDefault(); // the fingers must not scroll as well
    const { distance, ...point } = pinchOf(event.touches);
    if (this.#pinch.distance > 0) this.#target.zoomTo((this.#pinch.zoom * distance) / this.#pinch.distance, point);
  }

  /**
   * Extend the selection from the corner opposite to the handle.
   * @param {PointerEvent} event
   * @param {HTMLElement} handle
   * @param {boolean} isStart
   */
  #drag(event, handle, isStart) {
    const { selection, scrolling, painter, placeAt } = this.#target;
    event.preventDefault();
    event.stopPropagation();
    handle.setPointerCapture(event.pointerId);
    const { top, left, bottom, right } = selection.range;
    selection.selectRange({ top, left, bottom, right });
    if (isStart) {
      selection.select({ row: bottom, column: right });
      selection.extend({ row: top, column: left });
    }
    /** @type {PointerEvent|null} */
    let last = null;
    let timer = 0;
    const scroll = () => {
      timer = requestAnimationFrame(scroll);
      if (last === null) return;
      const seen = painter.body.getBoundingClientRect();
      /** @type {(value: number, low: number, high: number) => number} */
      const beyond = (value, low, high) => (value < low + EDGE_PX ? -SCROLL_PX : value > high - EDGE_PX ? SCROLL_PX : 0);
      const x = beyond(last.clientX, seen.left, seen.right);
      const y = beyond(last.clientY, seen.top, seen.bottom);
      if (x === 0 && y === 0) return;
      scrolling.to(scrolling.x + x, scrolling.y + y);
      selection.extend(placeAt(last));
    };
    /** @param {PointerEvent} moved */
    const follow = (moved) => {
      last = moved;
      selection.extend(placeAt(moved));
    };
    handle.addEventListener("pointermove", follow);
    timer = requestAnimationFrame(scroll);
    // Also after pointercancel: what is selected by then stays, nothing is left half done.
    handle.addEventListener("lostpointercapture", () => {
      cancelAnimationFrame(timer);
      handle.removeEventListener("pointermove", follow);
    }, { once: true });
  }
}
