import assert from "node:assert/strict";
import { test } from "node:test";

import {
  MAX_CELLS_PER_OPERATION,
  MAX_OPERATION_BYTES,
  cleanText,
  isTooLong,
  splitEdits,
  textOf,
} from "../../cells/static/cells/domain/operations.js";

test("as many edits as an operation may have stay together, one more makes two", () => {
  const edits = (count) => Array.from({ length: count }, (_, row) => [row, 0, "1"]);
  assert.equal(splitEdits(edits(MAX_CELLS_PER_OPERATION)).length, 1);
  const split = splitEdits(edits(MAX_CELLS_PER_OPERATION + 1));
  assert.deepEqual(split.map(({ cells }) => cells.length), [MAX_CELLS_PER_OPERATION, 1]);
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
