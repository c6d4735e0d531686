/** Which rows are shown while a large sheet is still on its way, so that these come first. */

import { ROW_HEIGHT_PX } from "./model.js";

const PAUSE_MS = 50; // between two questions: who drags the scroll bar passes by thousands of rows
const USUAL_HEIGHT_PX = 1_000; // of a window that has not been laid out yet

/** @typedef {import("./ports.js").Port} Port */

export class LookingAhead {
  #model;
  #port;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #timer;

  /**
   * @param {import("./model.js").Model} model
   * @param {() => Port} port what is seen of the rows
   */
  constructor(model, port) {
    this.#model = model;
    this.#port = port;
  }

  /** Return the rows to begin with, by position; nothing is known of them yet but that they are of the usual height. */
  get first() {
    const { scroll, seen } = this.#port();
    return { first: Math.floor(scroll / ROW_HEIGHT_PX), count: Math.ceil((seen || USUAL_HEIGHT_PX) / ROW_HEIGHT_PX) + 1 };
  }

  /** Something was painted: what is missing of it is asked for soon. */
  painted() {
    if (this.#model.isLoaded || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const { still, moving } = this.#port();
      this.#model.wantRows([still, moving]);
    }, PAUSE_MS);
  }
}
