/** Operations that the log does not have yet, in order. */

import { Area, CellMap } from "../domain/cells.js";
import { isTakeBack, shownOf } from "../domain/operations.js";
import { Overlay } from "./overlay.js";

/** @typedef {import("../domain/operations.js").ShownEdit} ShownEdit */
/** @typedef {import("../domain/operations.js").Intended} Intended */

/**
 * One operation on its way. `pending`: not yet sent; `in_flight`: sent, not answered; `committed`: in the log at
 * `revision`, and shown from here until the confirmed cells have reached that revision, so that nothing flickers.
 * @typedef {object} Entry
 * @property {string} operation_id
 * @property {Intended} operation
 * @property {number} order where it stands among the others, also in the journal
 * @property {"pending"|"in_flight"|"committed"} state
 * @property {CellMap<ShownEdit>|null} cells what it writes, cell by cell
 * @property {Area|null} area what it styles
 * @property {CellMap<ShownEdit>|Area|null} extent what it is about; whatever has none meets everything
 * @property {boolean} isTakenBack an undo waits for it: it is no longer shown
 * @property {number} revision
 * @property {number} attempts
 * @property {number} due_ms not to be sent, or not to be waited for, beyond this moment
 * @property {boolean} isLate it goes out over another connection than the one on which it was submitted
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
  const edits = shownOf(operation);
  /** @type {CellMap<ShownEdit>|null} */
  const cells = edits && new CellMap();
  for (const edit of edits ?? []) cells?.set(edit[0], edit[1], edit);
  const whole = operation.kind === "set_styles" || operation.kind === "reorder_cells" ? new Area(operation.rows, operation.columns) : null;
  const area = operation.kind === "set_styles" ? whole : null;
  /** @type {Entry} */
  const entry = { operation_id, operation, order, state: "pending", cells, area, extent: whole ?? cells, isTakenBack: false, revision: 0, attempts: 0, due_ms: 0, isLate: false, for: waiting };
  return entry;
}

/**
 * Say whether two operations must keep their order.
 * @param {Entry} one
 * @param {Entry} other
 */
function meet(one, other) {
  const [mine, theirs] = [one.extent, other.extent];
  if (mine === null || theirs === null) return true;
  return mine instanceof Area ? mine.meets(theirs) : theirs.meets(mine);
}

export class Unacknowledged {
  /** @type {Entry[]} by order */ #entries = [];
  #overlay = new Overlay();
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
    for (const entry of entries) this.#overlay.add(entry);
    this.#hideWhatIsTakenBack(entries);
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

  /**
   * Return the undos and redos that wait for an operation.
   * @param {string} operation_id
   */
  takeBacksOf(operation_id) {
    return this.#entries.filter(({ operation }) => isTakeBack(operation) && operation.operation_id === operation_id);
  }

  /** @param {Entry} entry */
  remove(entry) {
    const place = this.#entries.indexOf(entry);
    if (place < 0) return;
    if (!entry.isTakenBack) this.#uncover(entry);
    this.#entries.splice(place, 1);
    this.#hideWhatIsTakenBack([entry]);
  }

  /**
   * What an undo on its way names is not shown, even before it is in the log itself.
   * @param {Entry[]} changed come or gone
   */
  #hideWhatIsTakenBack(changed) {
    for (const { operation } of changed) {
      if (!isTakeBack(operation)) continue;
      const entry = this.find(operation.operation_id);
      const isTakenBack = this.takeBacksOf(operation.operation_id).at(-1)?.operation.kind === "undo";
      if (!entry || entry.isTakenBack === isTakenBack) continue;
      if (isTakenBack) this.#uncover(entry);
      entry.isTakenBack = isTakenBack;
      if (!isTakenBack) this.#overlay.add(entry);
    }
  }

  /** @param {Entry} entry */
  #uncover(entry) {
    const earlier = this.#entries.slice(0, this.#entries.indexOf(entry)).reverse();
    this.#overlay.remove(entry, earlier.filter(({ isTakenBack }) => !isTakenBack));
  }

  /** What is shown on top of the confirmed cells. */
  get overlay() {
    return this.#overlay;
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
      if (meet(entry, other)) return true;
    }
    return false;
  }
}
