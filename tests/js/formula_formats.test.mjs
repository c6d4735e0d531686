import assert from "node:assert/strict";
import { test } from "node:test";

import { momentFormatOf } from "../../cells/static/cells/domain/formula_formats.js";
import { shownOf } from "../../cells/static/cells/ui/formats.js";
import { ShownCells } from "../../cells/static/cells/ui/shown_cells.js";
import { FakeServer, makeClient } from "./fake_server.mjs";

/** What formulas look like, on a sheet whose column A has a date, B a time, C both, D a number. */
function lookOf(formula) {
  const looks = ["date", "time", "datetime", null];
  return momentFormatOf(formula, ({ column }) => ({ format: looks[column] ?? null }), new Map());
}

test("functions of dates and times make what they are called", () => {
  for (const name of ["TODAY()", "DATE(2026,1,2)", "EDATE(A1,1)", "EOMONTH(A1,0)", "WORKDAY(A1,5)", 'DATEVALUE("2026-01-02")']) assert.equal(lookOf(`=${name}`), "date", name);
  assert.equal(lookOf("=NOW()"), "datetime");
  assert.equal(lookOf("=TIME(1,2,3)"), "time");
  assert.equal(lookOf('=TIMEVALUE("1:00")'), "time");
  for (const formula of ["=YEAR(TODAY())", "=DATE(1,1,1)*DATE(1,1,1)", "=SUM(A1)", "=TODAY()&\"\"", "=TODAY()>A1", "=A1*2", "=A1:A3", '="TODAY()"']) assert.equal(lookOf(formula), null, formula);
});

test("a sum has the look of what is added, and a difference of dates is a number", () => {
  for (const formula of ["=A1", "=A1+1", "=1+A1", "=A1-D1", "=A1+D1*7", "=TODAY()+30", "=-D1+A1", "=A1-A2+A3", "= A1 + 1"]) assert.equal(lookOf(formula), "date", formula);
  for (const formula of ["=A1-A2", "=A1+A2", "=D1", "=D1+1", "=TODAY()-A1", "=1-A1"]) assert.equal(lookOf(formula), null, formula);
  assert.equal(lookOf("=A1+B1"), "datetime");
  assert.equal(lookOf("=C1+1"), "datetime");
  assert.equal(lookOf("=B1-B2"), "time");
});

function seated(cells) {
  const server = new FakeServer({ rows: 6_000, columns: 4 });
  const client = makeClient("alice");
  client.connect(server);
  client.receive({ type: "cells.changed", after: 0, through: 1, changes: [["bob", cells]] });
  const cellsShown = new ShownCells(client.replica);
  return { client, cellsShown, shown: (row, column) => shownOf(cellsShown.at(row, column))[0] };
}

test("a long chain of days looks like days, whichever of it is looked at first", () => {
  const chain = Array.from({ length: 5_000 }, (_, row) => [row, 0, row === 0 ? "=TODAY()" : `=A${row}+1`, "", 46_353 + row]);
  const { shown } = seated(chain);
  assert.equal(shown(4_999, 0), "Aug 4, 2040");
  assert.equal(shown(0, 0), "Nov 27, 2026");
});

test("what a cell looks like follows what it refers to, and its own format is stronger", () => {
  const { client, cellsShown, shown } = seated([
    [0, 0, "2026-11-27"], [1, 0, "=A1+1", "", 46_354], [2, 0, "=A1+1", { format: "plain" }, 46_354], [3, 0, "=A2-A1", "", 1],
    [0, 1, "46353", { format: "date" }], [1, 1, "=B1", { bold: true }, 46_353], [2, 1, "=B3", "", 1], [3, 1, "=A1", "", "text"],
  ]);
  assert.deepEqual([1, 2, 3].map((row) => shown(row, 0)), ["Nov 28, 2026", "46354", "1"]);
  assert.deepEqual([1, 2, 3].map((row) => shown(row, 1)), ["Nov 27, 2026", "1", "text"]);
  assert.deepEqual(cellsShown.at(1, 1).style, { bold: true, format: "date" });
  client.receive({ type: "cells.changed", after: 1, through: 2, changes: [["bob", [[0, 1, "46353"]]]] });
  cellsShown.changed();
  assert.equal(shown(1, 1), "46353");
});
