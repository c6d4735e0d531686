/** Where the rows or columns of an axis stand, in pixels. */

/** @typedef {import("../domain/axes.js").Axis} Axis */
/** @typedef {{position: number, count: number, size: number, offset: number}} Stretch neighbours of one size that is not the default */

export class Geometry {
  /** @type {Stretch[]} */ #stretches = [];
  #default;
  /** How many rows or columns. */ length;
  /** All of them together, in pixels. */ total;

  /**
   * @param {Axis} axis
   * @param {readonly [first_id: number, count: number, pixels: number][]} sizes of ids that have a size of their own
   * @param {number} usual the size of all others
   */
  constructor(axis, sizes, usual) {
    this.#default = usual;
    this.length = axis.length;
    let position = 0;
    for (const [id, count] of axis.toRuns()) {
      if (count < 0) continue;
      for (const [first, many, size] of sizes) {
        const from = Math.max(id, first);
        const to = Math.min(id + count, first + many);
        if (from < to) this.#stretches.push({ position: position + from - id, count: to - from, size, offset: 0 });
      }
      position += count;
    }
    this.#stretches.sort((a, b) => a.position - b.position);
    let extra = 0;
    for (const stretch of this.#stretches) {
      stretch.offset = stretch.position * usual + extra;
      extra += (stretch.size - usual) * stretch.count;
    }
    this.total = this.length * usual + extra;
  }

  /**
   * Return where a position begins; that of `length` is the end.
   * @param {number} position
   */
  offsetOf(position) {
    const stretch = this.#lastBefore(position, "position");
    if (stretch === undefined) return position * this.#default;
    const inside = Math.min(position - stretch.position, stretch.count);
    return stretch.offset + inside * stretch.size + (position - stretch.position - inside) * this.#default;
  }

  /** @param {number} position */
  sizeOf(position) {
    const stretch = this.#lastBefore(position, "position");
    return stretch && position < stretch.position + stretch.count ? stretch.size : this.#default;
  }

  /**
   * Return the position at an offset in pixels, the nearest one beyond the ends.
   * @param {number} offset
   */
  positionAt(offset) {
    const stretch = this.#lastBefore(offset, "offset");
    let position;
    if (stretch === undefined) position = offset / this.#default;
    else {
      const within = offset - stretch.offset;
      const end = stretch.count * stretch.size;
      position =
        stretch.position + (within < end ? within / stretch.size : stretch.count + (within - end) / this.#default);
    }
    return Math.max(0, Math.min(this.length - 1, Math.floor(position)));
  }

  /**
   * @param {number} value
   * @param {"position"|"offset"} by
   * @returns {Stretch|undefined}
   */
  #lastBefore(value, by) {
    let low = 0;
    let high = this.#stretches.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#stretches[middle][by] <= value) low = middle + 1;
      else high = middle;
    }
    return this.#stretches[low - 1];
  }
}
