import assert from "node:assert/strict";
import { test } from "node:test";

import { Overwrites, RECENT_MS } from "../../cells/static/cells/sync/overwrites.js";
import { FakeServer, makeClient } from "./fake_server.mjs";

function begun() {
  const lost = [];
  const clock = { now: 0 };
  const overwrites = new Overwrites(() => clock.now, (overwritten) => lost.push(overwritten));
  const write = (id, text, row = 1) => overwrites.submitted(id, { kind: "set_cells", cells: [[row, 1, text]] });
  return { overwrites, lost, clock, write };
}

test("a text that somebody replaces a moment later is offered", () => {
  const { overwrites, lost, write } = begun();
  write("a", "mine");
  overwrites.committed("a", 5);
  overwrites.arrived("ada", [[1, 1, "hers"]], 6);
  assert.deepEqual(lost, [{ row: 1, column: 1, text: "mine", author: "ada" }]);
  overwrites.arrived("ada", [[1, 1, "hers again"]], 7);
  assert.equal(lost.length, 1); // once
});

test("a text that somebody's sort moves to another row is not lost, and no longer one's own where it was", () => {
  const { overwrites, lost, write } = begun();
  write("a", "mine");
  overwrites.committed("a", 5);
  overwrites.arrived("ada", [[1, 1, "hers"], [4, 1, "mine"]], 6);
  overwrites.arrived("ada", [[1, 1, "later"]], 7);
  assert.deepEqual(lost, []);
  write("b", "mine", 2);
  overwrites.committed("b", 8);
  overwrites.arrived("ada", [[2, 1, "hers"], [2, 2, "mine"]], 9);
  assert.deepEqual(lost, [{ row: 2, column: 1, text: "mine", author: "ada" }]); // in another column it is something else
});

test("a text on its way is offered once the log says that it came first", () => {
  const { overwrites, lost, write } = begun();
  write("a", "mine");
  overwrites.arrived("ada", [[1, 1, "hers"]], 6);
  assert.deepEqual(lost, []);
  overwrites.committed("a", 5);
  assert.deepEqual(lost, [{ row: 1, column: 1, text: "mine", author: "ada" }]);
});

test("a text that came after the other one is not lost", () => {
  const { overwrites, lost, write } = begun();
  write("a", "mine");
  overwrites.arrived("ada", [[1, 1, "hers"]], 5);
  overwrites.committed("a", 6);
  overwrites.arrived("ada", [[1, 2, "elsewhere"]], 7);
  assert.deepEqual(lost, []);
});

test("nothing is said later, of an own newer text, of an emptied cell, of another style, or of the same text", () => {
  const { overwrites, lost, clock, write } = begun();
  write("a", "first", 1);
  write("b", "second", 1);
  write("c", "", 2);
  write("d", "same", 3);
  write("e", "old", 4);
  ["a", "b", "c", "d", "e"].forEach((id, place) => overwrites.committed(id, place + 1));
  overwrites.arrived("ada", [[1, 1, "second", { bold: true }], [2, 1, "x"], [3, 1, "same"]], 9);
  assert.deepEqual(lost, []);
  clock.now = RECENT_MS;
  overwrites.tick();
  overwrites.arrived("ada", [[4, 1, "x"]], 10);
  assert.deepEqual(lost, []);
});

test("what was taken back oneself is not lost to the next", () => {
  const { overwrites, lost, write } = begun();
  write("a", "mine");
  overwrites.committed("a", 5);
  overwrites.ownArrived([[1, 1, "mine"]], 5);
  overwrites.ownArrived([[1, 1, ""]], 6); // an undo
  overwrites.arrived("ada", [[1, 1, "hers"]], 7);
  assert.deepEqual(lost, []);
});

test("a refused text is not offered twice", () => {
  const { overwrites, lost, write } = begun();
  write("a", "mine");
  overwrites.refused("a");
  overwrites.arrived("ada", [[1, 1, "hers"]], 6);
  assert.deepEqual(lost, []);
});

test("of a tab that was cut off, the replica tells what was replaced meanwhile", () => {
  const server = new FakeServer();
  const alice = makeClient("alice");
  alice.connect(server);
  alice.replica.submit({ kind: "set_cells", cells: [[1, 1, "mine"]] });
  for (const frame of alice.outbox.splice(0)) server.take(alice, frame); // it is in the log, and the answer is lost
  alice.disconnect();
  server.commit("bob", { kind: "set_cells", cells: [[1, 1, "his"]] });
  alice.connect(server);
  alice.exchange(server);
  assert.deepEqual(alice.overwritten, [{ row: 1, column: 1, text: "mine", author: "bob" }]);
  assert.equal(alice.replica.inputAt(1, 1), "his");
});

test("news are what others change now: no first load, no catch-up, nothing of one's own", () => {
  const server = new FakeServer();
  server.commit("bob", { kind: "set_cells", cells: [[1, 1, "before"]] });
  const alice = makeClient("alice");
  alice.connect(server);
  alice.exchange(server);
  alice.replica.submit({ kind: "set_cells", cells: [[2, 1, "own"]] });
  alice.exchange(server);
  assert.deepEqual(alice.told, []);
  server.commit("bob", { kind: "set_cells", cells: [[3, 1, "now"]] });
  alice.exchange(server);
  assert.deepEqual(alice.told.map(([author]) => author), ["bob"]);
  alice.disconnect();
  server.commit("bob", { kind: "set_cells", cells: [[4, 1, "meanwhile"]] });
  alice.connect(server);
  alice.exchange(server);
  assert.equal(alice.told.length, 1);
});

test("what was done before the page was there is no news, in however many steps it comes", () => {
  const alice = makeClient("alice");
  const change = (after, through, text) => ({ type: "cells.changed", after, through, changes: [["bob", [[1, 1, text]]]] });
  alice.replica.receive({
    type: "sheet.opened", protocol: 1, sheet: { slug: "s", title: "S" }, role: "editor", you: { client_id: "alice", name: "A", color: "#ee4f4f" },
    head: 2, filled: 1, rows: [[0, 10]], columns: [[0, 5]], row_sizes: [], column_sizes: [],
  });
  alice.replica.receive(change(0, 1, "from a snapshot"));
  alice.replica.receive(change(1, 2, "since the snapshot"));
  assert.deepEqual(alice.told, []);
  alice.replica.receive(change(2, 3, "now"));
  assert.equal(alice.told.length, 1);
});
