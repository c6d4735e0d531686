import assert from "node:assert/strict";
import { test } from "node:test";

import { Axis } from "../../cells/static/cells/domain/axes.js";
import { retyped } from "../../cells/static/cells/domain/retyping.js";

test("what is being typed goes on naming the same cells, and else stays as it was typed", () => {
  const before = { rows: Axis.fromRuns([[0, 1000]]), columns: Axis.fromRuns([[0, 26]]) };
  const now = { rows: before.rows.insert(4, 2).delete([[9, 1]]), columns: before.columns }; // above row 5; row 10 is gone
  /** What becomes of a text, and of the caret at |. */
  const after = (given) => {
    const { text, at } = retyped(given.replace("|", ""), before, now);
    const caret = at(given.indexOf("|"));
    return `${text.slice(0, caret)}|${text.slice(caret)}`;
  };
  assert.equal(after("=sum(a1:a4)+|"), "=sum(a1:a4)+|");
  assert.equal(after("=sum(a1:a5)+|a4"), "=sum(A1:A7)+|a4");
  assert.equal(after("=a5+$B$9|+su"), "=A7+$B$11|+su");
  assert.equal(after("=a5+b1|1"), "=A7+B12|");
  assert.equal(after("=a10+|a9000"), "=#REF!+|a9000");
  assert.equal(after("a5|"), "a5|");
});
