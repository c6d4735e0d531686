/** An axis: ordered ids of rows or columns, run-length encoded; tests/vectors/axes.json is the truth. */

import { SheetSyncError } from "./errors.js";

/** @typedef {[number, number]} Run First id and count; a negative count is a run of tombstones. */
/** @typedef {{from: number, to: number}} Span Ids from `from` up to, not including, `to`. */

/**
 * Sort and merge runs of ids, whatever stands where on the axis. Throws malformed.
 * @param {readonly Run[]} runs
 * @returns {Span[]}
 */
export function spansOf(runs) {
  /** @type {Span[]} */
  const spans = [];
  for (const [first, count] of [...runs].sort((a, b) => a[0] - b[0])) {
    if (count < 1) throw new SheetSyncError("malformed", `A run of ${count} ids.`);
    const last = spans.at(-1);
    if (last && first <= last.to) last.to = Math.max(last.to, first + count);
    else spans.push({ from: first, to: first + count });
  }
  return spans;
}

/**
 * Return the place of the last element that is not above `value`, or -1.
 * @param {number} length
 * @param {(place: number) => number} at
 * @param {number} value
 */
export function lastNotAbove(length, at, value) {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(middle) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * Cut one run where spans begin and end.
 * @param {Run} run
 * @param {Span[]} spans
 * @returns {{run: Run, isInside: boolean}[]}
 */
function cut([first, count], spans) {
  const sign = Math.sign(count);
  const end = first + Math.abs(count);
  const pieces = [];
  let place = Math.max(0, lastNotAbove(spans.length, (index) => spans[index].from, first));
  for (let id = first; id < end; ) {
    while (place < spans.length && spans[place].to <= id) place += 1;
    const span = spans[place];
    const isInside = span !== undefined && span.from <= id;
    const to = span === undefined ? end : Math.min(end, isInside ? span.to : span.from);
    pieces.push({ run: /** @type {Run} */ ([id, (to - id) * sign]), isInside });
    id = to;
  }
  return pieces;
}

/** Immutable; every change returns a new axis, in O(runs). */
export class Axis {
  /** @type {readonly Run[]} */ #runs;
  /** @type {number[]} Living ids in front of each run. */ #starts = [];
  /** @type {number[]} Places of the runs in the order of their ids. */ #byId = [];
  /** How many ids live. */ length = 0;
  /** The id that the next birth gets. */ nextId = 0;

  /** @param {readonly Run[]} runs Canonical: use fromRuns. */
  constructor(runs) {
    this.#runs = runs;
    for (const [first, count] of runs) {
      this.#starts.push(this.length);
      if (count > 0) this.length += count;
      this.nextId = Math.max(this.nextId, first + Math.abs(count));
    }
    this.#byId = runs.map((_, place) => place).sort((a, b) => runs[a][0] - runs[b][0]);
  }

  /**
   * @param {Iterable<Run>} runs Contiguous runs of the same life become one.
   * @returns {Axis}
   */
  static fromRuns(runs) {
    /** @type {Run[]} */
    const canonical = [];
    for (const [first, count] of runs) {
      const last = canonical.at(-1);
      if (last && last[1] > 0 === count > 0 && last[0] + Math.abs(last[1]) === first) last[1] += count;
      else canonical.push([first, count]);
    }
    return new Axis(canonical);
  }

  /** @returns {Run[]} */
  toRuns() {
    return this.#runs.map(([first, count]) => [first, count]);
  }

  /**
   * Return the id at a zero-based position among the living; undefined beyond them. O(log runs).
   * @param {number} position
   * @returns {number|undefined}
   */
  idAt(position) {
    if (!(position >= 0 && position < this.length)) return undefined;
    // Runs of tombstones share their start with the run behind them, so the last one found is a living one.
    const place = lastNotAbove(this.#starts.length, (index) => this.#starts[index], position);
    return this.#runs[place][0] + position - this.#starts[place];
  }

  /**
   * Return the zero-based place of `id` among the living. Throws unknown_id and deleted. O(log runs).
   * @param {number} id
   */
  positionOf(id) {
    const place = this.#placeOf(id);
    if (this.#runs[place][1] < 0) throw new SheetSyncError("deleted", `${id} was deleted.`);
    return this.#starts[place] + id - this.#runs[place][0];
  }

  /**
   * Like positionOf, but undefined where that throws: for what is only drawn when it is there.
   * @param {number} id
   * @returns {number|undefined}
   */
  findPosition(id) {
    const place = this.#findPlace(id);
    if (place === undefined || this.#runs[place][1] < 0) return undefined;
    return this.#starts[place] + id - this.#runs[place][0];
  }

  /**
   * Return the positions that are alive from one id to another, both counting themselves. Either may stand in front, alive
   * or not; undefined where nothing between them is alive, or one was never born.
   * @param {number} one
   * @param {number} other
   * @returns {{first: number, last: number, isReversed: boolean}|undefined}
   */
  spanBetween(one, other) {
    const [onePlace, otherPlace] = [this.#findPlace(one), this.#findPlace(other)];
    if (onePlace === undefined || otherPlace === undefined) return undefined;
    const isReversed = otherPlace < onePlace || (otherPlace === onePlace && other < one); // within a run ids stand in order
    const [low, high] = isReversed ? [other, one] : [one, other];
    const [lowPlace, highPlace] = isReversed ? [otherPlace, onePlace] : [onePlace, otherPlace];
    const first = this.#livingBefore(low, lowPlace);
    const last = this.#livingBefore(high, highPlace) - (this.#runs[highPlace][1] > 0 ? 0 : 1);
    return first <= last ? { first, last, isReversed } : undefined;
  }

  /**
   * Return how many ids that are alive stand in front of an id, itself alive or not; undefined for one never born.
   * @param {number} id
   * @returns {number|undefined}
   */
  livingBefore(id) {
    const place = this.#findPlace(id);
    return place === undefined ? undefined : this.#livingBefore(id, place);
  }

  /**
   * @param {number} id
   * @param {number} place of its run
   */
  #livingBefore(id, place) {
    const [first, count] = this.#runs[place];
    return this.#starts[place] + (count > 0 ? id - first : 0);
  }

  /**
   * Cover the positions `first` to `last` with runs of ids, in the axis' order.
   * @param {number} first
   * @param {number} last included
   * @returns {Run[]}
   */
  runsBetween(first, last) {
    /** @type {Run[]} */
    const found = [];
    let place = lastNotAbove(this.#starts.length, (index) => this.#starts[index], first);
    for (place = Math.max(0, place); place < this.#runs.length && this.#starts[place] <= last; place += 1) {
      const [id, count] = this.#runs[place];
      const from = Math.max(first, this.#starts[place]);
      const to = Math.min(last + 1, this.#starts[place] + count);
      if (count > 0 && from < to) found.push([id + from - this.#starts[place], to - from]);
    }
    return found;
  }

  /**
   * Give birth to `count` ids before `before`, or at the end. Throws unknown_id and malformed.
   * @param {number|null} before
   * @param {number} count
   * @returns {Axis}
   */
  insert(before, count) {
    if (!(count >= 1)) throw new SheetSyncError("malformed", `Insert ${count} ids.`);
    return this.#put([[this.nextId, count]], before, this.#runs);
  }

  /**
   * Turn the ids of `runs` into tombstones. Throws unknown_id and malformed.
   * @param {readonly Run[]} runs
   * @returns {Axis}
   */
  delete(runs) {
    return this.#mark(runs, -1);
  }

  /**
   * Bring tombstones back to life where they are. Throws unknown_id and malformed.
   * @param {readonly Run[]} runs
   * @returns {Axis}
   */
  restore(runs) {
    return this.#mark(runs, 1);
  }

  /**
   * Put the ids of `runs`, in the order they have on the axis, before `before` or at the end.
   * Throws unknown_id, deleted, and malformed when `before` moves itself.
   * @param {readonly Run[]} runs
   * @param {number|null} before
   * @returns {Axis}
   */
  move(runs, before) {
    const spans = this.#bornSpans(runs);
    /** @type {Run[]} */
    const moved = [];
    /** @type {Run[]} */
    const kept = [];
    for (const run of this.#runs) {
      for (const piece of cut(run, spans)) (piece.isInside ? moved : kept).push(piece.run);
    }
    const dead = moved.find(([, count]) => count < 0);
    if (dead) throw new SheetSyncError("deleted", `${dead[0]} was deleted.`);
    if (before !== null && spans.some(({ from, to }) => from <= before && before < to)) {
      throw new SheetSyncError("malformed", `${before} is among those that move.`);
    }
    return this.#put(moved, before, kept);
  }

  /**
   * @param {Run[]} added
   * @param {number|null} before
   * @param {readonly Run[]} runs
   * @returns {Axis}
   */
  #put(added, before, runs) {
    if (before === null) return Axis.fromRuns([...runs, ...added]);
    this.#placeOf(before);
    const result = [];
    for (const [first, count] of runs) {
      const offset = before - first;
      if (offset < 0 || offset >= Math.abs(count)) {
        result.push(/** @type {Run} */ ([first, count]));
        continue;
      }
      const sign = Math.sign(count);
      if (offset > 0) result.push(/** @type {Run} */ ([first, offset * sign]));
      result.push(...added, /** @type {Run} */ ([before, count - offset * sign]));
    }
    return Axis.fromRuns(result);
  }

  /**
   * @param {readonly Run[]} runs
   * @param {1|-1} life
   * @returns {Axis}
   */
  #mark(runs, life) {
    const spans = this.#bornSpans(runs);
    const pieces = this.#runs.flatMap((run) => cut(run, spans));
    return Axis.fromRuns(pieces.map(({ run, isInside }) => (isInside ? [run[0], Math.abs(run[1]) * life] : run)));
  }

  /**
   * @param {readonly Run[]} runs
   * @returns {Span[]}
   */
  #bornSpans(runs) {
    const spans = spansOf(runs);
    for (const { from, to } of spans) {
      for (let id = from; id < to; ) {
        const [first, count] = this.#runs[this.#placeOf(id)];
        id = first + Math.abs(count);
      }
    }
    return spans;
  }

  /** @param {number} id */
  #placeOf(id) {
    const place = this.#findPlace(id);
    if (place === undefined) throw new SheetSyncError("unknown_id", `${id} was never born.`);
    return place;
  }

  /**
   * @param {number} id
   * @returns {number|undefined}
   */
  #findPlace(id) {
    const order = lastNotAbove(this.#byId.length, (index) => this.#runs[this.#byId[index]][0], id);
    if (order < 0) return undefined;
    const place = this.#byId[order];
    const [first, count] = this.#runs[place];
    return id < first + Math.abs(count) ? place : undefined;
  }
}
