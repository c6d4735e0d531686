import assert from "node:assert/strict";
import { test } from "node:test";

import { argumentAt, functionNamed, functionsBeginning } from "../../cells/static/cells/ui/formula_functions.js";

const names = (start) => functionsBeginning(start).map(({ name }) => name);

test("what begins so is offered, the whole name first, then what is meant most often", () => {
  assert.deepEqual(names("su"), ["SUM", "SUMIF", "SUMIFS", "SUBSTITUTE", "SUBTOTAL", "SUMPRODUCT", "SUMSQ"]);
  assert.deepEqual(names("STDEV.").concat(names("zz")), ["STDEV.P", "STDEV.S"]);
  assert.equal(names("n")[0], "N");
  assert.ok(names("").length > 150);
});

test("each has a sentence, and arguments that can be told apart from those that may be left out", () => {
  for (const { name, arguments: given, isOptional, says } of functionsBeginning("")) {
    assert.match(says, /^[A-Z].*\.$/, name);
    assert.equal(given.length, isOptional.length, name);
    assert.ok(isOptional.every((one, place) => one || !isOptional[place - 1]), `${name}: what is needed stands in front`);
  }
  assert.deepEqual(functionNamed("vlookup")?.isOptional, [false, false, false, true]);
  assert.equal(functionNamed("NOTHING"), undefined);
});

test("arguments are found by their place, repeated ones again and again", () => {
  const at = (name, places) => places.map((place) => argumentAt(functionNamed(name), place));
  assert.deepEqual(at("SUM", [0, 1, 7]), [0, 0, 0]);
  assert.deepEqual(at("SUMIFS", [0, 1, 2, 3, 4, 5]), [0, 1, 2, 1, 2, 1]);
  assert.deepEqual(at("IF", [0, 2, 3]), [0, 2, -1]);
  assert.deepEqual(at("TODAY", [0]), [-1]);
});
