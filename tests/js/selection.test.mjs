import assert from "node:assert/strict";
import { test } from "node:test";

import { Axis } from "../../cells/static/cells/domain/axes.js";
import { edgeOfData } from "../../cells/static/cells/ui/movement.js";
import { Selection } from "../../cells/static/cells/ui/selection.js";

const rows = Axis.fromRuns([[0, 10]]);
const columns = Axis.fromRuns([[0, 5]]);
const selection = () => new Selection(rows, columns, () => {});

test("a selection stays with its cells when rows are born, die and move", () => {
  const made = selection();
  made.selectRange({ top: 3, left: 1, bottom: 5, right: 2 });
  made.rebase(rows.insert(0, 2), columns);
  assert.deepEqual(made.range, { top: 5, left: 1, bottom: 7, right: 2 });
  made.rebase(rows, columns.move([[0, 1]], null));
  assert.deepEqual(made.range, { top: 3, left: 0, bottom: 5, right: 1 });
});

test("a selection in deleted rows stays near where they were", () => {
  const made = selection();
  made.select({ row: 9, column: 4 });
  made.rebase(rows.delete([[8, 2]]), columns);
  assert.deepEqual(made.active, { row: 7, column: 4 });
});

test("nothing leads beyond the edges", () => {
  const made = selection();
  made.select({ row: -5, column: 99 });
  assert.deepEqual(made.active, { row: 0, column: 4 });
  made.extend({ row: 99, column: -1 });
  assert.deepEqual(made.range, { top: 0, left: 0, bottom: 9, right: 4 });
});

test("whole rows, columns and everything reach to the ends, also when those move", () => {
  const made = selection();
  made.select({ row: 2, column: 3 }, "rows");
  assert.deepEqual(made.range, { top: 2, left: 0, bottom: 2, right: 4 });
  made.select({ row: 2, column: 3 }, "all");
  made.rebase(rows.insert(null, 5), columns);
  assert.deepEqual(made.range, { top: 0, left: 0, bottom: 14, right: 4 });
});

test("a range beyond the edge is selected as far as it is born", () => {
  const made = selection();
  made.selectRange({ top: 8, left: 3, bottom: 12, right: 6 });
  assert.deepEqual(made.range, { top: 8, left: 3, bottom: 9, right: 4 });
  made.rebase(rows.insert(null, 3), columns);
  made.rebase(rows.insert(null, 3), columns.insert(null, 2));
  assert.deepEqual(made.range, { top: 8, left: 3, bottom: 12, right: 6 });
  made.rebase(rows.insert(0, 1), columns);
  assert.deepEqual(made.active, { row: 9, column: 3 });
});

test("Enter goes back to where a run of Tabs began, unless something else came between", () => {
  const made = selection();
  made.select({ row: 0, column: 1 });
  made.tab(1);
  made.tab(1);
  made.enter(1);
  assert.deepEqual(made.active, { row: 1, column: 1 });
  made.tab(1);
  made.select({ row: 4, column: 4 });
  made.enter(1);
  assert.deepEqual(made.active, { row: 5, column: 4 });
});

for (const [name, position, direction, filled, edge] of [
  ["to the end of a block", 0, 1, [0, 1, 2, 5], 2],
  ["over a gap to the next block", 2, 1, [0, 1, 2, 5, 6], 5],
  ["from an empty cell to the next filled one", 3, 1, [0, 5, 8], 5],
  ["to the end where nothing follows", 5, 1, [0, 5], 9],
  ["back to the start of a block", 6, -1, [4, 5, 6], 4],
  ["back over a gap", 4, -1, [0, 1, 4], 1],
  ["back to the beginning where nothing comes before", 3, -1, [3, 9], 0],
]) {
  test(`Ctrl and an arrow lead ${name}`, () => assert.equal(edgeOfData(position, direction, new Set(filled), 10), edge));
}
