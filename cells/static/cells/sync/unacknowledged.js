/** Operations that the log does not have yet, in order, and what they show on top of the confirmed cells. */

import { CellMap } from "../domain/cells.js";
import { editsOf } from "../domain/operations.js";

/** @typedef {import("../domain/operations.js").Intended} Intended */

/**
 * One operation on its way. `pending`: not yet sent; `in_flight`: sent, not answered; `committed`: in the log at
 * `revision`, and shown from here until the confirmed cells have reached that revision, so that nothing flickers.
 * @typedef {object} Entry
 * @property {string} operation_id
 * @property {Intended} operation
 * @property {number} order where it stands among the others, also in the journal
 * @property {"pending"|"in_flight"|"committed"} state
 * @property {CellMap<string>|null} cells what it writes; null for what touches axes, and so meets everything
 * @property {number} revision
 * @property {number} attempts
 * @property {number} due_ms not to be sent, or not to be waited for, beyond this moment
 * @property {string|null} for the paste that waits for this one
 */

/**
 * @param {string} operation_id
 * @param {Intended} operation
 * @param {number} order
 * @param {string|null} [waiting]
 * @returns {Entry}
 */
export function makeEntry(operation_id, operation, order, waiting = null) {
  const edits = editsOf(operation);
  /** @type {CellMap<string>|null} */
  const cells = edits && new CellMap();
  for (const [row, column, input] of edits ?? []) cells?.set(row, column, input);
  return { operation_id, operation, order, state: "pending", cells, revision: 0, attempts: 0, due_ms: 0, for: waiting };
}

export class Unacknowledged {
  /** @type {Entry[]} by order */ #entries = [];
  /** @type {CellMap<Entry>} the newest entry that writes a cell */ #writers = new CellMap();
  #order = 0;

  /** @returns {readonly Entry[]} */
  get entries() {
    return this.#entries;
  }

  /** How many edits the log does not have yet. */
  get unsaved() {
    let count = 0;
    for (const entry of this.#entries) if (entry.state !== "committed") count += 1;
    return count;
  }

  /** An order behind every other. */
  nextOrder() {
    return (this.#order += 1);
  }

  /**
   * Put entries at the places that their orders give them.
   * @param {Entry[]} entries
   */
  add(entries) {
    this.#entries.push(...entries);
    for (const { order } of entries) this.#order = Math.max(this.#order, Math.ceil(order));
    const isOrdered = this.#entries.every((entry, place, all) => place === 0 || all[place - 1].order <= entry.order);
    if (!isOrdered) this.#entries.sort((a, b) => a.order - b.order);
    for (const entry of entries) {
      for (const [row, columns] of entry.cells?.rows() ?? []) {
        for (const column of columns.keys()) {
          const writer = this.#writers.get(row, column);
          if (!writer || writer.order <= entry.order) this.#writers.set(row, column, entry);
        }
      }
    }
  }

  /** @param {string} operation_id */
  find(operation_id) {
    return this.#entries.find((entry) => entry.operation_id === operation_id);
  }

  /**
   * Return what waits until an operation is in the log, to empty what was cut for it.
   * @param {string} operation_id
   */
  transfersAfter(operation_id) {
    return this.#entries.filter(({ operation }) => operation.kind === "transfer" && operation.after.includes(operation_id));
  }

  /** @param {Entry} entry */
  remove(entry) {
    const place = this.#entries.indexOf(entry);
    if (place < 0) return;
    this.#entries.splice(place, 1);
    const earlier = this.#entries.slice(0, place).reverse();
    for (const [row, columns] of entry.cells?.rows() ?? []) {
      for (const column of columns.keys()) {
        if (this.#writers.get(row, column) !== entry) continue;
        const writer = earlier.find(({ cells }) => cells?.row(row)?.has(column));
        if (writer) this.#writers.set(row, column, writer);
        else this.#writers.delete(row, column);
      }
    }
  }

  /**
   * Return what an entry writes into a cell, or undefined.
   * @param {number} row
   * @param {number} column
   * @returns {string|undefined}
   */
  inputAt(row, column) {
    return this.#writers.get(row, column)?.cells?.get(row, column);
  }

  /** @returns {CellMap<Entry>} */
  get writers() {
    return this.#writers;
  }

  /**
   * Say whether an unanswered entry in front must be in the log before this one may be sent. Operations on different
   * cells commute; others keep their order even when the first of them has to be retried.
   * @param {Entry} entry
   */
  isBlocked(entry) {
    const after = entry.operation.kind === "transfer" ? entry.operation.after : [];
    for (const other of this.#entries) {
      if (other === entry) return false;
      if (other.state === "committed") continue;
      if (after.includes(other.operation_id)) return true;
      if (other.cells === null || entry.cells === null || entry.cells.meets(other.cells)) return true;
    }
    return false;
  }
}
