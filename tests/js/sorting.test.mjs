import assert from "node:assert/strict";
import { test } from "node:test";

import { sortedOrder } from "../../cells/static/cells/domain/sorting.js";
import { Actions } from "../../cells/static/cells/ui/actions.js";
import { regionAround } from "../../cells/static/cells/ui/movement.js";
import { Selection } from "../../cells/static/cells/ui/selection.js";
import { sortRange } from "../../cells/static/cells/ui/sorting.js";
import { FakeServer, makeClient } from "./fake_server.mjs";

const { compare } = new Intl.Collator("en", { numeric: true });
const sorted = (keys, direction = 1) => sortedOrder(keys, direction, compare).map((place) => keys[place]);

function seated(cells, { rows } = { rows: 20 }) {
  const server = new FakeServer({ rows, columns: 6 });
  server.commit("bob", { kind: "set_cells", cells });
  const client = makeClient("alice");
  client.connect(server);
  const { replica } = client;
  const selection = new Selection(replica.rows, replica.columns, () => {});
  const actions = new Actions(replica, selection, assert.fail);
  return { server, client, replica, selection, sort: (direction) => sortRange(replica, selection, actions, direction, assert.fail) };
}

test("numbers stand before texts, those before TRUE; empty ones last either way", () => {
  const keys = ["b", null, 10, true, "Item 10", 9, "Item 2", false];
  assert.deepEqual(sorted(keys), [9, 10, "b", "Item 2", "Item 10", false, true, null]);
  assert.deepEqual(sorted(keys, -1), [true, false, "Item 10", "Item 2", "b", 10, 9, null]);
});

test("what is equal stays as it was, in both directions", () => {
  assert.deepEqual(sortedOrder([1, 0, 1, 0], 1, compare), [1, 3, 0, 2]);
  assert.deepEqual(sortedOrder([1, 0, 1, 0], -1, compare), [0, 2, 1, 3]);
});

test("rows keep together, looks go along, and it is one operation", () => {
  const { server, client, replica, selection, sort } = seated([[0, 0, "3", { bold: true }], [0, 1, "three"], [1, 0, "1"], [1, 1, "one"], [2, 0, "2"]]);
  selection.selectRange({ top: 0, left: 0, bottom: 2, right: 1 });
  sort(1);
  assert.deepEqual([0, 1, 2].map((row) => [replica.inputAt(row, 0), replica.inputAt(row, 1)]), [["1", "one"], ["2", ""], ["3", "three"]]);
  assert.deepEqual([0, 1, 2].map((row) => replica.styleAt(row, 0)), [undefined, undefined, { bold: true }]);
  client.exchange(server);
  assert.equal(server.head, 2);
  assert.deepEqual(server.log[1].operation, { kind: "reorder_cells", rows: [[0, 3]], columns: [[0, 2]], order: [1, 2, 0] });
  assert.deepEqual(server.filled(), ["0,0,1", "0,1,one", "1,0,2", "2,0,3", "2,1,three"]);
  assert.deepEqual([replica.unsaved, client.journal.size], [0, 0]);
  replica.undo();
  client.exchange(server);
  assert.deepEqual([0, 1, 2].map((row) => [replica.inputAt(row, 0), replica.inputAt(row, 1)]), [["3", "three"], ["1", "one"], ["2", ""]]);
});

test("however large, a sort is one operation, and what is typed meanwhile goes along with its row", () => {
  const cells = Array.from({ length: 3_000 }, (_, row) => [row, 0, String(3_000 - row)]);
  const { server, client, replica, selection, sort } = seated(cells, { rows: 3_000 });
  selection.selectRange({ top: 0, left: 0, bottom: 2_999, right: 3 });
  sort(1);
  assert.deepEqual([replica.inputAt(0, 0), replica.inputAt(2_999, 0)], ["1", "3000"]);
  server.commit("bob", { kind: "set_cells", cells: [[2_999, 0, "1, and more"]] });
  client.exchange(server);
  assert.equal(server.head, 3);
  assert.deepEqual([replica.inputAt(0, 0), replica.inputAt(2_999, 0)], ["1, and more", "3000"]);
});

test("a sort waits for edits in its range, also in cells that it leaves alone", () => {
  const { server, client, replica, selection, sort } = seated([[0, 0, "2"], [1, 0, "1"]]);
  server.unavailable = 1;
  replica.submit({ kind: "set_cells", cells: [[2, 1, "x"]] });
  selection.selectRange({ top: 0, left: 0, bottom: 2, right: 1 });
  sort(1);
  client.exchange(server);
  assert.equal(server.head, 1);
  client.now += 5_000;
  replica.tick();
  client.exchange(server);
  assert.deepEqual(server.log.slice(1).map(({ operation }) => operation.kind), ["set_cells", "reorder_cells"]);
});

test("what is sorted already is left as it is", () => {
  const { server, client, selection, sort } = seated([[0, 0, "1"], [1, 0, "1"], [2, 0, "2"]]);
  selection.selectRange({ top: 0, left: 0, bottom: 2, right: 1 });
  sort(1);
  client.exchange(server);
  assert.equal(server.head, 1);
});

test("more rows, or cells, than an operation may have are not sorted, and that is told", () => {
  for (const [rows, right, said] of [[40_001, 0, "40,000 rows"], [40_000, 5, "200,000 cells"]]) {
    const told = [];
    const { server, replica, selection } = seated([[0, 0, "2"], [rows - 1, right, "1"]], { rows });
    selection.selectRange({ top: 0, left: 0, bottom: rows - 1, right });
    sortRange(replica, selection, null, 1, (sentence) => told.push(sentence));
    assert.match(told.join(), new RegExp(said));
    assert.equal(server.head, 1);
  }
});

test("of a cell alone the data around it is sorted, by the cell's column", () => {
  const { replica, selection, sort } = seated([[0, 0, "a"], [0, 1, "2026-01-02"], [1, 0, "b"], [1, 1, "2025-12-31"], [4, 0, "other"]]);
  selection.select({ row: 0, column: 1 });
  sort(1);
  assert.deepEqual([replica.inputAt(0, 0), replica.inputAt(1, 0), replica.inputAt(4, 0)], ["b", "a", "other"]);
  assert.deepEqual(selection.range, { top: 0, left: 0, bottom: 1, right: 1 });
});

test("the data around a place ends where no filled cell is beside it", () => {
  const { replica } = seated([[1, 1, "a"], [2, 2, "b"], [3, 1, "c"], [3, 4, "d"], [6, 0, "e"]]);
  assert.deepEqual(regionAround(replica, { row: 1, column: 1 }), { top: 1, left: 1, bottom: 3, right: 2 });
  assert.deepEqual(regionAround(replica, { row: 9, column: 4 }), { top: 9, left: 4, bottom: 9, right: 4 });
});
