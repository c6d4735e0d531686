import assert from "node:assert/strict";
import { test } from "node:test";

import { Axis } from "../../cells/static/cells/domain/axes.js";
import { noteOf, spokenOf } from "../../cells/static/cells/ui/formula_notes.js";

const axes = { rows: Axis.fromRuns([[8, 1], [0, 8]]), columns: Axis.fromRuns([[0, 4]]) };

test("a formula is said to be one, a missing value to be on its way, an error why", () => {
  assert.equal(noteOf({ input: "=A1", value: 1 }).says, "Formula");
  assert.equal(noteOf({ input: "=A1" }).says, "Formula, being calculated");
  const note = noteOf({ input: "=1/0", value: { error: "#DIV/0!" } });
  assert.deepEqual(note, { says: "Formula. It divides by zero, or by an empty cell.", title: "It divides by zero, or by an empty cell." });
  assert.equal(noteOf({ input: "=2/0", value: { error: "#DIV/0!" } }), note);
  assert.equal(noteOf({ input: "=X", value: { error: "#OTHER!" } }).title, "");
  assert.equal(noteOf({ input: "=X", value: { error: "#NAME?", reason: "There is no function X." } }).title, "There is no function X.");
});

test("an input is said as it reads, with what it has come to by now", () => {
  assert.equal(spokenOf("=A9", { input: "=A9", value: 5 }, axes), "=A1, 5");
  assert.equal(spokenOf("=A9", { input: "=A9", value: { error: "#N/A" } }, axes), "=A1, #N/A, What it looks for is not there.");
  assert.equal(spokenOf("=A9", { input: "=A9" }, axes), "=A1");
  assert.equal(spokenOf("=A9", { input: "other" }, axes), "=A1");
  assert.equal(spokenOf("word", { input: "word" }, axes), "word");
});
