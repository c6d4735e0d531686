import assert from "node:assert/strict";
import { test } from "node:test";

import { Axis } from "../../cells/static/cells/domain/axes.js";
import { pastedInputs } from "../../cells/static/cells/domain/copies.js";

const one = { height: 1, width: 1 };
const axes = { rows: Axis.fromRuns([[8, 1], [0, 8], [9, 1]]), columns: Axis.fromRuns([[0, 4]]) }; // row 9 was moved to the top

const pasted = (text, to, origin, tile = one) => pastedInputs([[text]], to, tile, origin, axes)[0][0];

test("a formula that was typed elsewhere names what stands there", () => {
  assert.equal(pasted("=a1+$A$2", { row: 3, column: 3 }, { kind: "typed" }), "=A9+$A$1");
});

test("a copy refers to what stands as far away, what was moved stays as it was", () => {
  const to = { row: 3, column: 1 };
  assert.equal(pasted("=A9+$A$9", to, { kind: "copied", at: { row: 1, column: 0 } }), "=B2+$A$9");
  assert.equal(pasted("=A9+$A$9", to, { kind: "moved" }), "=A9+$A$9");
});

test("from another sheet places count, however large that was", () => {
  assert.equal(pasted("=B500+$A$1+XFD1", { row: 0, column: 0 }, { kind: "elsewhere", at: { row: 499, column: 0 } }), "=B9+$A$9+#REF!");
});

test("each repetition is a copy of its own, and texts stay texts", () => {
  const texts = [["=A9", "x"], ["=A1", "="], ["=A9", "x"], ["=A1", "="]];
  const origin = { kind: "copied", at: { row: 0, column: 1 } };
  assert.deepEqual(pastedInputs(texts, { row: 4, column: 1 }, { height: 2, width: 2 }, origin, axes), [["=A4", "x"], ["=A5", "="], ["=A6", "x"], ["=A7", "="]]);
});
