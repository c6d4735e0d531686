/** Operations on their way into the log: which may be sent, which again, and what becomes of a refused one. */

import { editsOf, forTheWire, isTakeBack, textOf } from "../domain/operations.js";
import { planPaste } from "./paste.js";
import { Unacknowledged, makeEntry } from "./unacknowledged.js";

const MAX_IN_FLIGHT = 8; // enough to fill a round trip; the hub commits what arrives together as one batch
const MAX_LOOKAHEAD = 64; // entries looked at for one that may be sent: a long offline list stays cheap
const ANSWER_TIMEOUT_MS = 15_000; // an operation unanswered for so long goes out again; its id makes that harmless
const SALVAGE_ATTEMPTS = 4; // how often to wait for the news of a deletion that an edit met
const STRUGGLING_ATTEMPTS = 4; // refusals in a row, some seconds in all, before a person is told
const MAX_BIRTHS = 3; // rounds that a paste waits for rows and columns, lest it wait for ever
const RETRY_BASE_MS = 250;
const MAX_RETRY_MS = 10_000;
const SLOW_MS = 60_000; // how long to go easy after the server said that it was too much
const SLOW_INTERVAL_MS = 250;

/** @typedef {import("../domain/operations.js").Edit} Edit */
/** @typedef {import("../domain/axes.js").Axis} Axis */
/** @typedef {import("../domain/axes.js").Run} Run */
/** @typedef {import("../domain/operations.js").Intended} Intended */
/** @typedef {import("../domain/operations.js").Freeze} Freeze */
/** @typedef {import("../domain/operations.js").SetStyles} SetStyles */
/** @typedef {import("../domain/operations.js").TakeBack} TakeBack */
/** @typedef {import("../domain/operations.js").Transfer} Transfer */
/** @typedef {import("./confirmed.js").Confirmed} Confirmed */
/** @typedef {import("./history.js").History} History */
/** @typedef {import("./replica.js").Kept} Kept */
/** @typedef {import("./replica.js").Surroundings} Surroundings */
/** @typedef {import("./unacknowledged.js").Entry} Entry */

export class Outgoing {
  #unacknowledged = new Unacknowledged();
  #confirmed;
  #around;
  #line;
  #history;
  #slowUntil = 0;
  #lastSent = 0;

  /**
   * @param {Surroundings} around
   * @param {Confirmed} confirmed
   * @param {{isReady: () => boolean, isUpToDate: () => boolean}} line whether anything may be sent; whether nothing newer is known of
   * @param {History} history
   */
  constructor(around, confirmed, line, history) {
    this.#around = around;
    this.#confirmed = confirmed;
    this.#line = line;
    this.#history = history;
  }

  /** How many edits the log does not have yet. */
  get unsaved() {
    return this.#unacknowledged.unsaved;
  }

  /** Whether the server keeps refusing an edit for now. */
  get isStruggling() {
    return this.#unacknowledged.entries.some(({ attempts }) => attempts >= STRUGGLING_ATTEMPTS);
  }

  /** How many rows and columns are to stay in view; undefined if the log has all that says so. */
  get frozen() {
    const frozen = this.#unacknowledged.entries.filter(({ operation, isTakenBack }) => operation.kind === "freeze" && !isTakenBack);
    return /** @type {Freeze|undefined} */ (frozen.at(-1)?.operation);
  }

  /** What is shown on top of the confirmed cells. */
  get overlay() {
    return this.#unacknowledged.overlay;
  }

  /**
   * Show an operation at once, keep it, and send it as soon as may be.
   * @param {Intended} operation
   * @returns {string} its id
   */
  submit(operation) {
    const entry = makeEntry(this.#around.newId(), operation, this.#unacknowledged.nextOrder());
    entry.isLate = !this.#line.isReady();
    this.#history.did(entry.operation_id);
    this.#keep([entry]);
    this.send();
    return entry.operation_id;
  }

  /**
   * Undo or redo operations, in this order.
   * @param {TakeBack["kind"]} kind
   * @param {string[]} ids
   */
  takeBack(kind, ids) {
    const entries = ids.map((operation_id) => makeEntry(this.#around.newId(), { kind, operation_id }, this.#unacknowledged.nextOrder()));
    this.#history.awaits(entries.map(({ operation_id }) => operation_id));
    this.#keep(entries);
    this.send();
  }

  /**
   * Go on with what the journal kept of this tab from before a reload.
   * @param {Kept[]} lines
   */
  restore(lines) {
    this.#unacknowledged.add(lines.map(({ operation_id, operation, order }) => lateEntry(operation_id, operation, order)));
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
        lateEntry(operation_id, operation, first + place / orphans.length),
      );
    this.#keep(entries);
    this.send();
  }

  /** The connection is gone: whatever is unanswered will be sent again under the same id. */
  disconnected() {
    for (const entry of this.#unacknowledged.entries) {
      entry.isLate = true;
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

  /** Let time pass: what has not been answered for long goes out again. */
  tick() {
    const now = this.#around.now();
    for (const entry of this.#unacknowledged.entries) {
      if (entry.state === "in_flight" && now >= entry.due_ms) entry.state = "pending";
    }
    this.send();
  }

  /** Operations in the log whose cells have arrived: from here on the confirmed cells show them. */
  forgetConfirmed() {
    this.#forget(({ state, revision }) => state === "committed" && revision <= this.#confirmed.revision);
  }

  /** @param {(entry: Entry) => boolean} isOver */
  #forget(isOver) {
    for (const entry of this.#unacknowledged.entries.filter(isOver)) this.#unacknowledged.remove(entry);
  }

  /** Forget what is in a log that was replaced, and do not empty what was cut for a paste that is gone with it. */
  forgetCommitted() {
    this.#forget(({ state }) => state === "committed");
    const isAlone = (/** @type {string} */ id) => !this.#unacknowledged.find(id);
    this.#fall(this.#unacknowledged.entries.filter(({ operation }) => operation.kind === "transfer" && operation.after.some(isAlone)));
  }

  /**
   * Forget what will never be in the log.
   * @param {Entry[]} entries
   */
  #fall(entries) {
    this.#drop(entries);
    for (const { operation_id } of entries) this.#replace(operation_id, []);
  }

  /**
   * An operation goes into the log under other ids, or not at all: so does what takes it back.
   * @param {string} operation_id
   * @param {string[]} ids
   */
  #replace(operation_id, ids) {
    this.#history.replaced(operation_id, ids);
    for (const entry of this.#unacknowledged.takeBacksOf(operation_id)) {
      const { kind } = /** @type {TakeBack} */ (entry.operation);
      const named = kind === "undo" ? [...ids].reverse() : ids;
      const entries = this.#entriesFor(named.map((id) => ({ kind, operation_id: id })), entry.order, this.#orderBehind(entry));
      this.#history.replaced(entry.operation_id, entries.map((other) => other.operation_id));
      this.#keep(entries);
      this.#drop([entry]);
    }
  }

  /** @param {Entry[]} entries */
  #drop(entries) {
    for (const entry of entries) this.#unacknowledged.remove(entry);
    this.#around.journal.remove(entries);
  }

  /**
   * Take operations.committed.
   * @param {[operation_id: string, revision: number][]} operations
   * @param {Record<string, number>} [left] how many cells an undo, or a restore, left alone
   */
  committed(operations, left = {}) {
    for (const [operation_id, revision] of operations) {
      const entry = this.#unacknowledged.find(operation_id);
      if (!entry) continue;
      const isNews = entry.state !== "committed";
      if (isTakeBack(entry.operation) && isNews) this.#history.answered(operation_id, left[operation_id] ?? 0);
      if (entry.operation.kind === "restore" && isNews) this.#around.restored?.(operation_id, left[operation_id] ?? 0);
      entry.state = "committed";
      entry.revision = revision;
      this.#around.journal.remove([entry]);
    }
    this.forgetConfirmed();
    this.#around.changed("unsaved");
    this.send();
  }

  /**
   * Take operation.rejected.
   * @param {{operation_id: string, code: string, message: string, retryable: boolean}} frame
   */
  rejected({ operation_id, code, message, retryable }) {
    const entry = this.#unacknowledged.find(operation_id);
    if (!entry || entry.state === "committed") return;
    if (retryable) this.#retryLater(entry);
    else if (code === "deleted" && editsOf(entry.operation) !== null) this.#salvage(entry, message);
    else if (code === "deleted" && entry.area !== null) this.#salvageStyles(entry, message);
    else this.#refuse(entry, code, message);
  }

  /** @param {Entry} entry */
  #retryLater(entry) {
    entry.state = "pending";
    entry.attempts += 1;
    const ceiling = Math.min(MAX_RETRY_MS, RETRY_BASE_MS * 2 ** entry.attempts);
    entry.due_ms = this.#around.now() + ceiling * (0.5 + this.#around.random() / 2);
    this.#around.changed("unsaved");
  }

  /**
   * Of many edits that were refused because some of their cells were deleted, send the others again: as an operation of
   * its own, with an id of its own, for the refused one is not in the log. What was cut is only emptied when all of it
   * could be pasted.
   * @param {Entry} entry
   * @param {string} message
   */
  #salvage(entry, message) {
    const isAlive = (/** @type {Edit} */ [row, column]) =>
      this.#confirmed.rows.findPosition(row) !== undefined && this.#confirmed.columns.findPosition(column) !== undefined;
    const { operation } = entry;
    const edits = editsOf(operation) ?? [];
    const cleared = operation.kind === "transfer" ? operation.cleared : [];
    const written = edits.slice(0, edits.length - cleared.length);
    const lost = written.filter((edit) => !isAlive(edit));
    const rest = (lost.length > 0 ? written : edits).filter(isAlive);
    if (rest.length === edits.length) return this.#awaitNews(entry, message);
    if (rest.length > 0) {
      /** @type {Intended} */
      const again =
        lost.length > 0 || operation.kind !== "transfer"
          ? { kind: "set_cells", cells: rest }
          : { ...operation, cleared: cleared.filter(isAlive) };
      this.#putInPlace(entry, again);
    }
    if (lost.length > 0) {
      entry.operation = { kind: "set_cells", cells: lost };
      this.#refuse(entry, "deleted", message);
    } else {
      this.#fall([entry]);
      this.#around.changed("unsaved");
      this.send();
    }
  }

  /**
   * Likewise for styles of rows and columns of which some were deleted: nobody misses a style with its cell.
   * @param {Entry} entry
   * @param {string} message
   */
  #salvageStyles(entry, message) {
    const operation = /** @type {SetStyles} */ (entry.operation);
    const rows = livingIn(operation.rows, this.#confirmed.rows);
    const columns = livingIn(operation.columns, this.#confirmed.columns);
    const count = (/** @type {Run[]} */ runs) => runs.reduce((sum, [, many]) => sum + many, 0);
    if (count(rows) === count(operation.rows) && count(columns) === count(operation.columns)) return this.#awaitNews(entry, message);
    if (rows.length === 0 || columns.length === 0) return this.#refuse(entry, "deleted", message);
    this.#putInPlace(entry, { ...operation, rows, columns });
    this.#fall([entry]);
    this.#around.changed("unsaved");
    this.send();
  }

  /**
   * Send an operation instead of a refused one.
   * @param {Entry} entry
   * @param {Intended} operation
   */
  #putInPlace(entry, operation) {
    const [again] = this.#entriesFor([operation], entry.order, this.#orderBehind(entry));
    this.#keep([again]);
    this.#replace(entry.operation_id, [again.operation_id]);
  }

  /**
   * Of a deletion that was met nothing is known: the news is still on its way.
   * @param {Entry} entry
   * @param {string} message
   */
  #awaitNews(entry, message) {
    if (entry.attempts < SALVAGE_ATTEMPTS) this.#retryLater(entry);
    else this.#refuse(entry, "deleted", message);
  }

  /** @param {Entry} entry */
  #orderBehind(entry) {
    const { entries } = this.#unacknowledged;
    return entries[entries.indexOf(entry) + 1]?.order ?? entry.order + 1;
  }

  /**
   * Make entries that stand between two orders.
   * @param {Intended[]} operations
   * @param {number} from
   * @param {number} to
   * @param {string|null} [waiting]
   */
  #entriesFor(operations, from, to, waiting = null) {
    const step = (to - from) / (operations.length + 1);
    return operations.map((operation, place) =>
      makeEntry(this.#around.newId(), operation, from + (place + 1) * step, waiting),
    );
  }

  /**
   * @param {Entry} entry
   * @param {string} code
   * @param {string} message
   */
  #refuse(entry, code, message) {
    if (isTakeBack(entry.operation)) this.#history.refused(entry.operation_id, entry.operation, code);
    this.#fall([entry, ...this.#unacknowledged.transfersAfter(entry.operation_id)]);
    const waiting = entry.for === null ? undefined : this.#unacknowledged.find(entry.for);
    if (waiting) {
      this.#refuse(waiting, code, message);
      return;
    }
    this.#around.refused({ operation_id: entry.operation_id, code, message, text: textOf(entry.operation, this.#confirmed), operation: entry.operation });
    this.#around.changed("cells");
    this.#around.changed("unsaved");
    this.send();
  }

  /** @param {Entry[]} entries */
  #keep(entries) {
    if (entries.length === 0) return;
    this.#unacknowledged.add(entries);
    this.#around.journal.put(entries);
    this.#around.changed("cells");
    this.#around.changed("unsaved");
  }

  /** Send what may be sent now. */
  send() {
    if (!this.#line.isReady()) return;
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
      this.#around.send({ type: "operation.submit", operation_id: entry.operation_id, operation: forTheWire(entry.operation), ...expectedOf(entry) });
    }
  }

  /** A paste beyond the edge at the head of the line becomes births, and once they are confirmed, edits. */
  #unfoldPaste() {
    const [entry] = this.#unacknowledged.entries;
    if (entry?.operation.kind !== "paste" || !this.#line.isUpToDate()) return;
    const plan = planPaste(entry.operation, this.#confirmed.rows, this.#confirmed.columns);
    if ("error" in plan) {
      this.#refuse(entry, plan.error.code, plan.error.message);
      return;
    }
    const isBirth = plan.births.length > 0;
    if (isBirth && (entry.attempts += 1) > MAX_BIRTHS) {
      this.#refuse(entry, "limit_exceeded", "There is no room for what you pasted.");
      return;
    }
    const entries = isBirth
      ? this.#entriesFor(plan.births, entry.order - 1, entry.order, entry.operation_id)
      : this.#entriesFor(plan.edits, entry.order, this.#orderBehind(entry));
    const transfers = isBirth ? [] : this.#follow(entry, entries);
    this.#keep([...entries, ...transfers]); // before the paste is forgotten, lest a crash in between lose it
    const ids = entries.map(({ operation_id }) => operation_id);
    this.#replace(entry.operation_id, isBirth ? [...ids, entry.operation_id] : ids);
    if (!isBirth) this.#drop([entry]);
  }

  /**
   * Let what waits for a paste wait for its edits, and spare the cells that they write.
   * @param {Entry} paste
   * @param {Entry[]} entries
   */
  #follow(paste, entries) {
    return this.#unacknowledged.transfersAfter(paste.operation_id).flatMap((entry) => {
      const operation = /** @type {Transfer} */ (entry.operation);
      const cleared = operation.cleared.filter(([row, column]) => !entries.some(({ cells }) => cells?.row(row)?.has(column)));
      const after = [...operation.after.filter((id) => id !== paste.operation_id), ...entries.map(({ operation_id }) => operation_id)];
      if (cleared.length === 0) this.#fall([entry]);
      else this.#unacknowledged.remove(entry);
      return cleared.length === 0 ? [] : [makeEntry(entry.operation_id, { ...operation, cleared, after }, entry.order)];
    });
  }
}

/**
 * Make an entry of what an earlier page kept.
 * @param {string} operation_id
 * @param {Intended} operation
 * @param {number} order
 */
function lateEntry(operation_id, operation, order) {
  return Object.assign(makeEntry(operation_id, operation, order), { isLate: true });
}

/**
 * A restore replaces what all others did: once its user no longer sees that, because the connection broke, it is only to be
 * committed if there has been nothing.
 * @param {Entry} entry
 */
function expectedOf({ operation, isLate }) {
  return operation.kind === "restore" && isLate ? { expected: operation.seen ?? 0 } : {};
}

/**
 * Return what lives of so many rows or columns.
 * @param {Run[]} runs
 * @param {Axis} axis
 * @returns {Run[]}
 */
function livingIn(runs, axis) {
  /** @type {Run[]} */
  const living = [];
  for (const [first, count] of runs) {
    for (let id = first; id < first + count; id += 1) {
      if (axis.findPosition(id) === undefined) continue;
      const last = living.at(-1);
      if (last && last[0] + last[1] === id) last[1] += 1;
      else living.push([id, 1]);
    }
  }
  return living;
}
