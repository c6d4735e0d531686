/** Marks on cells that others have just changed: a tint in the author's colour, a corner for a stream. */

import { CellMap } from "../domain/cells.js";

export const TINT_MS = 1_800; // as long as the animation in overlay.css
export const STREAM_MS = 4_000; // a corner is small: it may stay until somebody has seen it
const MAX_TINTED = 300; // more would be a flicker, and cost frames; the oldest make room
const LIVELY = 40; // so many at once are shown without fading, which every frame would have to paint
const SWEEP_MS = 200; // marks end in steps of this: one timer for all of them

/** @typedef {[author: string|null, cells: [row_id: number, column_id: number, ...unknown[]][]][]} Changes */
/** @typedef {{row: number, column: number, mark: string, until_ms: number}} Tint */

export class Tints {
  /** @type {CellMap<string>} */ #marks = new CellMap();
  /** @type {CellMap<Tint>} */ #tints = new CellMap();
  /** @type {Set<Tint>} the oldest first */ #ordered = new Set();
  #around;
  #isSweeping = false;
  #turn = 0;

  /**
   * @param {object} around
   * @param {() => number} around.now in milliseconds
   * @param {(run: () => void, ms: number) => unknown} around.setTimeout
   * @param {() => void} around.changed some have ended
   * @param {(author: string|null) => string|null} around.colorOf a CSS colour; "" for a stream; null for no mark
   */
  constructor(around) {
    this.#around = around;
  }

  /** Whether so much changes that nothing should fade. */
  get isLively() {
    return this.#ordered.size > LIVELY;
  }

  /**
   * Return the marks of a row's cells, by column id, for the painter; undefined for none.
   * @param {number} row_id
   * @returns {ReadonlyMap<number, string>|undefined} `0 #ff8800`, `1 #ff8800`, or `stream`
   */
  row(row_id) {
    return this.#marks.row(row_id);
  }

  /**
   * Mark what others have changed.
   * @param {Changes} changes
   */
  take(changes) {
    const now = this.#around.now();
    this.#turn = 1 - this.#turn; // another name begins the animation of a marked cell anew
    for (const [author, cells] of changes) {
      const color = this.#around.colorOf(author);
      if (color === null) continue;
      const mark = color === "" ? "stream" : `${this.#turn} ${color}`;
      const until_ms = now + (color === "" ? STREAM_MS : TINT_MS);
      for (const [row, column] of cells.slice(-MAX_TINTED)) this.#put({ row, column, mark, until_ms });
    }
    this.#sweepLater();
  }

  /** @param {Tint} tint */
  #put(tint) {
    const { row, column, mark } = tint;
    const known = this.#tints.get(row, column);
    if (known) this.#ordered.delete(known);
    else if (this.#ordered.size >= MAX_TINTED) this.#drop(/** @type {Tint} */ (this.#ordered.values().next().value));
    this.#ordered.add(tint);
    this.#tints.set(row, column, tint);
    this.#marks.set(row, column, mark);
  }

  /** @param {Tint} tint */
  #drop(tint) {
    this.#ordered.delete(tint);
    this.#tints.delete(tint.row, tint.column);
    this.#marks.delete(tint.row, tint.column);
  }

  #sweepLater() {
    if (this.#isSweeping || this.#ordered.size === 0) return;
    this.#isSweeping = true;
    this.#around.setTimeout(() => {
      this.#isSweeping = false;
      this.#sweep();
      this.#sweepLater();
    }, SWEEP_MS);
  }

  #sweep() {
    const now = this.#around.now();
    const { size } = this.#ordered;
    for (const tint of this.#ordered) if (tint.until_ms <= now) this.#drop(tint);
    if (this.#ordered.size !== size) this.#around.changed();
  }
}
