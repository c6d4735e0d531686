/** Where the rows or columns of an axis stand, in pixels. */

import { lastNotAbove } from "../domain/axes.js";

/** @typedef {import("../domain/axes.js").Axis} Axis */
/** @typedef {{position: number, count: number, size: number, offset: number}} Stretch neighbours of one size that is not the default */

export class Geometry {
  /** @type {Stretch[]} */ #stretches = [];
  #default;
  /** How many rows or columns. */ length;
  /** All of them together, in pixels. */ total;

  /**
   * O(runs · log sizes + stretches): a sheet that was sorted and resized by hand may have ten thousands of both.
   * @param {Axis} axis
   * @param {readonly [first_id: number, count: number, pixels: number][]} sizes of ids that have a size of their own, by id
   * @param {number} usual the size of all others
   */
  constructor(axis, sizes, usual) {
    this.#default = usual;
    this.length = axis.length;
    let position = 0;
    for (const [id, count] of axis.toRuns()) {
      if (count < 0) continue;
      let place = Math.max(0, lastNotAbove(sizes.length, (index) => sizes[index][0], id));
      for (; place < sizes.length && sizes[place][0] < id + count; place += 1) {
        const [first, many, size] = sizes[place];
        const from = Math.max(id, first);
        const to = Math.min(id + count, first + many);
        if (from < to) this.#stretches.push({ position: position + from - id, count: to - from, size, offset: 0 });
      }
      position += count;
    }
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
    return this.#stretches[lastNotAbove(this.#stretches.length, (index) => this.#stretches[index][by], value)];
  }
}
