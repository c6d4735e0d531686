/** How large the grid is shown: two fingers on it, or the control at the foot of the page; the browser's own stays as it is. */

import { element } from "./elements.js";
import { gettext, locale } from "./words.js";

export const MIN_ZOOM = 0.5;
export const MAX_ZOOM = 2;
const STEPS = [0.5, 0.67, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2];
const KEPT_AS = "sheetsync.zoom";

/**
 * Return a zoom that the grid can have.
 * @param {number} wanted
 */
export function boundedZoom(wanted) {
  return Number.isFinite(wanted) ? Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, Math.round(wanted * 100) / 100)) : 1;
}

/**
 * Return the next step up or down.
 * @param {number} zoom
 * @param {1|-1} direction
 */
export function steppedZoom(zoom, direction) {
  const step = direction > 0 ? STEPS.find((one) => one > zoom + 0.001) : [...STEPS].reverse().find((one) => one < zoom - 0.001);
  return step ?? (direction > 0 ? MAX_ZOOM : MIN_ZOOM);
}

export class ZoomControl {
  #label = element("button", "zoom-label", { type: "button", title: gettext("Back to 100 %") });
  #set;
  #storage;

  /**
   * @param {HTMLElement} place
   * @param {Storage|null} storage
   * @param {(zoom: number) => void} set
   */
  constructor(place, storage, set) {
    this.#set = set;
    this.#storage = storage;
    const group = element("div", "zoom", { role: "group", "aria-label": gettext("Zoom of the grid") });
    const less = element("button", "zoom-step", { type: "button", "aria-label": gettext("Smaller") }, "−");
    const more = element("button", "zoom-step", { type: "button", "aria-label": gettext("Larger") }, "+");
    less.addEventListener("click", () => this.#set(steppedZoom(this.zoom, -1)));
    more.addEventListener("click", () => this.#set(steppedZoom(this.zoom, 1)));
    this.#label.addEventListener("click", () => this.#set(1));
    group.append(less, this.#label, more);
    place.append(group);
  }

  zoom = 1;

  /** Take up the zoom of the last visit. */
  restore() {
    this.#set(boundedZoom(Number(this.#storage?.getItem(KEPT_AS) ?? 1)));
  }

  /** @param {number} zoom what the grid has now */
  show(zoom) {
    this.zoom = zoom;
    this.#label.textContent = zoom.toLocaleString(locale, { style: "percent" });
    this.#storage?.setItem(KEPT_AS, String(zoom));
  }
}
