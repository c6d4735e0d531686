/** Which cells are selected: an anchor, which is the active cell, and the opposite corner; both stay with their cells. */

/** @typedef {import("../domain/axes.js").Axis} Axis */
/** @typedef {import("../domain/addresses.js").Range} Range */
/** @typedef {{row: number, column: number}} Place */
/** @typedef {"cells"|"rows"|"columns"|"all"} Shape */

export class Selection {
  /** @type {Axis} */ #rows;
  /** @type {Axis} */ #columns;
  /** @type {Place} */ #active = { row: 0, column: 0 };
  /** @type {Place} */ #corner = { row: 0, column: 0 };
  /** @type {(number|undefined)[]} ids of the active row and column and of the corner's */ #ids = [];
  /** @type {number|null} where Enter goes back to after a run of Tabs */ #tabColumn = null;
  /** @type {Range|null} to be selected once its rows and columns are born */ #wanted = null;
  /** @type {Shape} */ shape = "cells";
  #changed;

  /**
   * @param {Axis} rows
   * @param {Axis} columns
   * @param {() => void} changed
   */
  constructor(rows, columns, changed) {
    this.#rows = rows;
    this.#columns = columns;
    this.#changed = changed;
  }

  /** @returns {Readonly<Place>} */
  get active() {
    return this.#active;
  }

  /** @returns {Readonly<Place>} */
  get corner() {
    return this.#corner;
  }

  /** @returns {Range} */
  get range() {
    const whole = this.shape;
    const everyRow = whole === "columns" || whole === "all";
    const everyColumn = whole === "rows" || whole === "all";
    return {
      top: everyRow ? 0 : Math.min(this.#active.row, this.#corner.row),
      bottom: everyRow ? this.#rows.length - 1 : Math.max(this.#active.row, this.#corner.row),
      left: everyColumn ? 0 : Math.min(this.#active.column, this.#corner.column),
      right: everyColumn ? this.#columns.length - 1 : Math.max(this.#active.column, this.#corner.column),
    };
  }

  get isSingle() {
    const { top, left, bottom, right } = this.range;
    return top === bottom && left === right;
  }

  /**
   * Select one cell, or the rows, the columns or everything at it.
   * @param {Place} place
   * @param {Shape} [shape]
   */
  select(place, shape = "cells") {
    this.#tabColumn = null;
    this.#put(place, place, shape);
  }

  /**
   * Move the corner opposite to the active cell.
   * @param {Place} corner
   */
  extend(corner) {
    this.#tabColumn = null;
    this.#put(this.#active, corner, this.shape);
  }

  /** @param {Range} range may reach beyond the edge: what is born there meanwhile is selected too */
  selectRange(range) {
    const { top, left, bottom, right } = range;
    this.#tabColumn = null;
    this.#put({ row: top, column: left }, { row: bottom, column: right }, "cells");
    if (this.#corner.row < bottom || this.#corner.column < right) this.#wanted = range;
  }

  /** @param {1|-1} direction */
  tab(direction) {
    const start = this.#tabColumn ?? this.#active.column;
    const place = { row: this.#active.row, column: this.#active.column + direction };
    this.#put(place, place, "cells");
    this.#tabColumn = direction > 0 ? start : null;
  }

  /** @param {1|-1} direction */
  enter(direction) {
    this.select({ row: this.#active.row + direction, column: this.#tabColumn ?? this.#active.column });
  }

  /**
   * Stay with the same cells on axes that changed, or near where a deleted one was.
   * @param {Axis} rows
   * @param {Axis} columns
   */
  rebase(rows, columns) {
    const [row, column, cornerRow, cornerColumn] = this.#ids;
    /** @type {(axis: Axis, id: number|undefined, position: number) => number} */
    const find = (axis, id, position) => (id === undefined ? undefined : axis.findPosition(id)) ?? position;
    this.#rows = rows;
    this.#columns = columns;
    if (this.#wanted !== null) {
      this.selectRange(this.#wanted);
      return;
    }
    this.#put(
      { row: find(rows, row, this.#active.row), column: find(columns, column, this.#active.column) },
      { row: find(rows, cornerRow, this.#corner.row), column: find(columns, cornerColumn, this.#corner.column) },
      this.shape,
    );
  }

  /**
   * @param {Place} active
   * @param {Place} corner
   * @param {Shape} shape
   */
  #put(active, corner, shape) {
    /** @type {(value: number, axis: Axis) => number} */
    const clamp = (value, axis) => Math.max(0, Math.min(axis.length - 1, value));
    /** @type {(place: Place) => Place} */
    const inside = ({ row, column }) => ({ row: clamp(row, this.#rows), column: clamp(column, this.#columns) });
    this.#wanted = null;
    this.#active = inside(active);
    this.#corner = inside(corner);
    this.shape = shape;
    this.#ids = [
      this.#rows.idAt(this.#active.row),
      this.#columns.idAt(this.#active.column),
      this.#rows.idAt(this.#corner.row),
      this.#columns.idAt(this.#corner.column),
    ];
    this.#changed();
  }
}
