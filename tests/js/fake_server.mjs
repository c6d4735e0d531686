/** The wire contract in miniature: enough of a server, and of a tab around a replica, to try any order of events. */

import { Axis } from "../../cells/static/cells/domain/axes.js";
import { mergeStyle } from "../../cells/static/cells/domain/styles.js";
import { Replica } from "../../cells/static/cells/sync/replica.js";

/** Repeatable numbers in [0, 1): mulberry32 by Tommy Ettinger, public domain. */
export function numbersFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export class FakeServer {
  log = [];
  cells = new Map(); // "row,column" -> {input, style, revision, author, state: the revision whose state it is in}
  frozen = [0, 0];
  clients = new Set();
  unavailable = 0; // how many submissions to refuse as retryable
  shapeRevision = 0;

  constructor({ rows = 100, columns = 26, role = "editor" } = {}) {
    this.rows = Axis.fromRuns([[0, rows]]);
    this.columns = Axis.fromRuns([[0, columns]]);
    this.role = role;
  }

  get head() {
    return this.log.length;
  }

  input(row, column) {
    return this.cells.get(`${row},${column}`)?.input ?? "";
  }

  style(row, column) {
    return this.cells.get(`${row},${column}`)?.style;
  }

  filled() {
    return [...this.cells].filter(([, { input }]) => input !== "").map(([key, { input }]) => `${key},${input}`).sort();
  }

  styled() {
    return [...this.cells].filter(([, { style }]) => style).map(([key, { style }]) => `${key},${JSON.stringify(style)}`).sort();
  }

  take(client, frame) {
    if (frame.type === "sheet.open") this.open(client, frame.revision ?? 0);
    if (frame.type !== "operation.submit") return;
    const { operation_id, operation } = frame;
    const known = this.log.findIndex((revision) => revision.operation_id === operation_id);
    if (known >= 0) {
      client.hear(this.answer(known));
      return;
    }
    if (this.unavailable > 0) {
      this.unavailable -= 1;
      client.hear({ type: "operation.rejected", operation_id, code: "unavailable", message: "", retryable: true });
      return;
    }
    try {
      if (frame.expected !== undefined && frame.expected !== this.head) throw Object.assign(new Error("there is another revision"), { code: "outdated" });
      const revision = this.commit(client.name, operation, operation_id);
      client.hear(this.answer(revision - 1));
    } catch (error) {
      client.hear({ type: "operation.rejected", operation_id, code: error.code, message: error.message, retryable: false });
    }
  }

  answer(place) {
    const { operation_id, left } = this.log[place];
    const answer = { type: "operations.committed", operations: [[operation_id, place + 1]] };
    return left ? { ...answer, left: { [operation_id]: left } } : answer;
  }

  commit(author, operation, operation_id = `server ${this.log.length}`) {
    const shape = { rows: this.rows, columns: this.columns, frozen: this.frozen };
    const line = { operation_id, operation, author, past: [], left: 0, shape };
    if (operation.kind === "undo" || operation.kind === "redo") this.takeBack(line);
    else this.do(line);
    this.log.push(line);
    const { rows, columns, frozen } = this;
    if (rows !== shape.rows || columns !== shape.columns || frozen !== shape.frozen) this.shapeRevision = this.head;
    for (const client of this.clients) client.hear(this.delta(this.head - 1));
    return this.head;
  }

  do(line) {
    const { operation, author } = line;
    const [verb, which] = operation.kind.split("_");
    if (verb === "insert") this[which] = this[which].insert(operation.before, operation.count);
    if (verb === "delete") this[which] = this[which].delete(operation[which]);
    if (verb === "move") this[which] = this[which].move(operation[which], operation.before);
    if (verb === "freeze") this.frozen = [operation.rows, operation.columns];
    if (verb === "reorder") this.reorder(line, operation);
    const styled = which === "styles" ? ids(operation.rows).flatMap((row) => ids(operation.columns).map((column) => [row, column])) : [];
    for (const [row, column] of [...(operation.cells ?? []), ...styled]) {
      this.rows.positionOf(row);
      this.columns.positionOf(column);
    }
    for (const [row, column, input, style] of operation.cells ?? []) {
      const before = this.style(row, column);
      this.put(line, `${row},${column}`, author, { input, style: style === undefined ? before : style || undefined });
    }
    for (const [row, column] of styled) {
      const style = mergeStyle(this.style(row, column), operation.style);
      this.put(line, `${row},${column}`, author, { input: this.input(row, column), style });
    }
  }

  /** Rows and columns that are deleted fall out; the others keep their order. */
  reorder(line, { rows, columns, order }) {
    const all = ids(rows);
    const isAlive = (row) => this.rows.findPosition(row) !== undefined;
    const sources = order.map((place) => all[place]).filter(isAlive);
    const targets = all.filter(isAlive);
    const across = ids(columns).filter((column) => this.columns.findPosition(column) !== undefined);
    if (targets.length === 0 || across.length === 0) throw Object.assign(new Error("gone"), { code: "deleted" });
    line.done = { rows: targets.map((row) => [row, 1]), columns: across.map((column) => [column, 1]), order: sources.map((row) => targets.indexOf(row)) };
    const before = new Map(this.cells);
    for (const column of across) {
      for (const [place, row] of targets.entries()) {
        const { input = "", style } = before.get(`${sources[place]},${column}`) ?? {};
        const isSame = input === this.input(row, column) && JSON.stringify(style) === JSON.stringify(this.style(row, column));
        if (!isSame) this.put(line, `${row},${column}`, line.author, { input, style });
      }
    }
  }

  put({ past }, key, author, { input, style, state = this.head + 1 }) {
    past.push([key, this.cells.get(key) ?? { input: "", style: undefined, state: 0 }, state]);
    this.cells.set(key, { input, style, revision: this.head + 1, author, state });
  }

  /** Put back the cells that are as the newest line about the operation left them; the axes only where nobody touched them since. */
  takeBack(line) {
    const { kind, operation_id: named } = line.operation;
    const newest = this.log.findLast((other) => other.operation_id === named || other.operation.operation_id === named);
    const isUndone = newest?.operation.kind === "undo";
    if (!newest || isUndone !== (kind === "redo")) throw Object.assign(new Error(kind), { code: `nothing_to_${kind}` });
    if (newest.author !== line.author) throw Object.assign(new Error(kind), { code: "forbidden" });
    if (newest.done) {
      const { rows, columns, order } = newest.done;
      if (ids(rows).some((row) => this.rows.findPosition(row) !== undefined) && ids(columns).some((column) => this.columns.findPosition(column) !== undefined)) {
        this.reorder(line, { rows, columns, order: order.map((_, place) => order.indexOf(place)) });
      } else line.done = newest.done;
    }
    for (const [key, before, left] of newest.done ? [] : newest.past) {
      if (this.cells.get(key).state === left) this.put(line, key, line.author, before);
      else line.left += 1;
    }
    const next = this.log[this.log.indexOf(newest) + 1]?.shape ?? this;
    if (next.frozen === this.frozen) this.frozen = newest.shape.frozen;
    for (const which of ["rows", "columns"]) {
      const past = newest.shape[which];
      const born = this[which].nextId - past.nextId; // ids are not given twice
      if (next[which] !== this[which] || past === this[which]) continue;
      this[which] = born > 0 ? Axis.fromRuns([...past.toRuns(), [past.nextId, -born]]) : past;
    }
  }

  delta(after) {
    const changes = [...this.cells]
      .filter(([, { revision }]) => revision > after)
      .map(([key, { input, style, author }]) => [author, [[...key.split(",").map(Number), input, ...(style ? [style] : [])]]]);
    const { rows, columns, frozen } = this;
    const shape = this.shapeRevision > after ? { rows: rows.toRuns(), columns: columns.toRuns(), frozen } : {};
    return { type: "cells.changed", after, through: this.head, changes, ...shape };
  }

  open(client, revision, { isCatchUpHeld = false, isAfresh = false } = {}) {
    this.clients.add(client);
    client.hear({
      type: "sheet.opened",
      protocol: 1,
      sheet: { slug: "demo", title: "Demo" },
      role: this.role,
      you: { client_id: client.name, name: client.name, color: "#123456" },
      head: this.head,
      rows: this.rows.toRuns(),
      columns: this.columns.toRuns(),
      ...(this.frozen.some(Boolean) ? { frozen: this.frozen } : {}),
      ...(isAfresh ? { afresh: true } : {}),
    });
    if (isCatchUpHeld) return;
    const delta = this.delta(isAfresh || revision > this.head ? 0 : revision);
    const middle = delta.changes.length >> 1;
    // An answer in several frames comes in order and whole, or the line is cut: marked for who mixes frames up.
    const answer = middle > 0 ? { ...delta, isPart: true } : delta;
    if (middle > 0) client.hear({ ...answer, changes: delta.changes.slice(0, middle), more: true });
    client.hear({ ...answer, changes: delta.changes.slice(middle) });
  }

  beat(client) {
    client.hear({ type: "sheet.heartbeat", head: this.head });
  }
}

const ids = (runs) => runs.flatMap(([first, count]) => Array.from({ length: count }, (_, place) => first + place));

let births = 0; // ids are not given twice, over a reload neither

export function makeClient(name, random = () => 0.5, packing = null, steps = null) {
  const client = {
    name,
    now: 1_000_000,
    inbox: [],
    outbox: [],
    refusals: [],
    overwritten: [],
    left: [],
    restored: [],
    news: [],
    told: [],
    journal: new Map(),
    steps: null, // what a reload would find
    isConnected: false,
    view: undefined, // what rows it says that it shows
    server: null,
    hear(frame) {
      this.inbox.push(structuredClone(frame));
    },
    receive(frame) {
      this.replica.receive(frame);
    },
    connect(server, options) {
      this.isConnected = true;
      this.server = server;
      server.open(this, this.replica.openFrame().revision ?? 0, options);
      for (const frame of this.inbox.splice(0)) this.receive(frame);
    },
    disconnect() {
      this.isConnected = false;
      this.server?.clients.delete(this);
      this.inbox.length = 0;
      this.outbox.length = 0;
      this.replica.disconnected();
    },
    exchange(server) {
      while (this.isConnected && this.inbox.length + this.outbox.length > 0) {
        for (const frame of this.outbox.splice(0)) server.take(this, frame);
        for (const frame of this.inbox.splice(0)) this.receive(frame);
      }
    },
  };
  client.replica = new Replica({
    client_id: name,
    packing,
    view: () => client.view,
    now: () => client.now,
    clock: () => client.now,
    random,
    newId: () => `${name} ${(births += 1)}`,
    send: (frame) => client.isConnected && client.outbox.push(structuredClone(frame)),
    changed: (what) => what === "history" && client.news.push([client.replica.canUndo, client.replica.canRedo]),
    refused: (refusal) => client.refusals.push(refusal),
    overwritten: (overwritten) => client.overwritten.push(overwritten),
    left: (count) => client.left.push(count),
    restored: (...news) => client.restored.push(news),
    steps: { load: () => structuredClone(steps), save: (kept) => (client.steps = structuredClone(kept)) },
    arrived: (changes) => client.told.push(...changes),
    journal: {
      put: (kept) => kept.forEach((line) => client.journal.set(line.order, { operation_id: line.operation_id, operation: line.operation, order: line.order })),
      remove: (kept) => kept.forEach(({ order }) => client.journal.delete(order)),
    },
  });
  return client;
}
