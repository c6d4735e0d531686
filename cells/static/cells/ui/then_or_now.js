/** The sheet that the grid shows: as it is now or, to be looked at only, as it was. */

import { gettext } from "./words.js";

/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./origins.js").Mark} Mark */
/** @typedef {Pick<Model, "rows"|"columns"|"rowSizes"|"columnSizes"|"frozen"|"cellAt"|"filled"|"styled"> & {changedIn: (row_id: number) => ReadonlyMap<number, Mark>|undefined}} Then */
/** @typedef {Omit<Model, "refusal"> & {isOnline: boolean, role: string|null}} Now */
/** @typedef {{row?: number, column?: number}} Only */

/** @implements {Model} */
export class ThenOrNow {
  #now;
  /** @type {Then|null} */ #then = null;

  /** @param {Now} now the live sheet, which goes on changing beneath the past */
  constructor(now) {
    this.#now = now;
  }

  /** Whether the past is shown. */
  get isPast() {
    return this.#then !== null;
  }

  /**
   * From now on be the sheet as it was; null: as it is. The grid has to be told that its shape is another one.
   * @param {Then|null} then
   */
  show(then) {
    this.#then = then;
  }

  /**
   * Return what surrounds a grid, but while the past is shown without what is true of now alone.
   * @param {import("./grid.js").Surroundings} around
   * @returns {import("./grid.js").Surroundings}
   */
  dress(around) {
    return {
      ...around,
      cursors: () => (this.#then ? [] : around.cursors()),
      tints: (row_id) => (this.#then ? undefined : around.tints(row_id)),
      refusalIn: (range) => (this.#then ? "" : around.refusalIn(range)),
      marks: (row_id) => (this.#then ? this.#then.changedIn(row_id) : around.marks(row_id)),
      moved: (whereabouts) => this.#then ?? around.moved(whereabouts),
    };
  }

  get #shown() {
    return this.#then ?? this.#now;
  }

  get rows() {
    return this.#shown.rows;
  }

  get columns() {
    return this.#shown.columns;
  }

  get rowSizes() {
    return this.#shown.rowSizes;
  }

  get columnSizes() {
    return this.#shown.columnSizes;
  }

  get frozen() {
    return this.#shown.frozen;
  }

  get frozenNext() {
    return this.#now.frozenNext; // in the past nothing is frozen anew
  }

  get mayEdit() {
    return this.#then === null && this.#now.mayEdit;
  }

  /** Whether the sheet may be changed, were it shown as it is now. */
  get mayEditNow() {
    return this.#now.mayEdit;
  }

  /** Whether the sheet is one's own, and shown as it is now. */
  get isOwner() {
    return this.#then === null && this.#now.role === "owner";
  }

  /** Whether there is a connection on which the sheet is open. */
  get isOnline() {
    return this.#now.isOnline;
  }

  /** What to say to who would change what may not be changed. */
  get refusal() {
    if (this.#then) return gettext("This is how the sheet was: go back to now to change it.");
    return gettext("You can look at this sheet, not change it.");
  }

  get isLoaded() {
    return this.#then !== null || this.#now.isLoaded;
  }

  get isAwaitingCells() {
    return this.#then === null && this.#now.isAwaitingCells;
  }

  get canUndo() {
    return this.#then === null && this.#now.canUndo;
  }

  get canRedo() {
    return this.#then === null && this.#now.canRedo;
  }

  /** @param {number} row */
  isKnown(row) {
    return this.#then !== null || this.#now.isKnown(row);
  }

  /** @param {{first: number, last: number}[]} stretches */
  wantRows(stretches) {
    if (this.#then === null) this.#now.wantRows(stretches);
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  cellAt(row, column) {
    return this.#shown.cellAt(row, column);
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  inputAt(row, column) {
    return this.#then ? (this.#then.cellAt(row, column)?.input ?? "") : this.#now.inputAt(row, column);
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  styleAt(row, column) {
    return this.#then ? this.#then.cellAt(row, column)?.style : this.#now.styleAt(row, column);
  }

  /** @param {Only} [only] */
  filled(only) {
    return this.#shown.filled(only);
  }

  /** @param {Only} [only] */
  styled(only) {
    return this.#shown.styled(only);
  }

  /**
   * Throws where the past is shown: what was worked out from it is no edit of now.
   * @param {import("../domain/operations.js").Intended} operation
   */
  submit(operation) {
    if (this.#then) throw new Error(`The past cannot be changed, by ${operation.kind} neither.`);
    return this.#now.submit(operation);
  }

  /**
   * @template T
   * @param {() => T} run
   * @returns {T}
   */
  asOneStep(run) {
    return this.#now.asOneStep(run);
  }

  /** @param {string} [operation_id] */
  undo(operation_id) {
    return this.#then === null && this.#now.undo(operation_id);
  }

  redo() {
    return this.#then === null && this.#now.redo();
  }
}
