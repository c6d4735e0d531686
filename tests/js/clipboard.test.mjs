import assert from "node:assert/strict";
import { test } from "node:test";

import { Actions } from "../../cells/static/cells/ui/actions.js";
import { Clipboard } from "../../cells/static/cells/ui/clipboard.js";
import { Selection } from "../../cells/static/cells/ui/selection.js";
import { ShownCells } from "../../cells/static/cells/ui/shown_cells.js";
import { FakeServer, makeClient } from "./fake_server.mjs";

const set = (...cells) => ({ kind: "set_cells", cells });

/** A sheet whose first cells of columns A and B are filled, and a tab on it that can cut and paste. */
function seated({ rows = 20, columns = 6, filled = 2 } = {}) {
  const server = new FakeServer({ rows, columns });
  for (let first = 0; first < filled; first += 5_000) {
    const lines = Array.from({ length: Math.min(5_000, filled - first) }, (_, down) => first + down);
    server.commit("bob", set(...lines.flatMap((row) => [[row, 0, `a${row}`], [row, 1, `b${row}`]])));
  }
  const client = makeClient("alice");
  client.connect(server);
  const { replica } = client;
  const selection = new Selection(replica.rows, replica.columns, () => {});
  const host = new EventTarget();
  const clipboard = new Clipboard(host, replica, selection, new Actions(replica, selection, assert.fail), {
    shown: new ShownCells(replica),
    tell: assert.fail,
    changed: () => {},
    isEditing: () => false,
  });
  const move = (range, row, column) => {
    let text = "";
    selection.selectRange(range);
    const clipboardData = { setData: (_, cut) => (text = cut) };
    host.dispatchEvent(Object.assign(new Event("cut"), { clipboardData }));
    selection.select({ row, column });
    clipboard.paste(text);
  };
  const copyOf = (range) => {
    const copied = {};
    selection.selectRange(range);
    const clipboardData = { setData: (type, text) => (copied[type] = text) };
    host.dispatchEvent(Object.assign(new Event("copy"), { clipboardData }));
    return { text: copied["text/plain"], html: copied["text/html"] };
  };
  return { server, client, replica, move, selection, clipboard, copyOf };
}

const block = { top: 0, left: 0, bottom: 1, right: 1 };

/** Let the tab and the server take so many frames, then reload the tab; at last everything arrives. */
function reloadAt(stage, server, before) {
  for (let step = 0; step < stage; step += 1) {
    if (before.outbox.length > 0) server.take(before, before.outbox.shift());
    else if (before.inbox.length > 0) before.receive(before.inbox.shift());
  }
  before.disconnect();
  const after = makeClient("alice again");
  after.replica.restore(structuredClone([...before.journal.values()].sort((one, other) => one.order - other.order)));
  after.connect(server);
  after.exchange(server);
  assert.equal(after.replica.unsaved, 0, `stage ${stage}`);
  assert.equal(after.journal.size, 0, `stage ${stage}`);
  return after;
}

test("others get the text that a cell shows, and values pasted here stay texts", () => {
  const { replica, selection, clipboard, copyOf } = seated();
  replica.submit(set([0, 0, "'007"], [0, 1, "7"]));
  const { text, html } = copyOf({ top: 0, left: 0, bottom: 0, right: 1 });
  assert.equal(text, "007\t7");
  assert.match(html, />007<\/td>/);
  selection.select({ row: 5, column: 0 });
  clipboard.paste(text, "", true);
  assert.deepEqual([replica.inputAt(5, 0), replica.inputAt(5, 1)], ["'007", "7"]);
});

test("a cut and its paste are one revision, also where they overlap", () => {
  const { server, client, replica, move } = seated();
  move(block, 1, 1);
  assert.deepEqual([replica.inputAt(0, 0), replica.inputAt(1, 1), replica.inputAt(2, 2)], ["", "a0", "b1"]);
  client.exchange(server);
  assert.equal(server.head, 2);
  assert.deepEqual(Object.keys(server.log[1].operation), ["kind", "cells"]);
  assert.deepEqual(server.filled(), ["1,1,a0", "1,2,b0", "2,1,a1", "2,2,b1"]);
  assert.equal(client.journal.size, 0);
});

test("what was cut stays where it is when the row to paste at is deleted meanwhile", () => {
  const { server, client, replica, move } = seated();
  move(block, 9, 0);
  server.commit("bob", { kind: "delete_rows", rows: [[9, 2]] });
  client.exchange(server);
  assert.deepEqual(server.filled(), ["0,0,a0", "0,1,b0", "1,0,a1", "1,1,b1"]);
  assert.equal(replica.inputAt(0, 0), "a0");
  assert.deepEqual(client.refusals.map(({ text }) => text), ["a0\tb0\na1\tb1"]);
  assert.deepEqual([replica.unsaved, client.journal.size], [0, 0]);
});

test("where a part of the paste fits it is written, and nothing is emptied", () => {
  const { server, client, move } = seated();
  move(block, 9, 0);
  server.commit("bob", { kind: "delete_rows", rows: [[10, 1]] });
  client.exchange(server);
  assert.deepEqual(server.filled(), ["0,0,a0", "0,1,b0", "1,0,a1", "1,1,b1", "9,0,a0", "9,1,b0"]);
  assert.deepEqual(client.refusals.map(({ text }) => text), ["a1\tb1"]);
});

test("a cut row that is deleted meanwhile does not hinder the paste", () => {
  const { server, client, move } = seated();
  move(block, 9, 0);
  server.commit("bob", { kind: "delete_rows", rows: [[1, 1]] });
  client.exchange(server);
  assert.deepEqual(server.filled().filter((cell) => !cell.startsWith("1,")), ["10,0,a1", "10,1,b1", "9,0,a0", "9,1,b0"]);
  assert.deepEqual(client.refusals, []);
  assert.deepEqual([client.replica.unsaved, client.journal.size], [0, 0]);
});

test("a move within the grid survives a reload at every stage", () => {
  for (let stage = 0; stage < 8; stage += 1) {
    const { server, client, move } = seated();
    move(block, 9, 0);
    reloadAt(stage, server, client);
    assert.deepEqual(server.filled(), ["10,0,a1", "10,1,b1", "9,0,a0", "9,1,b0"], `stage ${stage}`);
    assert.equal(server.head, 2);
  }
});

test("a move beyond the edge survives a reload at every stage", () => {
  for (let stage = 0; stage < 14; stage += 1) {
    const { server, client, move } = seated({ rows: 3, columns: 2 });
    move(block, 2, 1);
    const { rows, columns } = reloadAt(stage, server, client).replica;
    assert.deepEqual([rows.length, columns.length], [4, 3], `stage ${stage}`);
    assert.deepEqual(server.filled(), ["2,1,a0", "2,2,b0", "3,1,a1", "3,2,b1"], `stage ${stage}`);
  }
});

test("a move beyond the edge whose anchor is deleted leaves what was cut, at every stage and over a reload", () => {
  for (let stage = 0; stage < 14; stage += 1) {
    const { server, client, move } = seated({ rows: 3, columns: 2 });
    move(block, 2, 1);
    for (let step = 0; step < stage; step += 1) {
      if (client.outbox.length > 0) server.take(client, client.outbox.shift());
      else if (client.inbox.length > 0) client.receive(client.inbox.shift());
    }
    const isPasted = server.input(2, 1) === "a0";
    server.commit("bob", { kind: "delete_rows", rows: [[2, 1]] });
    reloadAt(0, server, client);
    if (!isPasted) assert.deepEqual([server.input(0, 0), server.input(0, 1)], ["a0", "b0"], `stage ${stage}`);
  }
});

test("a move beyond the edge whose births are refused leaves what was cut", () => {
  const { server, client, replica, move } = seated({ rows: 3, columns: 6 });
  move(block, 2, 0);
  assert.equal(replica.inputAt(0, 0), "");
  const { operation_id } = client.outbox.at(-1);
  client.receive({ type: "operation.rejected", operation_id, code: "limit_exceeded", message: "Full.", retryable: false });
  client.outbox.length = 0;
  replica.tick();
  client.exchange(server);
  assert.equal(server.head, 1);
  assert.equal(replica.inputAt(0, 0), "a0");
  assert.deepEqual([replica.unsaved, client.journal.size], [0, 0]);
});

test("a move beyond the edge does not empty what rows that moved meanwhile made it write", () => {
  const { server, client, replica, move } = seated({ rows: 4, columns: 2 });
  move(block, 3, 0);
  server.commit("bob", { kind: "move_rows", rows: [[0, 1]], before: null }); // now 1, 2, 3, 0
  client.exchange(server);
  assert.deepEqual(server.filled(), ["0,0,a1", "0,1,b1", "3,0,a0", "3,1,b0"]);
  assert.deepEqual([replica.unsaved, client.journal.size], [0, 0]);
});

test("a move of more than one operation holds empties nothing unless all of it was pasted", () => {
  for (const isRefused of [false, true]) {
    const { server, client, replica, move } = seated({ rows: 15_000, columns: 4, filled: 6_000 });
    const { head } = server;
    move({ top: 0, left: 0, bottom: 5_999, right: 1 }, 8_000, 2);
    const pasted = client.outbox.filter(({ type }) => type === "operation.submit");
    assert.equal(pasted.length, 2); // what empties the cells waits for both
    if (isRefused) {
      const { operation_id } = pasted[1];
      client.receive({ type: "operation.rejected", operation_id, code: "limit_exceeded", message: "Full.", retryable: false });
      client.outbox.splice(client.outbox.indexOf(pasted[1]), 1);
    }
    client.exchange(server);
    assert.equal(server.head, head + (isRefused ? 1 : 4));
    assert.equal(server.input(0, 0), isRefused ? "a0" : "");
    assert.equal(replica.inputAt(5_999, 1), isRefused ? "b5999" : "");
    assert.equal(server.input(8_000, 2), "a0");
    assert.equal(server.input(13_999, 3), isRefused ? "" : "b5999");
    assert.deepEqual([replica.unsaved, client.journal.size], [0, 0]);
  }
});

test("an older database that lost the paste keeps what was cut", () => {
  const { server, client, replica, move } = seated({ rows: 3, columns: 2 });
  move(block, 2, 1);
  while (server.input(2, 1) === "" || client.inbox.length > 0) {
    if (client.inbox.length > 0) client.receive(client.inbox.shift());
    else server.take(client, client.outbox.shift());
  }
  client.disconnect();
  const restored = new FakeServer({ rows: 3, columns: 2 });
  restored.commit("bob", server.log[0].operation);
  client.connect(restored);
  client.exchange(restored);
  assert.deepEqual(restored.filled(), ["0,0,a0", "0,1,b0", "1,0,a1", "1,1,b1"]);
  assert.equal(replica.inputAt(0, 0), "a0");
  assert.deepEqual([replica.unsaved, client.journal.size], [0, 0]);
});
