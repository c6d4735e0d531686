/**
 * One browser tab's copy of a sheet: confirmed cells at a revision, and unacknowledged operations on top.
 *
 * A pure state machine: frames, moments and submissions go in; frames to send and news go out through the
 * constructor's functions. It knows no socket, no clock and no DOM.
 */

import { textOf } from "../domain/operations.js";
import { CatchUp } from "./catch_up.js";
import { Confirmed } from "./confirmed.js";
import { planPaste } from "./paste.js";
import { Unacknowledged, makeEntry } from "./unacknowledged.js";

export const PROTOCOL = 1;
const MAX_IN_FLIGHT = 8; // enough to fill a round trip; the hub commits what arrives together as one batch
const MAX_LOOKAHEAD = 64; // entries looked at for one that may be sent: a long offline list stays cheap
const ANSWER_TIMEOUT_MS = 15_000; // an operation unanswered for so long goes out again; its id makes that harmless
const RETRY_BASE_MS = 250;
const MAX_RETRY_MS = 10_000;
const STRUGGLING_ATTEMPTS = 4; // refusals in a row, some seconds in all, before a person is told
const MAX_BIRTHS = 3; // rounds that a paste waits for rows and columns, lest it wait for ever
const SLOW_MS = 60_000; // how long to go easy after the server said that it was too much
const SLOW_INTERVAL_MS = 250;

/** @typedef {import("../domain/operations.js").Operation} Operation */
/** @typedef {import("../domain/operations.js").Paste} Paste */
/** @typedef {import("./unacknowledged.js").Entry} Entry */
/** @typedef {import("./confirmed.js").Cell} Cell */
/** @typedef {{operation_id: string, operation: Operation|Paste, order: number}} Kept */
/** @typedef {{code: string, message: string, text: string, operation: Operation|Paste}} Refusal */
/**
 * @typedef {object} Surroundings
 * @property {string} client_id
 * @property {() => number} now in milliseconds
 * @property {() => number} random in [0, 1)
 * @property {() => string} newId a UUID
 * @property {(frame: object) => void} send
 * @property {(what: "cells"|"shape"|"opened"|"unsaved") => void} changed
 * @property {(refusal: Refusal) => void} refused
 * @property {{put(kept: Kept[]): void, remove(kept: Kept[]): void}} journal
 */

export class Replica {
  #confirmed = new Confirmed();
  #unacknowledged = new Unacknowledged();
  /** @type {Surroundings} */ #around;
  #catchUp;
  #isOpen = false; // sheet.opened has come over this connection
  #slowUntil = 0;
  #lastSent = 0;
  /** @type {"viewer"|"editor"|"owner"|null} */ role = null;
  /** @type {{client_id: string, name: string, color: string}|null} */ you = null;
  title = "";
  /** Whether the first load is complete. */ isLoaded = false;

  /** @param {Surroundings} around */
  constructor(around) {
    this.#around = around;
    this.#catchUp = new CatchUp(around.now);
  }

  get revision() {
    return this.#confirmed.revision;
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

  /** How many edits the log does not have yet. */
  get unsaved() {
    return this.#unacknowledged.unsaved;
  }

  /** Whether the server keeps refusing an edit for now. */
  get isStruggling() {
    return this.#unacknowledged.entries.some(({ attempts }) => attempts >= STRUGGLING_ATTEMPTS);
  }

  get mayEdit() {
    return this.role === "editor" || this.role === "owner";
  }

  /** @returns {{type: "sheet.open", protocol: number, client_id: string, revision: number|null}} */
  openFrame() {
    this.#catchUp.asked();
    return {
      type: "sheet.open",
      protocol: PROTOCOL,
      client_id: this.#around.client_id,
      revision: this.revision === 0 ? null : this.revision,
    };
  }

  /**
   * Return what the cell shows: the newest unacknowledged input, else the confirmed one.
   * @param {number} row
   * @param {number} column
   * @returns {Cell|undefined}
   */
  cellAt(row, column) {
    const confirmed = this.#confirmed.cells.get(row, column);
    const input = this.#unacknowledged.inputAt(row, column);
    if (input === undefined || input === confirmed?.input) return confirmed;
    return confirmed?.style ? { input, style: confirmed.style } : { input };
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  inputAt(row, column) {
    return this.#unacknowledged.inputAt(row, column) ?? this.#confirmed.cells.get(row, column)?.input ?? "";
  }

  /**
   * Yield the row and column ids of every cell that is not empty, in no order; among them cells of deleted rows.
   * @param {{row?: number, column?: number}} [only] of this row or column
   * @returns {Generator<[number, number]>}
   */
  *filled({ row, column } = {}) {
    for (const cells of [this.#confirmed.cells, this.#unacknowledged.writers]) {
      const isOverlay = cells !== this.#confirmed.cells;
      /** @type {Iterable<[number, ReadonlyMap<number, unknown>]>} */
      const rows = row === undefined ? cells.rows() : [[row, cells.row(row) ?? new Map()]];
      for (const [row_id, columns] of rows) {
        if (column !== undefined && !columns.has(column)) continue;
        for (const column_id of column === undefined ? columns.keys() : [column]) {
          if (isOverlay && this.#confirmed.cells.get(row_id, column_id)) continue;
          if (this.inputAt(row_id, column_id) !== "") yield [row_id, column_id];
        }
      }
    }
  }

  /**
   * Show an operation at once, keep it, and send it as soon as may be.
   * @param {Operation|Paste} operation
   * @returns {string} its id
   */
  submit(operation) {
    const entry = makeEntry(this.#around.newId(), operation, this.#unacknowledged.nextOrder());
    this.#keep([entry]);
    this.#send();
    return entry.operation_id;
  }

  /**
   * Go on with what the journal kept of this tab from before a reload.
   * @param {Kept[]} lines
   */
  restore(lines) {
    this.#unacknowledged.add(lines.map(({ operation_id, operation, order }) => makeEntry(operation_id, operation, order)));
    this.#around.changed("cells");
    this.#around.changed("unsaved");
  }

  /**
   * Take over what tabs that are gone left behind; being older, it goes in front of this tab's own.
   * @param {Kept[]} orphans in order
   */
  adopt(orphans) {
    const first = (this.#unacknowledged.entries[0]?.order ?? this.#unacknowledged.nextOrder()) - 1;
    const entries = orphans
      .filter(({ operation_id }) => !this.#unacknowledged.find(operation_id))
      .map(({ operation_id, operation }, place) =>
        makeEntry(operation_id, operation, first + place / orphans.length),
      );
    this.#keep(entries);
    this.#send();
  }

  /** The connection is gone: whatever is unanswered will be sent again under the same id. */
  disconnected() {
    this.#isOpen = false;
    this.#catchUp.disconnected();
    for (const entry of this.#unacknowledged.entries) {
      if (entry.state !== "in_flight") continue;
      entry.state = "pending";
      entry.due_ms = 0;
    }
    this.#around.changed("unsaved");
  }

  /** The server closed with "too many messages": one at a time for a while. */
  slowDown() {
    this.#slowUntil = this.#around.now() + SLOW_MS;
  }

  /** Let time pass: notice gaps, send what is due again. Call it a few times a second. */
  tick() {
    if (!this.#isOpen) return;
    const now = this.#around.now();
    for (const entry of this.#unacknowledged.entries) {
      if (entry.state === "in_flight" && now >= entry.due_ms) entry.state = "pending";
    }
    if (this.#catchUp.isOverdue()) this.#ask();
    this.#send();
  }

  /**
   * Take one frame from the server; unknown types are not for this version.
   * @param {any} frame
   */
  receive(frame) {
    switch (frame.type) {
      case "sheet.opened": return this.#opened(frame);
      case "cells.changed": return this.#cellsChanged(frame);
      case "operations.committed": return this.#committed(frame.operations);
      case "operation.rejected": return this.#rejected(frame);
      case "sheet.heartbeat": return this.#isRewound(frame.head) ? undefined : this.#hearOf(frame.head);
    }
  }

  /** @param {any} frame */
  #opened(frame) {
    this.#isOpen = true;
    this.role = frame.role;
    this.you = frame.you;
    this.title = frame.sheet.title;
    this.#catchUp.answered(frame.head);
    if (this.#isRewound(frame.head)) return;
    if (this.revision === 0) this.#confirmed.reset(); // a first load that broke off may hold cells cleared since
    this.#confirmed.takeShape(frame, frame.head);
    this.isLoaded ||= frame.head === this.revision;
    this.#hearOf(frame.head);
    this.#around.changed("shape");
    this.#around.changed("opened");
    this.#send();
  }

  /** @param {any} frame */
  #cellsChanged(frame) {
    if (frame.through <= this.revision) {
      if (frame.through === this.revision && !frame.more) this.#loaded();
      return;
    }
    if (frame.after > this.revision) {
      this.#hearOf(frame.through);
      if (this.#catchUp.isGap(this.revision)) this.#ask();
      return;
    }
    for (const [, cells] of frame.changes) for (const cell of cells) this.#confirmed.takeCell(cell);
    const hasShape = this.#confirmed.takeShape(frame, frame.through);
    this.#catchUp.progressed();
    if (!frame.more) {
      this.#confirmed.revision = frame.through;
      this.#forgetConfirmed();
      this.#loaded();
    }
    this.#around.changed(hasShape ? "shape" : "cells");
    this.#hearOf(frame.through);
    this.#send();
  }

  #loaded() {
    if (this.isLoaded) return;
    this.isLoaded = true;
    this.#around.changed("opened");
  }

  /** Operations in the log whose cells have arrived: from here on the confirmed cells show them. */
  #forgetConfirmed() {
    this.#forget(({ state, revision }) => state === "committed" && revision <= this.revision);
  }

  /** @param {(entry: Entry) => boolean} isOver */
  #forget(isOver) {
    for (const entry of this.#unacknowledged.entries.filter(isOver)) this.#unacknowledged.remove(entry);
  }

  /** @param {[string, number][]} operations */
  #committed(operations) {
    for (const [operation_id, revision] of operations) {
      const entry = this.#unacknowledged.find(operation_id);
      if (!entry) continue;
      entry.state = "committed";
      entry.revision = revision;
      this.#around.journal.remove([entry]);
      this.#hearOf(revision);
    }
    this.#forgetConfirmed();
    this.#around.changed("unsaved");
    this.#send();
  }

  /** @param {{operation_id: string, code: string, message: string, retryable: boolean}} frame */
  #rejected({ operation_id, code, message, retryable }) {
    const entry = this.#unacknowledged.find(operation_id);
    if (!entry || entry.state === "committed") return;
    if (retryable) {
      entry.state = "pending";
      entry.attempts += 1;
      const ceiling = Math.min(MAX_RETRY_MS, RETRY_BASE_MS * 2 ** entry.attempts);
      entry.due_ms = this.#around.now() + ceiling * (0.5 + this.#around.random() / 2);
      this.#around.changed("unsaved");
      return;
    }
    this.#refuse(entry, code, message);
  }

  /**
   * @param {Entry} entry
   * @param {string} code
   * @param {string} message
   */
  #refuse(entry, code, message) {
    this.#unacknowledged.remove(entry);
    this.#around.journal.remove([entry]);
    const waiting = entry.for === null ? undefined : this.#unacknowledged.find(entry.for);
    if (waiting) {
      this.#refuse(waiting, code, message);
      return;
    }
    this.#around.refused({ code, message, text: textOf(entry.operation), operation: entry.operation });
    this.#around.changed("cells");
    this.#around.changed("unsaved");
    this.#send();
  }

  /**
   * Start anew when the server's log stays shorter than the one known here: the database came back from a backup.
   * @param {number} head
   */
  #isRewound(head) {
    if (!this.#catchUp.isRewound(head, this.revision)) return false;
    this.#confirmed.reset();
    this.#forget(({ state }) => state === "committed");
    this.#around.changed("cells");
    this.#ask();
    return true;
  }

  /** @param {number} head */
  #hearOf(head) {
    this.#catchUp.hearOf(head, this.revision);
  }

  #ask() {
    if (!this.#isOpen) return;
    this.#around.send(this.openFrame());
  }

  /** @param {Entry[]} entries */
  #keep(entries) {
    if (entries.length === 0) return;
    this.#unacknowledged.add(entries);
    this.#around.journal.put(entries);
    this.#around.changed("cells");
    this.#around.changed("unsaved");
  }

  #send() {
    if (!this.#isOpen || !this.mayEdit) return;
    this.#unfoldPaste();
    const now = this.#around.now();
    const isSlow = now < this.#slowUntil;
    if (isSlow && now - this.#lastSent < SLOW_INTERVAL_MS) return;
    let room = isSlow ? 1 : MAX_IN_FLIGHT;
    for (const { state } of this.#unacknowledged.entries) if (state === "in_flight") room -= 1;
    for (const entry of this.#unacknowledged.entries.slice(0, MAX_LOOKAHEAD)) {
      if (room <= 0) return;
      if (entry.state !== "pending" || entry.operation.kind === "paste" || entry.due_ms > now) continue;
      if (this.#unacknowledged.isBlocked(entry)) continue;
      entry.state = "in_flight";
      entry.due_ms = now + ANSWER_TIMEOUT_MS;
      room -= 1;
      this.#lastSent = now;
      const { operation_id, operation } = entry;
      this.#around.send({ type: "operation.submit", operation_id, operation });
    }
  }

  /** A paste beyond the edge at the head of the line becomes births, and once they are confirmed, edits. */
  #unfoldPaste() {
    const [entry, next] = this.#unacknowledged.entries;
    if (entry?.operation.kind !== "paste" || !this.#catchUp.isUpToDate(this.revision)) return;
    const plan = planPaste(entry.operation, this.rows, this.columns);
    if ("error" in plan) {
      this.#refuse(entry, plan.error.code, plan.error.message);
      return;
    }
    const isBirth = plan.births.length > 0;
    if (isBirth && (entry.attempts += 1) > MAX_BIRTHS) {
      this.#refuse(entry, "limit_exceeded", "There is no room for what you pasted.");
      return;
    }
    const operations = isBirth ? plan.births : plan.edits;
    const from = isBirth ? entry.order - 1 : entry.order;
    const to = isBirth ? entry.order : (next?.order ?? entry.order + 1);
    const entries = operations.map((operation, place) =>
      makeEntry(
        this.#around.newId(),
        operation,
        from + ((place + 1) / (operations.length + 1)) * (to - from),
        isBirth ? entry.operation_id : null,
      ),
    );
    this.#keep(entries); // before the paste is forgotten, lest a crash in between lose it
    if (isBirth) return;
    this.#unacknowledged.remove(entry);
    this.#around.journal.remove([entry]);
  }
}
