import assert from "node:assert/strict";
import { test } from "node:test";

import { reasonOf, refusalOf } from "../../cells/static/cells/ui/refusals.js";

test("a deletion is said without ids, and by whom", () => {
  const message = "the row with id 3 has been deleted meanwhile";
  assert.equal(reasonOf("deleted", message, false), "Somebody deleted this row or column.");
  assert.equal(reasonOf("deleted", message, true), "The row or column has been deleted.");
});

test("what has no sentence is said in the server's words", () => {
  assert.equal(reasonOf("limit_exceeded", "A sheet has at most 100 rows.", false), "A sheet has at most 100 rows.");
  assert.equal(reasonOf("limit_exceeded", "", false), "That is more than a sheet, or a cell, can hold.");
  assert.equal(reasonOf("new_code", "", false), "new_code");
});

test("a refused edit was not saved, a refused undo or redo was not done", () => {
  const said = (kind, code, message = "") => refusalOf({ code, message, operation: { kind, operation_id: "1" } }, false);
  assert.equal(said("set_cells", "forbidden"), "Not saved: You may not change this sheet.");
  assert.match(said("undo", "nothing_to_undo", "ids and all"), /^There is nothing left to undo: /);
  assert.match(said("redo", "nothing_to_redo", "ids and all"), /^There is nothing left to redo: /);
  assert.equal(said("undo", "forbidden"), "Not undone: Only your own edits can be taken back.");
  assert.equal(said("redo", "limit_exceeded", "Too many rows."), "Not redone: Too many rows.");
  assert.equal(said("restore", "pruned", "It is too long ago."), "Not restored: It is too long ago.");
  assert.equal(said("restore", "outdated", "ids"), "Not restored: The sheet was changed meanwhile. Look at it and restore again.");
  assert.match(said("restore", "limit_exceeded", "numbers"), /^Not restored: This version differs in too many cells .* Select a part/);
});
