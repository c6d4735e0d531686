/** The handle at the corner of the selection: dragged, it fills; clicked twice, it fills down as far as the neighbours go. */

import { element } from "./elements.js";
import { rangeFilled } from "./filling.js";

const MAX_SCROLL_PX = 40; // per frame, while the pointer is beyond an edge

/** @typedef {import("../domain/addresses.js").Range} Range */
/**
 * @typedef {object} Target
 * @property {import("./painter.js").Painter} painter
 * @property {import("./scrolling.js").Scrolling} scrolling
 * @property {import("./selection.js").Selection} selection
 * @property {import("./filling.js").Filling} filling
 * @property {(point: {clientX: number, clientY: number}) => import("./selection.js").Place} placeAt
 * @property {() => void} focus
 * @property {() => void} changed what would be filled is to be painted
 */

export class FillHandle {
  #target;
  #handle = element("div", "fill-handle", { "aria-hidden": "true", hidden: "" });
  /** @type {Range|null} what letting go would fill, with what it is filled from */ range = null;

  /** @param {Target} target */
  constructor(target) {
    this.#target = target;
    target.painter.adopt(this.#handle);
    this.#handle.addEventListener("pointerdown", (event) => this.#drag(event));
    this.#handle.addEventListener("dblclick", (event) => {
      event.stopPropagation();
      target.filling.downBesideNeighbours();
    });
  }

  /**
   * Stand at the lower right corner of the selection.
   * @param {{right: number, bottom: number}|null} corner in pixels of the body; null: there is nothing to fill from
   * @param {{width: number, height: number}} seen
   */
  place(corner, { width, height }) {
    this.#handle.hidden = corner === null || corner.right < 0 || corner.bottom < 0 || corner.right > width || corner.bottom > height;
    if (corner) this.#handle.style.transform = `translate(${corner.right}px, ${corner.bottom}px)`;
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    if (event.button !== 0) return;
    const { selection, scrolling, painter, placeAt, focus, changed, filling } = this.#target;
    event.preventDefault();
    event.stopPropagation();
    focus();
    const from = selection.range;
    let last = event;
    let isGivenUp = false;
    const follow = () => {
      if (isGivenUp) return;
      this.range = rangeFilled(from, placeAt(last));
      changed();
    };
    /** @param {PointerEvent} moved */
    const moved = (moved) => {
      last = moved;
      follow();
    };
    let timer = 0;
    const scroll = () => {
      timer = requestAnimationFrame(scroll);
      const { left, right, top, bottom } = painter.body.getBoundingClientRect();
      /** @type {(value: number, low: number, high: number) => number} */
      const beyond = (value, low, high) => Math.max(-MAX_SCROLL_PX, Math.min(MAX_SCROLL_PX, value < low ? value - low : Math.max(0, value - high)));
      const x = beyond(last.clientX, left, right);
      const y = beyond(last.clientY, top, bottom);
      if (x === 0 && y === 0) return;
      scrolling.to(scrolling.x + x, scrolling.y + y);
      follow();
    };
    /** @param {KeyboardEvent} pressed */
    const giveUp = (pressed) => {
      if (pressed.key !== "Escape") return;
      pressed.stopPropagation();
      isGivenUp = true;
      this.range = null;
      changed();
    };
    document.addEventListener("keydown", giveUp, true);
    this.#handle.addEventListener("pointermove", moved);
    this.#handle.setPointerCapture(event.pointerId);
    timer = requestAnimationFrame(scroll);
    this.#handle.addEventListener("lostpointercapture", () => {
      cancelAnimationFrame(timer);
      document.removeEventListener("keydown", giveUp, true);
      this.#handle.removeEventListener("pointermove", moved);
      const to = this.range;
      this.range = null;
      changed();
      if (to) filling.extend(from, to);
    }, { once: true });
  }
}
