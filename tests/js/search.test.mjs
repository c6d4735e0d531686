import assert from "node:assert/strict";
import { test } from "node:test";

import { textOf } from "../../cells/static/cells/domain/literals.js";
import { nextMatch, replacedIn, searchFor } from "../../cells/static/cells/domain/search.js";

const plain = { isCase: false, isWhole: false, isExpression: false };
const search = (text, options = {}) => searchFor({ ...plain, text, ...options });

test("a text is found as it is written, whatever characters it has", () => {
  assert.ok(search("a.c").test("xA.Cx"));
  assert.ok(!search("a.c").test("abc"));
  for (const text of ["(", "[a", "a-b", "$1", "\\", "^", "|", "{2}", "/"]) assert.ok(search(text).test(`x${text}y`), text);
  assert.equal(search(""), null);
});

test("case and whole cells count where they are asked for", () => {
  assert.ok(!search("a", { isCase: true }).test("A"));
  assert.ok(search("a", { isWhole: true }).test("A"));
  assert.ok(!search("a", { isWhole: true }).test("aa"));
  assert.ok(!search("a|b", { isWhole: true, isExpression: true }).test("ab"));
});

test("an expression is one, and what is none is refused", () => {
  assert.ok(search("^\\d+$", { isExpression: true }).test("12"));
  assert.ok(search("^b", { isExpression: true }).test("a\nb"));
  assert.throws(() => search("(", { isExpression: true }), { code: "malformed" });
});

test("all of a cell is replaced, and a dollar is a dollar", () => {
  assert.equal(search("a").replace("aAb", "$&x"), "$&x$&xb");
  assert.equal(search("(\\w+) (\\w+)", { isExpression: true }).replace("one two", "$2 $1"), "two one");
  assert.equal(search("one", { isWhole: true }).replace("one", "2"), "2");
  assert.equal(search("one", { isWhole: true }).replace("one two", "2"), "one two");
});

test("what a cell says is replaced, and an apostrophe that comes to stand in front is kept", () => {
  for (const [typed, text, by, input, said = input] of [
    ["x'abc", "x", "", "''abc", "'abc"],
    ["abc", "a", "'", "''bc", "'bc"],
    ["'007", "7", "8", "'008", "008"], // a text stays one
    ["''abc", "'", "", "'abc", "abc"], // the second alone is seen
    ["''abc", "a", "b", "''bbc", "'bbc"],
    ["'x", "x", "", ""],
    ["x'", "x", "y", "y'"],
    ["x12", "x", "", "12"],
    ["x=A1", "x", "", "=A1"],
    ["=A1&\"'\"", "A", "B", "=B1&\"'\""],
  ]) {
    const replaced = replacedIn(typed, search(text), by);
    assert.equal(replaced, input, typed);
    assert.equal(textOf(replaced), said, typed);
  }
});

test("a formula is replaced in as it was typed: \"'=\" for \"=\" shows it", () => {
  assert.equal(replacedIn("=A1", search("="), "'="), "'=A1");
});

test("a search that is asked twice answers the same", () => {
  const found = search("a");
  assert.deepEqual([1, 2, 3].map(() => found.test("a")), [true, true, true]);
});

test("matches go round in both directions", () => {
  const matches = [[1, 1], [1, 4], [3, 0]].map(([row, column]) => ({ row, column }));
  const at = (row, column, direction, isHere = false) => nextMatch(matches, { row, column }, direction, isHere);
  assert.deepEqual([at(0, 0, 1), at(1, 1, 1), at(1, 1, 1, true), at(2, 9, 1), at(3, 0, 1)], [0, 1, 0, 2, 0]);
  assert.deepEqual([at(0, 0, -1), at(1, 4, -1), at(9, 9, -1)], [2, 0, 2]);
  assert.equal(nextMatch([], { row: 0, column: 0 }, 1, true), null);
});
