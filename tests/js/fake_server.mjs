/** The wire contract in miniature: enough of a server, and of a tab around a replica, to try any order of events. */

import { Axis } from "../../cells/static/cells/domain/axes.js";
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
  cells = new Map(); // "row,column" -> [input, revision, author]
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
    return this.cells.get(`${row},${column}`)?.[0] ?? "";
  }

  filled() {
    return [...this.cells].filter(([, [input]]) => input !== "").map(([key, [input]]) => `${key},${input}`).sort();
  }

  take(client, frame) {
    if (frame.type === "sheet.open") this.open(client, frame.revision ?? 0);
    if (frame.type !== "operation.submit") return;
    const { operation_id, operation } = frame;
    const known = this.log.findIndex((revision) => revision.operation_id === operation_id);
    if (known >= 0) {
      client.hear({ type: "operations.committed", operations: [[operation_id, known + 1]] });
      return;
    }
    if (this.unavailable > 0) {
      this.unavailable -= 1;
      client.hear({ type: "operation.rejected", operation_id, code: "unavailable", message: "", retryable: true });
      return;
    }
    try {
      const revision = this.commit(client.name, operation, operation_id);
      client.hear({ type: "operations.committed", operations: [[operation_id, revision]] });
    } catch (error) {
      client.hear({ type: "operation.rejected", operation_id, code: error.code, message: error.message, retryable: false });
    }
  }

  commit(author, operation, operation_id = `server ${this.log.length}`) {
    const [verb, which] = operation.kind.split("_");
    if (verb === "insert") this[which] = this[which].insert(operation.before, operation.count);
    if (verb === "delete") this[which] = this[which].delete(operation[which]);
    if (verb === "move") this[which] = this[which].move(operation[which], operation.before);
    for (const [row, column] of operation.cells ?? []) {
      this.rows.positionOf(row);
      this.columns.positionOf(column);
    }
    this.log.push({ operation_id, operation });
    for (const [row, column, input] of operation.cells ?? []) this.cells.set(`${row},${column}`, [input, this.head, author]);
    if (verb !== "set") this.shapeRevision = this.head;
    for (const client of this.clients) client.hear(this.delta(this.head - 1));
    return this.head;
  }

  delta(after) {
    const changes = [...this.cells]
      .filter(([, [, revision]]) => revision > after)
      .map(([key, [input, , author]]) => [author, [[...key.split(",").map(Number), input]]]);
    const shape = this.shapeRevision > after ? { rows: this.rows.toRuns(), columns: this.columns.toRuns() } : {};
    return { type: "cells.changed", after, through: this.head, changes, ...shape };
  }

  open(client, revision, { isCatchUpHeld = false } = {}) {
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
    });
    if (isCatchUpHeld) return;
    const delta = this.delta(revision > this.head ? 0 : revision);
    const middle = delta.changes.length >> 1;
    if (middle > 0) client.hear({ ...delta, changes: delta.changes.slice(0, middle), more: true });
    client.hear({ ...delta, changes: middle > 0 ? delta.changes.slice(middle) : delta.changes });
  }

  beat(client) {
    client.hear({ type: "sheet.heartbeat", head: this.head });
  }
}

export function makeClient(name, random = () => 0.5, packing = null) {
  const client = {
    name,
    now: 1_000_000,
    inbox: [],
    outbox: [],
    refusals: [],
    overwritten: [],
    told: [],
    journal: new Map(),
    isConnected: false,
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
  let births = 0;
  client.replica = new Replica({
    client_id: name,
    packing,
    now: () => client.now,
    random,
    newId: () => `${name} ${(births += 1)}`,
    send: (frame) => client.isConnected && client.outbox.push(structuredClone(frame)),
    changed: () => {},
    refused: (refusal) => client.refusals.push(refusal),
    overwritten: (overwritten) => client.overwritten.push(overwritten),
    arrived: (changes) => client.told.push(...changes),
    journal: {
      put: (kept) => kept.forEach((line) => client.journal.set(line.order, { operation_id: line.operation_id, operation: line.operation, order: line.order })),
      remove: (kept) => kept.forEach(({ order }) => client.journal.delete(order)),
    },
  });
  return client;
}
