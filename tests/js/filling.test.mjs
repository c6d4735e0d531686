import assert from "node:assert/strict";
import { test } from "node:test";

import { Actions } from "../../cells/static/cells/ui/actions.js";
import { Filling, rangeFilled } from "../../cells/static/cells/ui/filling.js";
import { Selection } from "../../cells/static/cells/ui/selection.js";
import { FakeServer, makeClient } from "./fake_server.mjs";

const range = (top, left, bottom, right) => ({ top, left, bottom, right });

/** A sheet with some edits, and a tab that fills. */
function seated(cells, size = { rows: 20, columns: 6 }) {
  const server = new FakeServer(size);
  server.commit("bob", { kind: "set_cells", cells });
  const client = makeClient("alice");
  client.connect(server);
  const { replica } = client;
  const said = [];
  const selection = new Selection(replica.rows, replica.columns, () => {});
  const tell = (sentence) => said.push(sentence);
  const filling = new Filling(replica, selection, new Actions(replica, selection, tell), tell);
  return { server, client, replica, selection, filling, said };
}

test("a drag fills along the axis that it went farther on", () => {
  const from = range(2, 2, 3, 3);
  assert.equal(rangeFilled(from, { row: 2, column: 3 }), null);
  assert.deepEqual(rangeFilled(from, { row: 6, column: 4 }), range(2, 2, 6, 3));
  assert.deepEqual(rangeFilled(from, { row: 4, column: 5 }), range(2, 2, 3, 5));
  assert.deepEqual(rangeFilled(from, { row: 0, column: 2 }), range(0, 2, 3, 3));
  assert.deepEqual(rangeFilled(from, { row: 3, column: 0 }), range(2, 0, 3, 3));
});

test("each column goes on by itself, with its looks, in one step", () => {
  const { replica, filling, selection } = seated([[0, 0, "1", { bold: true }], [1, 0, "3"], [0, 1, "a"], [1, 1, "b"], [3, 0, "old", { italic: true }]]);
  filling.extend(range(0, 0, 1, 1), range(0, 0, 3, 1));
  assert.deepEqual([2, 3].map((row) => [replica.inputAt(row, 0), replica.inputAt(row, 1)]), [["5", "a"], ["7", "b"]]);
  assert.deepEqual(replica.styleAt(2, 0), { bold: true });
  assert.equal(replica.styleAt(3, 0), undefined);
  assert.deepEqual(selection.range, range(0, 0, 3, 1));
  assert.equal(replica.canUndo, true);
});

test("backwards a series goes back", () => {
  const { replica, filling } = seated([[3, 2, "5"], [3, 3, "10"], [4, 2, "Item 4"]]);
  filling.extend(range(3, 2, 3, 3), range(3, 0, 3, 3));
  assert.deepEqual([replica.inputAt(3, 0), replica.inputAt(3, 1)], ["-5", "0"]);
  filling.extend(range(4, 2, 4, 2), range(4, 0, 4, 2));
  assert.deepEqual([replica.inputAt(4, 0), replica.inputAt(4, 1)], ["Item 2", "Item 3"]);
});

test("fill down copies the first row, or the one above; fill right likewise", () => {
  const { replica, filling, selection } = seated([[0, 0, "Item 1"], [0, 1, "2"], [5, 0, "x"]]);
  selection.selectRange(range(0, 0, 2, 1));
  filling.down();
  assert.deepEqual([1, 2].map((row) => [replica.inputAt(row, 0), replica.inputAt(row, 1)]), [["Item 1", "2"], ["Item 1", "2"]]);
  selection.selectRange(range(6, 0, 6, 0));
  filling.down();
  assert.equal(replica.inputAt(6, 0), "x");
  selection.selectRange(range(5, 0, 5, 2));
  filling.right();
  assert.deepEqual([replica.inputAt(5, 1), replica.inputAt(5, 2)], ["x", "x"]);
  selection.selectRange(range(6, 1, 6, 1));
  filling.right();
  assert.equal(replica.inputAt(6, 1), "x");
  selection.selectRange(range(0, 0, 0, 0));
  filling.down();
  filling.right();
  assert.equal(replica.inputAt(0, 0), "Item 1");
});

test("two clicks on the handle fill down beside what the neighbours hold", () => {
  const { replica, filling, selection } = seated([[0, 0, "a"], [1, 0, "b"], [2, 0, "c"], [4, 0, "e"], [0, 1, "2026-01-01"]]);
  selection.selectRange(range(0, 1, 0, 1));
  filling.downBesideNeighbours();
  assert.deepEqual([1, 2, 3].map((row) => replica.inputAt(row, 1)), ["2026-01-02", "2026-01-03", ""]);
});

test("what would fill too much fills nothing, and says so", () => {
  const { replica, filling, said } = seated([[0, 0, "a"]], { rows: 300_000, columns: 2 });
  filling.extend(range(0, 0, 0, 0), range(0, 0, 299_999, 0));
  assert.equal(replica.inputAt(1, 0), "");
  assert.deepEqual(said, ["That would fill 299,999 cells: select fewer."]);
});
