import assert from "node:assert/strict";
import { test } from "node:test";

import { Axis } from "../../cells/static/cells/domain/axes.js";
import { Protections } from "../../cells/static/cells/ui/protections.js";

const B2_TO_C5 = { id: 1, rows: [1, 4], columns: [1, 2], description: "Limits", may_edit: false };
const cell = (row, column) => ({ top: row, left: column, bottom: row, right: column });

function protect(...protections) {
  const axes = { rows: Axis.fromRuns([[0, 20]]), columns: Axis.fromRuns([[0, 10]]) };
  const made = new Protections(axes);
  made.take({ protections, ask: "Alice" });
  return { axes, made };
}

test("a range that meets a protected one is refused, with what it is and whom to ask", () => {
  const { made } = protect(B2_TO_C5);
  assert.equal(made.refusalIn(cell(1, 1)), "This is protected (Limits). Ask Alice to let you edit it.");
  assert.notEqual(made.refusalIn({ top: 0, left: 0, bottom: 1, right: 1 }), "");
  assert.equal(made.refusalIn(cell(0, 1)), "");
  assert.equal(made.refusalIn(cell(1, 3)), "");
});

test("what one may edit is neither marked nor refused", () => {
  const { made } = protect({ ...B2_TO_C5, may_edit: true });
  assert.equal(made.refusalIn(cell(1, 1)), "");
  assert.equal(made.row(1, undefined), undefined);
});

test("a protected range goes along with its rows", () => {
  const { axes, made } = protect(B2_TO_C5);
  assert.notEqual(made.refusalIn(cell(1, 1)), "");
  axes.rows = axes.rows.insert(0, 3);
  assert.equal(made.refusalIn(cell(1, 1)), "");
  assert.notEqual(made.refusalIn(cell(4, 1)), "");
  axes.rows = axes.rows.delete([[1, 4]]);
  assert.equal(made.refusalIn({ top: 0, left: 0, bottom: 18, right: 9 }), "");
});

test("whole columns hold new rows, too", () => {
  const { made } = protect({ ...B2_TO_C5, rows: null });
  assert.notEqual(made.refusalIn(cell(500_000, 2)), "");
  assert.equal(made.refusalIn(cell(0, 0)), "");
});

test("a cell has one mark for all that is to be said of it, the same object each time", () => {
  const { made } = protect(B2_TO_C5);
  const stream = { kind: "stream", says: "From a stream" };
  const marks = made.row(2, new Map([[1, stream], [0, stream]]));
  assert.deepEqual(marks.get(1), { kind: "stream protected", says: "Protected: Limits. From a stream" });
  assert.equal(marks.get(1), made.row(2, new Map([[1, stream]])).get(1));
  assert.equal(marks.get(0), stream);
  assert.equal(marks.get(2).kind, "protected");
  made.take();
  assert.equal(made.row(2, undefined), undefined);
});
