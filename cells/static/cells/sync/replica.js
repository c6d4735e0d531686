/**
 * One browser tab's copy of a sheet: confirmed cells at a revision, and unacknowledged operations on top.
 *
 * A pure state machine: frames, moments and submissions go in; frames to send and news go out through the
 * constructor's functions. It knows no socket, no clock and no DOM.
 */

import { CellMap } from "../domain/cells.js";
import { CatchUp } from "./catch_up.js";
import { Confirmed } from "./confirmed.js";
import { History } from "./history.js";
import { Outgoing } from "./outgoing.js";
import { Overwrites } from "./overwrites.js";
import { Parts } from "./parts.js";
import { Provisional } from "./provisional.js";
import { Wishes } from "./wishes.js";

export const PROTOCOL = 1;

/** @typedef {import("../domain/operations.js").Intended} Intended */
/** @typedef {import("../domain/styles.js").Style} Style */
/** @typedef {import("./confirmed.js").Cell} Cell */
/** @typedef {{operation_id: string, operation: Intended, order: number}} Kept */
/** @typedef {{operation_id: string, code: string, message: string, text: string, operation: Intended}} Refusal */
/** @typedef {import("./overwrites.js").Overwritten} Overwritten */
/** @typedef {[author: string|null, cells: import("./confirmed.js").WireCell[]][]} Changes as cells.changed has them */
/**
 * @typedef {object} Surroundings
 * @property {string} client_id
 * @property {string} [user] whose page this is; none of a guest's
 * @property {"gzip"|null} [packing] what a first load may be packed with
 * @property {() => {first: number, count: number}} [view] the positions of the rows that are shown
 * @property {() => number} now in milliseconds
 * @property {() => number} clock in milliseconds, and running on while the machine sleeps
 * @property {() => number} random in [0, 1)
 * @property {() => string} newId a UUID
 * @property {(frame: object) => void} send
 * @property {(what: "cells"|"shape"|"opened"|"unsaved"|"history") => void} changed
 * @property {(refusal: Refusal) => void} refused
 * @property {(overwritten: Overwritten) => void} [overwritten] somebody replaced what was typed here a moment ago
 * @property {(changes: Changes) => void} [came] cells have changed just now, one's own among them
 * @property {(changes: Changes) => void} [arrived] others changed cells just now: no first load, no catch-up, nothing of one's own
 * @property {(count: number) => void} left so many cells an undo or redo left alone, for somebody else has written them since
 * @property {(operation_id: string, left: number) => void} [restored] a restore is in the log; so many cells of its range are in rows or columns that are gone
 * @property {{put(kept: Kept[]): void, remove(kept: Kept[]): void}} journal
 * @property {import("./history.js").Store} steps what can be undone and redone, over a reload
 */

export class Replica {
  #confirmed = new Confirmed();
  #known = new Provisional(this.#confirmed.cells);
  #parts = new Parts();
  #wishes;
  #around;
  #catchUp;
  #outgoing;
  #overwrites;
  #reachedAt = 0; // by the clock, the revision that is held
  #openedHead = Infinity; // what comes up to it happened before this page, or its line, was there
  #history;
  #isOpen = false; // sheet.opened has come over this connection
  /** @type {"viewer"|"editor"|"owner"|null} */ role = null;
  /** @type {{client_id: string, name: string, color: string}|null} */ you = null;
  title = "";
  /** Whether the first load is complete. */ isLoaded = false;
  /** Whether the sheet's shape is here, and its first cells are right behind. */ isAwaitingCells = false;
  #packing;
  #loadedCells = 0;
  #filled = 0; // how many cells the first load will bring, about

  /** @param {Surroundings} around */
  constructor(around) {
    this.#around = around;
    this.#packing = around.packing ?? null;
    this.#catchUp = new CatchUp(around.now);
    this.#wishes = new Wishes((frame) => around.send(frame));
    this.#history = new History(around.steps, () => around.changed("history"), (count) => around.left(count));
    const line = {
      isReady: () => this.#isOpen && this.mayEdit,
      isUpToDate: () => this.#catchUp.isUpToDate(this.revision),
    };
    this.#overwrites = new Overwrites(around.now, (overwritten) => around.overwritten?.(overwritten));
    this.#outgoing = new Outgoing(around, this.#confirmed, line, this.#history);
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

  /** How many rows and columns stay in view. */
  get frozen() {
    return this.#confirmed.frozen;
  }

  /** Likewise, once the log has what is on its way: an operation says both, and must not undo the one before. */
  get frozenNext() {
    return this.#outgoing.frozen ?? this.frozen;
  }

  get canUndo() {
    return this.mayEdit && this.#history.canUndo;
  }

  get canRedo() {
    return this.mayEdit && this.#history.canRedo;
  }

  /** How many edits the log does not have yet. */
  get unsaved() {
    return this.#outgoing.unsaved;
  }

  /** Whether the server keeps refusing an edit for now. */
  get isStruggling() {
    return this.#outgoing.isStruggling;
  }

  /** Whether there is a connection on which the sheet is open. */
  get isOnline() {
    return this.#isOpen;
  }

  get mayEdit() {
    return this.role === "editor" || this.role === "owner";
  }

  /** How far the first load is; null when it is complete, or its length is not known. */
  get loading() {
    if (this.isLoaded || this.#filled === 0) return null;
    return { cells: Math.min(this.#loadedCells, this.#filled), of: this.#filled };
  }

  /** A part of a frame is here: the rest is on its way. */
  progressed() {
    this.#catchUp.progressed();
  }

  /** What came packed cannot be unpacked: ask for it as text. */
  cannotUnpack() {
    this.#packing = null;
    this.#ask();
  }

  /** @returns {{type: "sheet.open", protocol: number, client_id: string, user?: string, revision: number|null, held_ms?: number, packed?: string, view?: object}} */
  openFrame() {
    this.#catchUp.asked(this.revision);
    const { client_id, user } = this.#around;
    const who = { client_id, ...(user && { user }) };
    if (this.revision > 0) {
      const held_ms = Math.max(0, this.#around.clock() - this.#reachedAt);
      return { type: "sheet.open", protocol: PROTOCOL, ...who, revision: this.revision, held_ms };
    }
    const packed = this.#packing === null ? {} : { packed: this.#packing };
    const { first, count } = this.#around.view?.() ?? { first: 0, count: 0 };
    const view = count > 0 ? { view: { rows: [first, count] } } : {};
    return { type: "sheet.open", protocol: PROTOCOL, ...who, revision: null, ...packed, ...view };
  }

  /**
   * Say whether all cells of a row are here.
   * @param {number} row
   */
  isKnown(row) {
    return this.isLoaded || this.#known.has(row);
  }

  /**
   * While the first load is on its way, have rows come ahead of it. To be called a few times a second at most.
   * @param {import("./wishes.js").Stretch[]} stretches of positions that are in view
   */
  wantRows(stretches) {
    if (this.#isOpen && this.revision === 0) this.#wishes.want(stretches, this.rows, (row) => this.isKnown(row));
  }

  /**
   * Return what the cell shows: the newest unacknowledged input, else the confirmed one; likewise its style.
   * @param {number} row
   * @param {number} column
   * @returns {Cell|undefined}
   */
  cellAt(row, column) {
    const confirmed = this.#known.get(row, column);
    const { overlay } = this.#outgoing;
    if (overlay.isEmpty) return confirmed;
    const input = overlay.inputAt(row, column) ?? confirmed?.input ?? "";
    const style = overlay.styleAt(row, column, confirmed?.style);
    const isSame = input === (confirmed?.input ?? "");
    if (isSame && style === confirmed?.style) return confirmed;
    /** @type {Cell} */
    const cell = { input };
    if (style) cell.style = style;
    const value = isSame ? confirmed?.value : overlay.valueAt(row, column);
    if (value !== undefined) cell.value = value;
    return cell;
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  inputAt(row, column) {
    return this.#outgoing.overlay.inputAt(row, column) ?? this.#known.get(row, column)?.input ?? "";
  }

  /**
   * @param {number} row
   * @param {number} column
   * @returns {Style|undefined}
   */
  styleAt(row, column) {
    return this.#outgoing.overlay.styleAt(row, column, this.#known.get(row, column)?.style);
  }

  /**
   * Yield the row and column ids of every cell that is not empty, in no order; among them cells of deleted rows.
   * @param {{row?: number, column?: number}} [only] of this row or column
   * @returns {Generator<[number, number]>}
   */
  *filled(only) {
    const { writers } = this.#outgoing.overlay;
    for (const cell of this.#known.among(only)) if (this.inputAt(...cell) !== "") yield cell;
    for (const cell of writers.among(only)) {
      if (!this.#known.get(...cell) && this.inputAt(...cell) !== "") yield cell;
    }
  }

  /**
   * Likewise of every cell that has a style, empty or not.
   * @param {{row?: number, column?: number}} [only] of this row or column
   * @returns {Generator<[number, number]>}
   */
  *styled(only) {
    const { stylers, areas } = this.#outgoing.overlay;
    for (const cell of this.#known.among(only)) if (this.styleAt(...cell)) yield cell;
    /** @type {CellMap<true>} */
    const seen = new CellMap();
    for (const cells of [stylers.among(only), ...areas.map(({ area }) => area?.cells(only) ?? [])]) {
      for (const cell of cells) {
        if (this.#known.get(...cell) || seen.get(...cell)) continue;
        seen.set(...cell, true);
        if (this.styleAt(...cell)) yield cell;
      }
    }
  }

  /**
   * Show an operation at once, keep it, and send it as soon as may be; returns its id.
   * @param {Intended} operation
   */
  submit(operation) {
    if (operation.kind === "restore") operation = { ...operation, seen: this.revision };
    const operation_id = this.#outgoing.submit(operation);
    this.#overwrites.submitted(operation_id, operation);
    return operation_id;
  }

  /**
   * Let everything that is submitted meanwhile be undone together.
   * @template T
   * @param {() => T} run
   * @returns {T}
   */
  asOneStep(run) {
    return this.#history.asOneStep(run);
  }

  /**
   * Take back the newest step that is not taken back, or that of an operation; false if there is none.
   * @param {string} [operation_id]
   */
  undo(operation_id) {
    return this.#takeBack("undo", operation_id);
  }

  /** Do again what was taken back last; false if there is nothing. */
  redo() {
    return this.#takeBack("redo");
  }

  /**
   * @param {"undo"|"redo"} kind
   * @param {string} [operation_id]
   */
  #takeBack(kind, operation_id) {
    const ids = this.mayEdit ? this.#history.take(kind, operation_id) : null;
    if (ids !== null) this.#outgoing.takeBack(kind, ids);
    return ids !== null;
  }

  /**
   * Go on with what the journal kept of this tab from before a reload.
   * @param {Kept[]} lines
   */
  restore(lines) {
    this.#outgoing.restore(lines);
    for (const { operation_id, operation } of lines) this.#overwrites.submitted(operation_id, operation);
  }

  /**
   * Take over what tabs that are gone left behind.
   * @param {Kept[]} orphans in order
   */
  adopt(orphans) {
    this.#outgoing.adopt(orphans);
  }

  disconnected() {
    this.#isOpen = false;
    this.#cellsCame();
    this.#catchUp.disconnected();
    this.#parts.clear();
    this.#wishes.forget();
    this.#outgoing.disconnected();
  }

  /** The server closed with "too many messages". */
  slowDown() {
    this.#outgoing.slowDown();
  }

  /** Let time pass: notice gaps, send what is due again. Call it a few times a second. */
  tick() {
    this.#overwrites.tick();
    if (!this.#isOpen) return;
    if (this.#catchUp.isOverdue()) this.#ask();
    this.#outgoing.tick();
  }

  /**
   * Take one frame from the server; unknown types are not for this version.
   * @param {any} frame
   */
  receive(frame) {
    switch (frame.type) {
      case "sheet.opened": return this.#opened(frame);
      case "role.changed": return this.#roleChanged(frame);
      case "rows.loaded": return this.#rowsLoaded(frame);
      case "cells.changed": return this.#cellsChanged(frame);
      case "operations.committed": return this.#committed(frame);
      case "operation.rejected": return this.#rejected(frame);
      case "sheet.heartbeat": return this.#beat(frame.head);
    }
  }

  /** @param {any} frame */
  #roleChanged({ role }) {
    this.role = role;
    this.#around.changed("opened");
  }

  /** @param {any} frame */
  #opened(frame) {
    this.#isOpen = true;
    this.role = frame.role;
    this.you = frame.you;
    this.title = frame.sheet.title;
    this.#catchUp.answered(frame.head);
    if (frame.afresh) this.#startAfresh(); // the log has grown again, beyond what is held of the one that is gone
    // This head is the database's own, never a trailing hub's: the whole sheet of an older backup follows.
    if (frame.head < this.revision) {
      if (this.#catchUp.askedRevision <= frame.head) return this.#ask(); // asked before this revision was reached
      this.#startAfresh();
    }
    if (this.revision === 0) {
      this.#confirmed.reset(); // a first load that broke off may hold cells cleared since
      this.#loadedCells = 0;
      this.#filled = frame.filled ?? 0;
      this.isAwaitingCells = this.#filled > 0;
    }
    this.#known.keepUpTo(frame.head);
    this.#openedHead = frame.head;
    this.#confirmed.takeShape({ frozen: [0, 0], ...frame }, frame.head);
    this.isLoaded ||= frame.head === this.revision;
    this.#hearOf(frame.head);
    this.#around.changed("shape");
    this.#around.changed("opened");
    this.#outgoing.send();
  }

  /** @param {any} frame */
  #rowsLoaded(frame) {
    this.#cellsCame();
    this.#wishes.answered();
    if (this.revision > 0) return; // an answer that the whole has overtaken
    this.#known.take(frame);
    this.#catchUp.progressed();
    this.#around.changed("cells");
  }

  /** @param {any} frame */
  #cellsChanged(frame) {
    this.#cellsCame();
    if (frame.through <= this.revision) {
      if (frame.through === this.revision && !frame.more) this.#loaded();
      return;
    }
    if (frame.after > this.revision) {
      this.#hearOf(frame.through);
      if (this.#catchUp.isGap(this.revision)) this.#ask();
      return;
    }
    this.#catchUp.progressed();
    if (frame.more && this.revision > 0) {
      this.#parts.hold(frame);
      return;
    }
    const isNews = this.isLoaded && this.revision >= this.#openedHead;
    /** @type {Changes} */
    const changes = this.#parts.endWith(frame).flatMap((part) => part.changes);
    /** @type {Changes} */
    const edits = isNews ? changes.map(([author, cells]) => [author, cells.filter((cell) => !this.#confirmed.isCalculated(cell))]) : changes;
    for (const [author, cells] of edits) {
      if (author === this.#around.client_id) this.#overwrites.ownArrived(cells, frame.through);
      else this.#overwrites.arrived(author, cells, frame.through);
    }
    for (const [, cells] of changes) {
      for (const cell of cells) this.#confirmed.takeCell(cell);
      this.#loadedCells += cells.length;
    }
    const hasShape = this.#confirmed.takeShape(frame, frame.through);
    if (!frame.more) {
      this.#confirmed.revision = frame.through;
      this.#reachedAt = this.#around.clock();
      this.#known.reached(frame.through);
      this.#outgoing.forgetConfirmed();
      this.#loaded();
    }
    this.#around.changed(hasShape ? "shape" : "cells");
    if (isNews) this.#tellNews(edits.filter(([, cells]) => cells.length > 0));
    this.#hearOf(frame.through);
    this.#outgoing.send();
  }

  /** @param {Changes} changes */
  #tellNews(changes) {
    if (changes.length > 0) this.#around.came?.(changes);
    const others = changes.filter(([author]) => author !== this.#around.client_id);
    if (others.length > 0) this.#around.arrived?.(others);
  }

  #cellsCame() {
    if (!this.isAwaitingCells) return;
    this.isAwaitingCells = false;
    this.#around.changed("cells");
  }

  #loaded() {
    if (this.isLoaded) return;
    this.isLoaded = true;
    this.#around.changed("opened");
  }

  /** @param {{operations: [operation_id: string, revision: number][], left?: Record<string, number>}} frame */
  #committed({ operations, left }) {
    for (const [, revision] of operations) this.#hearOf(revision);
    this.#outgoing.committed(operations, left);
    for (const [operation_id, revision] of operations) this.#overwrites.committed(operation_id, revision);
  }

  /** @param {{operation_id: string, code: string, message: string, retryable: boolean}} frame */
  #rejected(frame) {
    if (!frame.retryable) this.#overwrites.refused(frame.operation_id);
    this.#outgoing.rejected(frame);
  }

  /** @param {number} head */
  #beat(head) {
    if (!this.#catchUp.isRewound(head, this.revision)) return this.#hearOf(head);
    this.#startAfresh();
    this.#ask();
  }

  /** Forget a log that an older state of the database has taken the place of. */
  #startAfresh() {
    this.#confirmed.reset();
    this.#known.clear();
    this.#parts.clear();
    this.#outgoing.forgetCommitted();
    this.#overwrites.clear();
    this.#catchUp.startAfresh();
    this.#around.changed("cells");
  }

  /** @param {number} head */
  #hearOf(head) {
    this.#catchUp.hearOf(head, this.revision);
  }

  #ask() {
    if (!this.#isOpen) return;
    this.#around.send(this.openFrame());
  }
}
