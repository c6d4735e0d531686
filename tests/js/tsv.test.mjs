import assert from "node:assert/strict";
import { test } from "node:test";

import { formatTsv, parseTsv } from "../../cells/static/cells/domain/tsv.js";
import { numbersFrom } from "./fake_server.mjs";

for (const [name, text, rows] of [
  ["one cell", "a", [["a"]]],
  ["nothing is one empty cell", "", [[""]]],
  ["the line feed behind the last row is no row", "a\tb\n", [["a", "b"]]],
  ["Windows and old Mac line ends", "a\r\nb\rc", [["a"], ["b"], ["c"]]],
  ["empty cells and rows", "\ta\t\n\n\tb", [["", "a", ""], [""], ["", "b"]]],
  ["rows of different lengths", "a\nb\tc", [["a"], ["b", "c"]]],
  ["tabs, line feeds and quotes inside quotes", "\"a\tb\nc\"\"d\"\te", [["a\tb\nc\"d", "e"]]],
  ["quotes inside a cell are characters", "5\" pipe\tsay \"hi\"", [["5\" pipe", "say \"hi\""]]],
  ["a quote that is never closed is a character", "\"a\tb\nc", [["\"a", "b"], ["c"]]],
  ["a quoted beginning is not a quoted cell", "\"a\" b\tc", [["\"a\" b", "c"]]],
  ["an empty quoted cell", "\"\"\ta", [["", "a"]]],
]) {
  test(`reads ${name}`, () => assert.deepEqual(parseTsv(text), rows));
}

test("what is written is read back, whatever is in the cells", () => {
  const random = numbersFrom(7);
  const pieces = ["a", "\t", "\n", "\"", "\"\"", " ", "é", "=A1", ""];
  for (let round = 0; round < 500; round += 1) {
    const width = 1 + Math.floor(random() * 3);
    const rows = Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
      Array.from({ length: width }, () => Array.from({ length: 3 }, () => pieces[Math.floor(random() * pieces.length)]).join("")),
    );
    // A last row of one empty cell is written as a line feed, and that reads as the end of the row before.
    if (width === 1 && rows.at(-1)[0] === "") rows.at(-1)[0] = "end";
    assert.deepEqual(parseTsv(formatTsv(rows)), rows);
  }
});

test("a million cells are read in a moment", () => {
  const text = Array.from({ length: 50_000 }, () => Array(20).fill("12.5").join("\t")).join("\n");
  const started = performance.now();
  assert.equal(parseTsv(text).length, 50_000);
  assert.ok(performance.now() - started < 3_000);
});
