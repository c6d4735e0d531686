import assert from "node:assert/strict";
import { test } from "node:test";

import { Axis } from "../../cells/static/cells/domain/axes.js";
import { CellMap } from "../../cells/static/cells/domain/cells.js";
import { lookChangeOf } from "../../cells/static/cells/ui/look_keys.js";
import { Selection } from "../../cells/static/cells/ui/selection.js";
import { Styling } from "../../cells/static/cells/ui/styling.js";

/** A sheet, a list of the steps of undo with what is submitted in each, and of what is said. */
function sheet(/** @type {[row: number, column: number, cell: object][]} */ cells, size = [10, 6]) {
  const rows = Axis.fromRuns([[0, size[0]]]);
  const columns = Axis.fromRuns([[0, size[1]]]);
  const held = new CellMap();
  for (const [row, column, cell] of cells) held.set(row, column, { input: "", ...cell });
  const steps = [];
  const said = [];
  let step = null;
  const matching = function* (wanted, { row, column } = {}) {
    for (const [row_id, line] of held.rows()) {
      for (const [column_id, cell] of line) {
        if ((row ?? row_id) === row_id && (column ?? column_id) === column_id && wanted(cell)) yield [row_id, column_id];
      }
    }
  };
  const model = {
    rows,
    columns,
    mayEdit: true,
    isLoaded: true,
    frozen: { rows: 0, columns: 0 },
    frozenNext: { rows: 1, columns: 2 },
    cellAt: (row, column) => held.get(row, column),
    filled: (only) => matching(({ input }) => input !== "", only),
    styled: (only) => matching(({ style }) => style !== undefined, only),
    submit: (operation) => {
      if (step) step.push(operation);
      else steps.push([operation]);
      return "";
    },
    asOneStep: (run) => {
      if (step) return run();
      step = [];
      const result = run();
      if (step.length > 0) steps.push(step);
      step = null;
      return result;
    },
  };
  const selection = new Selection(rows, columns, () => {});
  const measures = { heightOf: ({ input }) => 25 * input.split(" ").length, rowHeight: (row) => (row === 3 ? 80 : 25) };
  return { model, selection, steps, said, styling: new Styling(model, selection, { tell: (sentence) => said.push(sentence), measures }) };
}

test("a style goes to every selected cell, in one operation", () => {
  const { styling, selection, steps } = sheet([]);
  selection.selectRange({ top: 1, left: 2, bottom: 3, right: 4 });
  styling.toggle("bold");
  assert.deepEqual(steps, [[{ kind: "set_styles", rows: [[1, 3]], columns: [[2, 3]], style: { bold: true } }]]);
});

test("the active cell says what a toggle means for all", () => {
  const { styling, selection, steps } = sheet([[1, 2, { style: { bold: true, align: "left" } }]]);
  selection.selectRange({ top: 1, left: 2, bottom: 3, right: 4 });
  styling.toggle("bold");
  styling.align("right");
  selection.select({ row: 1, column: 2 });
  styling.align("left");
  assert.deepEqual(steps.map(([{ style }]) => style), [{ bold: null }, { align: "right" }, { align: null }]);
});

test("what only takes away stays with the cells that have a style", () => {
  const { styling, selection, steps } = sheet([[1, 1, { style: { bold: true } }], [4, 2, { style: { italic: true } }], [9, 5, { input: "plain" }]]);
  selection.select({ row: 0, column: 0 }, "all");
  styling.apply("");
  assert.deepEqual(steps, [[{ kind: "set_styles", rows: [[1, 4]], columns: [[1, 2]], style: "" }]]);
  selection.selectRange({ top: 6, left: 0, bottom: 9, right: 5 });
  styling.apply("");
  assert.equal(steps.length, 1);
});

test("many cells are several operations and one step of undo", () => {
  const { styling, selection, steps } = sheet([], [5_000, 6]);
  selection.select({ row: 0, column: 0 }, "all");
  styling.toggle("italic");
  assert.equal(steps.length, 1);
  assert.equal(steps[0].length, 4);
  assert.equal(steps[0].reduce((sum, { rows }) => sum + rows[0][1], 0), 5_000);
});

test("of a large sheet only what is in use is formatted, and that is said", () => {
  const { styling, selection, steps, said } = sheet([[7, 1, { input: "a" }], [90, 2, { input: "b" }]], [100_000, 26]);
  selection.select({ row: 0, column: 0 }, "all");
  styling.toggle("bold");
  assert.deepEqual(steps[0], [{ kind: "set_styles", rows: [[7, 84]], columns: [[1, 2]], style: { bold: true } }]);
  assert.equal(said.length, 1);
});

test("too many cells are refused, and that is said", () => {
  const { styling, selection, steps, said } = sheet([], [100_000, 26]);
  selection.selectRange({ top: 0, left: 0, bottom: 99_999, right: 1 });
  styling.toggle("bold");
  selection.select({ row: 0, column: 0 }, "all");
  styling.toggle("bold");
  assert.deepEqual(steps, []);
  assert.match(said[0], /200,000 cells/);
  assert.equal(said.length, 2);
});

test("rows grow with what is wrapped in them, but not those with a height of their own", () => {
  const { styling, selection, steps } = sheet([[1, 0, { input: "one" }], [2, 0, { input: "one two" }], [3, 0, { input: "one two three" }], [4, 1, { input: "one two" }]]);
  selection.selectRange({ top: 0, left: 0, bottom: 9, right: 0 });
  styling.toggle("wrap");
  assert.deepEqual(steps[0].slice(1), [{ kind: "resize", rows: [[2, 1], [4, 1]], size: 50 }]);
});

test("decimals start from what the active cell shows", () => {
  const { styling, selection, steps } = sheet([[0, 0, { input: "1.25" }], [0, 1, { input: "1", style: { decimals: 0 } }]]);
  styling.decimals(1);
  selection.select({ row: 0, column: 1 });
  styling.decimals(-1);
  assert.deepEqual(steps.map(([{ style }]) => style), [{ decimals: 3 }, { decimals: 0 }]);
});

test("what is frozen in the other direction stays frozen", () => {
  const { styling, steps, said } = sheet([]);
  styling.freeze({ rows: 3 });
  styling.freeze({ columns: 0 });
  styling.freeze({ rows: 51 });
  assert.deepEqual(steps, [[{ kind: "freeze", rows: 3, columns: 2 }], [{ kind: "freeze", rows: 1, columns: 0 }]]);
  assert.equal(said.length, 1);
});

test("who may only look changes nothing", () => {
  const { styling, model, steps } = sheet([]);
  model.mayEdit = false;
  styling.toggle("bold");
  styling.freeze({ rows: 3 });
  assert.deepEqual(steps, []);
});

test("keys mean what they mean in Google Sheets", () => {
  const calls = [];
  const styling = new Proxy({}, { get: (_, name) => (...given) => calls.push([name, ...given]) });
  const none = { key: "", code: "", ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };
  for (const event of [
    { key: "b", code: "KeyB", ctrlKey: true },
    { key: "i", code: "KeyI", metaKey: true },
    { key: "%", code: "Digit5", altKey: true, shiftKey: true },
    { key: "X", code: "KeyX", ctrlKey: true, shiftKey: true },
    { key: "\\", code: "Backslash", ctrlKey: true },
    { key: "!", code: "Digit1", ctrlKey: true, shiftKey: true },
    { key: "$", code: "Digit4", ctrlKey: true, shiftKey: true },
    { key: "E", code: "KeyE", ctrlKey: true, shiftKey: true },
  ]) lookChangeOf({ ...none, ...event })?.(styling);
  assert.deepEqual(calls, [
    ["toggle", "bold"], ["toggle", "italic"], ["toggle", "strike"], ["toggle", "strike"], ["apply", ""],
    ["format", "thousands"], ["format", "currency"], ["align", "center"],
  ]);
  for (const event of [{ key: "b" }, { key: "B", ctrlKey: true, shiftKey: true }, { key: "5", code: "Digit5", altKey: true }, { key: "1", code: "Digit1", ctrlKey: true }]) {
    assert.equal(lookChangeOf({ ...none, ...event }), undefined);
  }
});
