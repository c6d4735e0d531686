/** One direction of what is seen of a sheet: how far it is scrolled, and what of it is frozen and stays. */

const MAX_FROZEN_SHARE = 0.6; // of what is seen; with more of it frozen there would be nothing to scroll

/** @typedef {import("./geometry.js").Geometry} Geometry */
/** @typedef {{first: number, last: number}} Stretch of positions; empty if `last` is before `first` */
/** @typedef {{from: number, to: number, cut: number}} Span in pixels of what is seen; `cut`: how much of its beginning is out of sight */

export class Port {
  #geometry;
  /** In pixels of the sheet. */ scroll;
  /** How much is seen, in pixels. */ seen;
  /** How many of the first rows or columns stay. */ frozen;
  /** How much they take, in pixels. */ frozenSize;

  /**
   * @param {Geometry} geometry
   * @param {number} scroll
   * @param {number} seen
   * @param {number} frozen as the sheet has it; fewer stay if they would leave no room
   */
  constructor(geometry, scroll, seen, frozen) {
    this.#geometry = geometry;
    this.scroll = scroll;
    this.seen = seen;
    const wanted = Math.min(frozen, geometry.length);
    const most = seen * MAX_FROZEN_SHARE;
    this.frozen = wanted > 0 && geometry.offsetOf(wanted) > most ? Math.min(wanted, geometry.positionAt(most)) : wanted;
    this.frozenSize = geometry.offsetOf(this.frozen);
  }

  /** @returns {Stretch} what is frozen */
  get still() {
    return { first: 0, last: this.frozen - 1 };
  }

  /** @returns {Stretch} what is seen of the rest */
  get moving() {
    if (this.#geometry.length === 0) return { first: 0, last: -1 };
    const first = Math.max(this.frozen, this.#geometry.positionAt(this.frozenSize + this.scroll));
    return { first, last: this.#geometry.positionAt(this.scroll + this.seen) };
  }

  /**
   * Return where a position begins, in pixels of what is seen; that may be beyond the edges, or under what is frozen.
   * @param {number} position
   */
  startOf(position) {
    return this.#geometry.offsetOf(position) - (position < this.frozen ? 0 : this.scroll);
  }

  /** @param {number} position */
  endOf(position) {
    return this.startOf(position) + this.#geometry.sizeOf(position);
  }

  /**
   * Return the position at a pixel of what is seen, the nearest one beyond the ends.
   * @param {number} pixel
   */
  positionAt(pixel) {
    return this.#geometry.positionAt(this.frozen > 0 && pixel < this.frozenSize ? pixel : pixel + this.scroll);
  }

  /**
   * Return where some neighbours are seen, cut off a little beyond the edges; null if nowhere.
   * @param {number} first
   * @param {number} last
   * @param {number} margin how far beyond an edge is still worth naming
   * @returns {Span|null}
   */
  spanOf(first, last, margin) {
    const isMoving = first >= this.frozen;
    const edge = isMoving ? this.frozenSize : 0;
    const start = this.startOf(first);
    const end = isMoving ? this.endOf(last) : Math.max(this.endOf(last), last < this.frozen ? 0 : this.frozenSize);
    if (end < edge || (edge > 0 && end === edge) || start > this.seen) return null;
    const clamp = (/** @type {number} */ value) => Math.max(edge - margin, Math.min(this.seen + margin, value));
    const from = clamp(start);
    return { from, to: clamp(end), cut: edge > 0 ? Math.max(0, edge - from) : 0 };
  }

  /**
   * Return how far to scroll, as little as it takes, to see a position.
   * @param {number} position
   */
  revealing(position) {
    if (position < this.frozen) return this.scroll;
    const room = this.seen - this.frozenSize;
    const start = this.#geometry.offsetOf(position);
    const end = start + Math.min(this.#geometry.sizeOf(position), room);
    if (start < this.scroll + this.frozenSize) return start - this.frozenSize;
    return end > this.scroll + this.seen ? end - this.seen : this.scroll;
  }
}
