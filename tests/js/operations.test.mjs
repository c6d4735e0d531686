import assert from "node:assert/strict";
import { test } from "node:test";

import {
  MAX_CELLS_PER_OPERATION,
  MAX_OPERATION_BYTES,
  cleanText,
  isTooLong,
  splitEdits,
  splitStyles,
  textOf,
} from "../../cells/static/cells/domain/operations.js";

test("as many edits as an operation may have stay together, one more makes two", () => {
  const edits = (count) => Array.from({ length: count }, (_, row) => [row, 0, "1"]);
  assert.equal(splitEdits(edits(MAX_CELLS_PER_OPERATION)).length, 1);
  const split = splitEdits(edits(MAX_CELLS_PER_OPERATION + 1));
  assert.deepEqual(split.map(({ cells }) => cells.length), [MAX_CELLS_PER_OPERATION, 1]);
});

test("ten thousand pasted cells of a usual length are one operation", () => {
  const edits = Array.from({ length: 10_000 }, (_, place) => [900 + (place >> 4), place & 15, `${(place * 13.37).toFixed(2)}`]);
  assert.equal(splitEdits(edits).length, 1);
});

test("bytes are counted as JSON has them, styles among them", () => {
  const inputs = ["", "plain", 'say "so" \\', "\n\t\u0001\u007f", "é表", "🧮", "\ud83e", "\udded🧮\ud83e"];
  const edits = inputs.flatMap((input, row) => [[row, 7, input], [row, 8, input, ""], [row, 9, input, { bold: true, color: "#00ff00" }]]);
  const bytes = (some) => Buffer.byteLength(some.map((edit) => `${JSON.stringify(edit)},`).join(""));
  const filler = (size) => [99, 9, "x".repeat(size - bytes([[99, 9, ""]]))];
  const rest = MAX_OPERATION_BYTES - bytes(edits);
  assert.equal(splitEdits([...edits, filler(rest)]).length, 1);
  assert.equal(splitEdits([...edits, filler(rest + 1)]).length, 2);
});

test("a style that is not there does not travel as null", () => {
  assert.equal(JSON.stringify(splitEdits([[1, 2, "a", undefined], [1, 3, "b", ""]])[0].cells), '[[1,2,"a"],[1,3,"b",""]]');
});

test("one style over many cells is as few operations as may be, and each cell is in one of them", () => {
  assert.deepEqual(splitStyles([[5, 3], [20, 1]], [[0, 2]], { bold: true }), [
    { kind: "set_styles", rows: [[5, 3], [20, 1]], columns: [[0, 2]], style: { bold: true } },
  ]);
  const count = (runs) => runs.reduce((sum, [, many]) => sum + many, 0);
  for (const [rows, columns, most] of [
    [[[0, 10_000]], [[3, 1]], 1],
    [[[0, 10_001]], [[3, 1]], 2],
    [[[7, 900], [0, 5]], [[0, 20], [40, 6]], 3],
    [[[0, 3]], [[0, 16_384]], 6],
  ]) {
    const split = splitStyles(rows, columns, "");
    assert.equal(split.length, most);
    assert.equal(split.reduce((sum, part) => sum + count(part.rows) * count(part.columns), 0), count(rows) * count(columns));
    assert.ok(split.every((part) => count(part.rows) * count(part.columns) <= MAX_CELLS_PER_OPERATION));
  }
  assert.deepEqual(splitStyles([], [[0, 1]], ""), []);
});

for (const [name, character] of [["plain", "x"], ["quoted", "\""], ["control", "\u0001"], ["accented", "é"], ["Chinese", "表"], ["emoji", "🧮"]]) {
  test(`no operation's JSON is larger than a frame may be: ${name} text`, () => {
    const edits = Array.from({ length: 400 }, (_, row) => [4_000_000_000 + row, 3_000_000, character.repeat(2_000)]);
    const split = splitEdits(edits);
    assert.deepEqual(split.flatMap(({ cells }) => cells), edits);
    for (const operation of split) {
      assert.ok(Buffer.byteLength(JSON.stringify(operation)) < MAX_OPERATION_BYTES + 100);
    }
  });
}

test("what no cell may hold goes: NUL and half a surrogate pair", () => {
  assert.equal(cleanText("a\u0000b"), "ab");
  assert.equal(cleanText("\ud83e"), "\ufffd");
  assert.equal(cleanText("\udded🧮\ud83e"), "\ufffd🧮\ufffd");
  assert.equal(cleanText("🧮 é 表"), "🧮 é 表");
});

test("length counts characters, not UTF-16 units", () => {
  assert.equal(isTooLong("🧮".repeat(32_767)), false);
  assert.equal(isTooLong("🧮".repeat(32_768)), true);
});

test("the text of an operation is what a person typed, a row a line", () => {
  const cells = [[1, 1, "a"], [1, 2, "b"], [2, 1, "c"]];
  assert.equal(textOf({ kind: "set_cells", cells }), "a\tb\nc");
  assert.equal(textOf({ kind: "insert_rows", before: null, count: 1 }), "");
});
