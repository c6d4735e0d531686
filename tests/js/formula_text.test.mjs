import assert from "node:assert/strict";
import { test } from "node:test";

import { closed, contextAt, cycled } from "../../cells/static/cells/domain/formula_text.js";

/** The context where | stands in a text. */
const at = (text) => contextAt(text.replace("|", ""), text.indexOf("|"));

test("a word is what is typed up to the caret, where a function may stand", () => {
  assert.deepEqual(at("=su|").word, { from: 1, to: 3, text: "su" });
  assert.deepEqual(at("=1+if(A1,av|").word, { from: 9, to: 11, text: "av" });
  assert.deepEqual(at("=STDEV.|").word, { from: 1, to: 7, text: "STDEV." });
  for (const text of ["=|", "=SUM(|", "=s|um", '="su|', "='My da|", "=$A|", "su|", "=1|", "|=su", "=SUM |"]) assert.equal(at(text).word, null, text);
});

test("the call is the innermost one around the caret, with the argument that it is at", () => {
  assert.deepEqual(at("=SUM(|").call, { name: "SUM", argument: 0 });
  assert.deepEqual(at("=if(sum(1,2),|").call, { name: "IF", argument: 1 });
  assert.deepEqual(at('=IF(A1="a,b(",MAX(1,2,|').call, { name: "MAX", argument: 2 });
  assert.deepEqual(at("=SUM((1+|").call, { name: "SUM", argument: 0 });
  assert.deepEqual(at("=SUM({1,2|").call, { name: "SUM", argument: 0 });
  assert.deepEqual(at("=SUM(1|,2)").call, { name: "SUM", argument: 0 });
  for (const text of ["=1+|", "=SUM(1)|", "=(1+|"]) assert.equal(at(text).call, null, text);
});

test("a reference may come behind an operator, and nowhere else", () => {
  for (const text of ["=|", "=SUM(|", "=SUM(A1,|", "=1+ |", "=A1&|", "=A1<|", "=-|", "=SUM(|)", "=(|"]) assert.equal(at(text).takesReference, true, text);
  for (const text of ["=A1|", "=SUM|(", "=1|", '="a+|', "=SUM(1)|", "=|A1", "=5%|", "x|", "= A|"]) assert.equal(at(text).takesReference, false, text);
});

test("what is left open is closed, and nothing else", () => {
  assert.equal(closed("=SUM(A1:A3"), "=SUM(A1:A3)");
  assert.equal(closed("=IF(A1,(1+2"), "=IF(A1,(1+2))");
  assert.equal(closed('="a'), '="a"');
  assert.equal(closed('=LEN("a""b'), '=LEN("a""b")');
  for (const text of ["=SUM(A1)", '=")"', '="a""b"', '=""', "=)", "SUM(", "='a("]) assert.equal(closed(text), text);
  assert.equal(closed(`=${"(".repeat(65)}`), `=${"(".repeat(65)}`);
});

test("F4 holds the column and the row, the row, the column, and none again", () => {
  /** What four presses make of the reference at |. */
  const pressed = (given) => {
    const seen = [];
    let text = given.replace("|", "");
    const caret = given.indexOf("|");
    for (let press = 0; press < 4; press += 1) {
      const { from, to, written } = cycled(text, caret, caret);
      text = text.slice(0, from) + written + text.slice(to);
      seen.push(text);
    }
    return seen;
  };
  assert.deepEqual(pressed("=A1|"), ["=$A$1", "=A$1", "=$A1", "=A1"]);
  assert.deepEqual(pressed("=1+a|1:B2*C3"), ["=1+$A$1:$B$2*C3", "=1+A$1:B$2*C3", "=1+$A1:$B2*C3", "=1+A1:B2*C3"]);
  assert.deepEqual(pressed("=B|:B"), ["=$B:$B", "=B:B", "=$B:$B", "=B:B"]);
  assert.deepEqual(cycled("=A1+B2", 1, 6), { from: 1, to: 6, written: "$A$1+$B$2" });
  assert.equal(cycled("=1+2", 4, 4), null);
});
