import assert from "node:assert/strict";
import { test } from "node:test";

import { reasonOf } from "../../cells/static/cells/ui/refusals.js";

test("a deletion is said without ids, and by whom", () => {
  const message = "the row with id 3 has been deleted meanwhile";
  assert.equal(reasonOf("deleted", message, false), "Somebody deleted this row or column.");
  assert.equal(reasonOf("deleted", message, true), "The row or column has been deleted.");
});

test("what has no sentence is said in the server's words", () => {
  assert.equal(reasonOf("limit_exceeded", "A sheet has at most 100 rows.", false), "A sheet has at most 100 rows.");
  assert.equal(reasonOf("new_code", "", false), "new_code");
});
