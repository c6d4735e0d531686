/**
 * Which of this tab's own texts somebody else has just replaced: what was typed moments ago, or was still on its way.
 *
 * A delta says who wrote a cell last, and an acknowledgement at which revision our own text is in the log; together they
 * say whose text stands on whose. Where the delta comes first, it waits here for the acknowledgement.
 */

import { CellMap } from "../domain/cells.js";
import { editsOf } from "../domain/operations.js";

export const RECENT_MS = 10_000; // later it is no longer "while I was typing"
const MAX_EDITS = 100; // of one operation: who pastes more does not look at each cell

/** @typedef {import("../domain/operations.js").Intended} Intended */
/** @typedef {[row_id: number, column_id: number, input: string, style?: unknown, value?: unknown]} WireCell */
/** @typedef {{row: number, column: number, text: string, author: string|null}} Overwritten `row` and `column` are ids; `text` is what was ours */
/** @typedef {{operation_id: string, text: string, met: {author: string|null, through: number}|null}} Own */
/** @typedef {{revision: number, until_ms: number, cells: [row: number, column: number][]}} Written revision 0: not acknowledged */

export class Overwrites {
  /** @type {CellMap<Own>} the newest own text of each cell */ #own = new CellMap();
  /** @type {Map<string, Written>} by operation id */ #written = new Map();
  #now;
  #tell;

  /**
   * @param {() => number} now in milliseconds
   * @param {(overwritten: Overwritten) => void} tell
   */
  constructor(now, tell) {
    this.#now = now;
    this.#tell = tell;
  }

  /**
   * An operation is on its way.
   * @param {string} operation_id
   * @param {Intended} operation
   */
  submitted(operation_id, operation) {
    const edits = editsOf(operation);
    if (edits === null || edits.length > MAX_EDITS) return;
    /** @type {Written} */
    const written = { revision: 0, until_ms: Infinity, cells: [] };
    for (const [row, column, text] of edits) {
      if (text === "") this.#own.delete(row, column); // nothing that could be lost
      else this.#own.set(row, column, { operation_id, text, met: null });
      written.cells.push([row, column]);
    }
    this.#written.set(operation_id, written);
  }

  /**
   * An operation is in the log.
   * @param {string} operation_id
   * @param {number} revision
   */
  committed(operation_id, revision) {
    const written = this.#written.get(operation_id);
    if (!written || written.revision > 0) return;
    written.revision = revision;
    written.until_ms = this.#now() + RECENT_MS;
    for (const [row, column] of written.cells) {
      const own = this.#own.get(row, column);
      if (own?.operation_id !== operation_id || own.met === null) continue;
      if (own.met.through >= revision) this.#replaced(row, column, own, own.met.author);
      own.met = null; // what came before ours is what ours replaced
    }
  }

  /**
   * An operation will never be in the log.
   * @param {string} operation_id
   */
  refused(operation_id) {
    this.#forget(operation_id);
  }

  /**
   * Somebody else wrote cells.
   * @param {string|null} author
   * @param {WireCell[]} cells
   * @param {number} through the revision that they are from, at the latest
   */
  arrived(author, cells, through) {
    if (this.#written.size === 0) return;
    for (const [row, column, input] of cells) {
      const own = this.#own.get(row, column);
      if (!own) continue;
      const { revision = 0, until_ms = 0 } = this.#written.get(own.operation_id) ?? {};
      if (input === own.text) own.met = null; // only its style is another one
      else if (revision === 0) own.met = { author, through };
      else if (through >= revision && cells.some((cell) => cell[2] === own.text && cell[1] === column)) this.#own.delete(row, column); // a sort moved it
      else if (through >= revision && this.#now() < until_ms) this.#replaced(row, column, own, author);
    }
  }

  /**
   * One's own writing has come back: where it is not the text that is known, an undo has taken that back.
   * @param {WireCell[]} cells
   * @param {number} through
   */
  ownArrived(cells, through) {
    if (this.#written.size === 0) return;
    for (const [row, column, input] of cells) {
      const own = this.#own.get(row, column);
      if (!own || input === own.text) continue;
      const { revision = 0 } = this.#written.get(own.operation_id) ?? {};
      if (revision > 0 && through > revision) this.#own.delete(row, column);
    }
  }

  /** Let time pass. */
  tick() {
    const now = this.#now();
    for (const [operation_id, { until_ms }] of this.#written) if (until_ms <= now) this.#forget(operation_id);
  }

  /** The log is another one. */
  clear() {
    this.#own.clear();
    this.#written.clear();
  }

  /**
   * @param {number} row
   * @param {number} column
   * @param {Own} own
   * @param {string|null} author
   */
  #replaced(row, column, { text }, author) {
    this.#own.delete(row, column);
    this.#tell({ row, column, text, author });
  }

  /** @param {string} operation_id */
  #forget(operation_id) {
    for (const [row, column] of this.#written.get(operation_id)?.cells ?? []) {
      if (this.#own.get(row, column)?.operation_id === operation_id) this.#own.delete(row, column);
    }
    this.#written.delete(operation_id);
  }
}
