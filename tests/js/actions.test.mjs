import assert from "node:assert/strict";
import { test } from "node:test";

import { Axis } from "../../cells/static/cells/domain/axes.js";
import { CellMap } from "../../cells/static/cells/domain/cells.js";
import { Actions } from "../../cells/static/cells/ui/actions.js";
import { Selection } from "../../cells/static/cells/ui/selection.js";

/** A sheet of ten rows and six columns, a list of what is submitted, and of what is said. */
function sheet(/** @type {[row: number, column: number, input: string][]} */ cells) {
  const rows = Axis.fromRuns([[0, 10]]);
  const columns = Axis.fromRuns([[0, 6]]);
  const held = new CellMap();
  for (const [row, column, input] of cells) held.set(row, column, { input });
  const submitted = [];
  const said = [];
  const model = {
    rows,
    columns,
    cellAt: (row, column) => held.get(row, column),
    inputAt: (row, column) => held.get(row, column)?.input ?? "",
    *filled({ row, column } = {}) {
      for (const [row_id, line] of held.rows()) {
        for (const column_id of line.keys()) {
          if ((row ?? row_id) === row_id && (column ?? column_id) === column_id) yield [row_id, column_id];
        }
      }
    },
    submit: (operation) => {
      submitted.push(operation);
      return String(submitted.length);
    },
  };
  const selection = new Selection(rows, columns, () => {});
  return { selection, submitted, said, actions: new Actions(model, selection, (sentence) => said.push(sentence)) };
}

const widthOf = (cell) => cell.input.length * 10;

test("a column is fitted to its widest content, within bounds", () => {
  const { actions, submitted } = sheet([[0, 1, "short"], [1, 1, "not so short"], [2, 2, "x".repeat(200)], [3, 3, "1"]]);
  for (const column of [1, 2, 3, 4]) actions.fit(column, widthOf);
  assert.deepEqual(submitted.map(({ size }) => size), [120, 800, 32, null]);
});

test("whole columns are fitted one by one, those of one width in one operation", () => {
  const { actions, selection, submitted } = sheet([[0, 0, "outside"], [0, 2, "12345"], [0, 3, "1234567"], [9, 5, "abcde"]]);
  selection.select({ row: 0, column: 1 }, "columns");
  selection.extend({ row: 0, column: 5 });
  actions.fit(2, widthOf);
  assert.deepEqual(submitted, [
    { kind: "resize", columns: [[1, 1], [4, 1]], size: null },
    { kind: "resize", columns: [[2, 1], [5, 1]], size: 50 },
    { kind: "resize", columns: [[3, 1]], size: 70 },
  ]);
});

test("a deletion says what went with it, of empty rows nothing", () => {
  const { actions, selection, said } = sheet([[4, 0, "a"], [4, 5, "b"]]);
  selection.selectRange({ top: 3, left: 2, bottom: 4, right: 2 });
  actions.delete("rows");
  selection.select({ row: 8, column: 0 });
  actions.delete("rows");
  assert.deepEqual(said, ["Deleted 2 rows with 2 filled cells."]);
});

test("a page knows what it deleted itself", () => {
  const { actions, selection } = sheet([]);
  selection.selectRange({ top: 3, left: 2, bottom: 4, right: 2 });
  actions.delete("rows");
  const isOwn = (operation) => actions.hasDeletedFor(operation);
  assert.ok(isOwn({ kind: "set_cells", cells: [[1, 1, "a"], [4, 1, "b"]] }));
  assert.ok(isOwn({ kind: "paste", cell: [3, 0], values: [["a"]] }));
  assert.ok(isOwn({ kind: "insert_rows", before: 3, count: 1 }));
  assert.ok(isOwn({ kind: "resize", rows: [[0, 4]], size: 30 }));
  assert.ok(!isOwn({ kind: "set_cells", cells: [[5, 4, "a"]] }));
  assert.ok(!isOwn({ kind: "insert_columns", before: 3, count: 1 }));
  assert.ok(!isOwn({ kind: "move_rows", rows: [[5, 1]], before: null }));
});
