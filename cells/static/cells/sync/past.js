/** A sheet as it was at a revision: read once, kept as a live sheet is, a string a row, and never changed. */

import { CellMap } from "../domain/cells.js";
import { SLICE_MS, pause } from "./arrivals.js";
import { Confirmed } from "./confirmed.js";
import { linesOf } from "./lines.js";

const CLOCK_CELLS = 512; // taken before the clock is looked at

/** @typedef {import("./confirmed.js").Cell} Cell */
/** @typedef {import("./confirmed.js").Shape} Shape */
/** @typedef {import("./confirmed.js").WireCell} WireCell */
/** @typedef {{kind: string, name: string, color: string}} Author */
/** @typedef {Shape & {changes?: [author: string|null, cells: WireCell[]][], changed?: [row_id: number, column_id: number, author: number][], changed_count?: number, authors?: Author[]}} Part `author`: the place among the authors */

/** @template Mark what the cells that were changed are marked with */
export class Past {
  #confirmed = new Confirmed();
  /** @type {CellMap<Mark>} */ #changed = new CellMap();
  #markOf;
  /** @type {readonly Author[]} of the cells that are marked, no two in the same colour if they are few */ authors = [];
  /** How many cells were changed; marked may be fewer. */ changedCount = 0;
  /** @type {[row_id: number, column_id: number]|null} one of them */ firstChanged = null;

  /** @param {(author: Author) => Mark} markOf what a cell is marked with that somebody has changed */
  constructor(markOf) {
    this.#markOf = markOf;
  }

  get rows() {
    return this.#confirmed.rows;
  }

  get columns() {
    return this.#confirmed.columns;
  }

  get rowSizes() {
    return this.#confirmed.rowSizes;
  }

  get columnSizes() {
    return this.#confirmed.columnSizes;
  }

  get frozen() {
    return this.#confirmed.frozen;
  }

  /**
   * Read all of it, a part a line; however much it is, the page goes on.
   * @param {ReadableStream<Uint8Array>} body
   */
  async read(body) {
    let began = performance.now();
    const rest = async () => {
      if (performance.now() - began < SLICE_MS) return;
      await pause();
      began = performance.now();
    };
    for await (const line of linesOf(body.getReader())) {
      if (line !== "") await this.#take(JSON.parse(line), rest);
      await rest();
    }
  }

  /**
   * @param {Part} part
   * @param {() => Promise<void>} rest lets the page have its turn, if that is due
   */
  async #take(part, rest) {
    this.#confirmed.takeShape(part, 0);
    for (const [, cells] of part.changes ?? []) {
      for (const [place, cell] of cells.entries()) {
        this.#confirmed.takeCell(cell);
        if (place % CLOCK_CELLS === 0) await rest();
      }
    }
    if (part.changed) this.#mark(part.changed, part.authors ?? []);
    this.changedCount = Math.max(this.changedCount, part.changed_count ?? 0);
  }

  /**
   * @param {NonNullable<Part["changed"]>} changed
   * @param {readonly Author[]} authors
   */
  #mark(changed, authors) {
    this.authors = authors;
    const marks = authors.map((author) => this.#markOf(author)); // one object for all that are alike
    for (const [row, column, author] of changed) {
      this.#changed.set(row, column, marks[author]);
      this.firstChanged ??= [row, column];
      this.changedCount += 1;
    }
  }

  /**
   * Return the marks of a row's cells, by column id; undefined for none.
   * @param {number} row
   */
  changedIn(row) {
    return this.#changed.row(row);
  }

  /**
   * @param {number} row
   * @param {number} column
   * @returns {Cell|undefined}
   */
  cellAt(row, column) {
    return this.#confirmed.cells.get(row, column);
  }

  /**
   * Yield the row and column ids of every cell that is not empty, in no order.
   * @param {{row?: number, column?: number}} [only] of this row or column
   * @returns {Generator<[number, number]>}
   */
  *filled(only) {
    for (const cell of this.#confirmed.cells.among(only)) if (this.cellAt(...cell)?.input) yield cell;
  }

  /**
   * Likewise of every cell that has a style.
   * @param {{row?: number, column?: number}} [only] of this row or column
   * @returns {Generator<[number, number]>}
   */
  *styled(only) {
    for (const cell of this.#confirmed.cells.among(only)) if (this.cellAt(...cell)?.style) yield cell;
  }
}
