/** An axis: ordered ids of rows or columns, run-length encoded; tests/vectors/axes.json is the truth. */

import { SheetSyncError } from "./errors.js";

/** @typedef {[number, number]} Run First id and count; a negative count is a run of tombstones. */
/** @typedef {[first_id: number, count: number, death: number]} Death Tombstones, and which id was the next one when they were deleted. */
/** @typedef {[first: number, count: number, death: number]} Fate A run, with its death; 0 where it lives or nobody knows. */
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
 * @param {Fate} run
 * @param {Span[]} spans
 * @returns {{run: Fate, isInside: boolean}[]}
 */
function cut([first, count, death], spans) {
  const sign = Math.sign(count);
  const end = first + Math.abs(count);
  const pieces = [];
  let place = Math.max(0, lastNotAbove(spans.length, (index) => spans[index].from, first));
  for (let id = first; id < end; ) {
    while (place < spans.length && spans[place].to <= id) place += 1;
    const span = spans[place];
    const isInside = span !== undefined && span.from <= id;
    const to = span === undefined ? end : Math.min(end, isInside ? span.to : span.from);
    pieces.push({ run: /** @type {Fate} */ ([id, (to - id) * sign, death]), isInside });
    id = to;
  }
  return pieces;
}

/**
 * Give runs of the wire the deaths that are told beside them.
 * @param {Iterable<Run>} runs
 * @param {readonly Death[]} deaths
 * @returns {Fate[]}
 */
function fates(runs, deaths) {
  const known = [...deaths].sort((a, b) => a[0] - b[0]);
  /** @type {Fate[]} */
  const all = [];
  for (const [first, count] of runs) {
    let at = first;
    const end = first + Math.abs(count);
    if (count < 0) {
      let place = Math.max(0, lastNotAbove(known.length, (index) => known[index][0], first));
      for (; place < known.length && known[place][0] < end; place += 1) {
        const [id, many, death] = known[place];
        const from = Math.max(id, at);
        const to = Math.min(id + many, end);
        if (from >= to) continue;
        all.push([at, at - from, 0], [from, from - to, death]);
        at = to;
      }
    }
    all.push([at, (end - at) * Math.sign(count), 0]);
  }
  return all;
}

/** Immutable; every change returns a new axis, in O(runs). */
export class Axis {
  /** @type {readonly Fate[]} */ #runs;
  /** @type {number[]} Living ids in front of each run. */ #starts = [];
  /** @type {number[]} Places of the runs in the order of their ids. */ #byId = [];
  /** How many ids live. */ length = 0;
  /** The id that the next birth gets. */ nextId = 0;

  /** @param {readonly Fate[]} runs Canonical: use fromRuns. */
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
   * @param {readonly Death[]} [deaths] of tombstones, as far as they are known
   * @returns {Axis}
   */
  static fromRuns(runs, deaths = []) {
    return Axis.#of(fates(runs, deaths));
  }

  /**
   * @param {Iterable<Fate>} runs Contiguous runs of the same fate become one; runs of none go.
   * @returns {Axis}
   */
  static #of(runs) {
    /** @type {Fate[]} */
    const canonical = [];
    for (const [first, count, death] of runs) {
      if (count === 0) continue;
      const last = canonical.at(-1);
      if (last && last[1] > 0 === count > 0 && last[2] === death && last[0] + Math.abs(last[1]) === first) last[1] += count;
      else canonical.push([first, count, death]);
    }
    return new Axis(canonical);
  }

  /** @returns {Run[]} as the wire has them: without deaths */
  toRuns() {
    /** @type {Run[]} */
    const runs = [];
    for (const [first, count] of this.#runs) {
      const last = runs.at(-1);
      if (last && last[1] > 0 === count > 0 && last[0] + Math.abs(last[1]) === first) last[1] += count;
      else runs.push([first, count]);
    }
    return runs;
  }

  /** @returns {Death[]} */
  get deaths() {
    return this.#runs.filter(([, , death]) => death > 0).map(([first, count, death]) => [first, Math.abs(count), death]);
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
   * Return the positions of a range that was made from one id to another. Where an end was deleted, it goes on as Excel's
   * does: from the next one that was there then, so that what is born between the two is outside. Undefined where nothing is
   * left, or one was never born.
   * @param {number} one
   * @param {number} other
   * @returns {{first: number, last: number, isReversed: boolean}|undefined}
   */
  rangeBetween(one, other) {
    const [onePlace, otherPlace] = [this.#findPlace(one), this.#findPlace(other)];
    if (onePlace === undefined || otherPlace === undefined) return undefined;
    const isReversed = otherPlace < onePlace || (otherPlace === onePlace && other < one);
    const [low, high] = isReversed ? [other, one] : [one, other];
    const [lowPlace, highPlace] = isReversed ? [otherPlace, onePlace] : [onePlace, otherPlace];
    const first = this.#survivorBehind(low, lowPlace, highPlace);
    const last = this.#survivorInFront(high, highPlace, lowPlace, low);
    return first === undefined || last === undefined || first > last ? undefined : { first, last, isReversed };
  }

  /**
   * Return where a range begins that was made from an id on, without an end; undefined where nothing is left of it.
   * @param {number} id
   * @returns {number|undefined}
   */
  rangeFrom(id) {
    const place = this.#findPlace(id);
    return place === undefined ? undefined : this.#survivorBehind(id, place, this.#runs.length - 1);
  }

  /**
   * Return the position of an id, or of what a range from it begins with since it died.
   * @param {number} id
   * @param {number} place of its run
   * @param {number} last place of the last run to look at
   * @returns {number|undefined}
   */
  #survivorBehind(id, place, last) {
    const [begin, length, died] = this.#runs[place];
    if (length > 0) return this.#starts[place] + id - begin;
    let limit = died || Infinity;
    for (let at = place + 1; at <= last; at += 1) {
      const [first, count, death] = this.#runs[at];
      if (first >= limit) continue; // it was born when the range began behind it already
      if (count > 0) return this.#starts[at];
      limit = Math.max(limit, death); // the range began there in between
    }
    return undefined;
  }

  /**
   * Likewise towards the front, for where a range ends; not beyond the id `stop`.
   * @param {number} id
   * @param {number} place of its run
   * @param {number} last place of the last run to look at
   * @param {number} stop
   * @returns {number|undefined}
   */
  #survivorInFront(id, place, last, stop) {
    const [begin, length, died] = this.#runs[place];
    if (length > 0) return this.#starts[place] + id - begin;
    let limit = died || Infinity;
    for (let at = place - 1; at >= last; at -= 1) {
      const [first, count, death] = this.#runs[at];
      if ((at === last ? stop : first) >= limit) continue;
      if (count > 0) return this.#starts[at] + Math.min(first + count, limit) - 1 - first;
      limit = Math.max(limit, death);
    }
    return undefined;
  }

  /**
   * Return how many ids that are alive stand in front of an id, itself alive or not.
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
    return this.#put([[this.nextId, count, 0]], before, this.#runs);
  }

  /**
   * Turn the ids of `runs` into tombstones, dead since now; one that is a tombstone stays as it is. Throws unknown_id and
   * malformed.
   * @param {readonly Run[]} runs
   * @returns {Axis}
   */
  delete(runs) {
    return this.#each(runs, ([first, count, death]) => (count > 0 ? [first, -count, this.nextId] : [first, count, death]));
  }

  /**
   * Bring tombstones back to life where they are. Throws unknown_id and malformed.
   * @param {readonly Run[]} runs
   * @returns {Axis}
   */
  restore(runs) {
    return this.#each(runs, ([first, count]) => [first, Math.abs(count), 0]);
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
    /** @type {Fate[]} */
    const moved = [];
    /** @type {Fate[]} */
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
   * @param {Fate[]} added
   * @param {number|null} before
   * @param {readonly Fate[]} runs
   * @returns {Axis}
   */
  #put(added, before, runs) {
    if (before === null) return Axis.#of([...runs, ...added]);
    this.#placeOf(before);
    /** @type {Fate[]} */
    const result = [];
    for (const [first, count, death] of runs) {
      const offset = before - first;
      if (offset < 0 || offset >= Math.abs(count)) {
        result.push([first, count, death]);
        continue;
      }
      const sign = Math.sign(count);
      result.push([first, offset * sign, death], ...added, [before, count - offset * sign, death]);
    }
    return Axis.#of(result);
  }

  /**
   * @param {readonly Run[]} runs
   * @param {(run: Fate) => Fate} change
   * @returns {Axis}
   */
  #each(runs, change) {
    const spans = this.#bornSpans(runs);
    const pieces = this.#runs.flatMap((run) => cut(run, spans));
    return Axis.#of(pieces.map(({ run, isInside }) => (isInside ? change(run) : run)));
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
