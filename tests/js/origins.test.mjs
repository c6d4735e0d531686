import assert from "node:assert/strict";
import { test } from "node:test";

import { Origins } from "../../cells/static/cells/ui/origins.js";
import { spansOf } from "../../cells/static/cells/ui/streams.js";

const VIEW = { rows: [0, 1, 2], first: 0, last: 9 };

/** Origins that know of a view what the server said. */
function known(owned = []) {
  const origins = new Origins();
  assert.notEqual(origins.ask(VIEW), null);
  origins.answered(owned);
  return origins;
}

const saysOf = (origins, row, column) => origins.row(row)?.get(column)?.says;

test("rows are asked about once, with columns in blocks", () => {
  const origins = new Origins();
  assert.deepEqual(origins.ask({ rows: [5, 6], first: 3, last: 33 }), { rows: [5, 6], first: 0, last: 63 });
  assert.equal(origins.ask({ rows: [7], first: 3, last: 33 }), null, "one question at a time");
  origins.answered([]);
  assert.equal(origins.ask({ rows: [5, 6], first: 0, last: 63 }), null);
  assert.deepEqual(origins.ask({ rows: [5, 6, 7], first: 0, last: 9 }), { rows: [7], first: 0, last: 31 });
  origins.answered([]);
  assert.deepEqual(origins.ask({ rows: [5, 7], first: 60, last: 70 }), { rows: [5, 7], first: 32, last: 95 });
  origins.answered([]);
  assert.equal(origins.ask({ rows: [5], first: 0, last: 95 }), null, "what is side by side is known together");
});

test("a question has as many rows as the server answers, and the others come next", () => {
  const origins = new Origins();
  const rows = Array.from({ length: 250 }, (_, row) => row);
  assert.equal(origins.ask({ rows, first: 0, last: 5 })?.rows.length, 200);
  origins.answered([]);
  assert.deepEqual(origins.ask({ rows, first: 0, last: 5 })?.rows, rows.slice(200));
});

test("what was not answered is asked again, and so is everything after a gap in the line", () => {
  const origins = new Origins();
  assert.deepEqual(origins.ask(VIEW)?.rows, [0, 1, 2]);
  origins.answered(null);
  assert.deepEqual(origins.ask(VIEW)?.rows, [0, 1, 2]);
  origins.answered([[1, 1, "Ticks"]]);
  origins.forget();
  assert.equal(saysOf(origins, 1, 1), "From Ticks", "it is shown until it is known better");
  origins.ask(VIEW);
  origins.answered([]);
  assert.equal(saysOf(origins, 1, 1), undefined);
});

test("a cell is a stream's from its change on, and a person's from theirs", () => {
  const origins = known([[0, 0, "Ticks"], [0, 1, "Ticks"]]);
  assert.equal(origins.row(0)?.get(0), origins.row(0)?.get(1), "alike cells are painted alike");
  origins.take([["stream", [[0, 0, "2"], [1, 1, "3"]]], ["some-client", [[0, 1, "mine"]]]]);
  assert.equal(saysOf(origins, 0, 0), "From Ticks");
  assert.equal(saysOf(origins, 1, 1), "From a stream", "a change names no stream");
  assert.equal(origins.row(0)?.get(1), undefined);
  for (const author of ["api", "calculator"]) {
    origins.take([["stream", [[1, 1, "3"]]], [author, [[1, 1, "4"]]]]);
    assert.equal(origins.row(1), undefined);
  }
});

test("what a stream has changed since is asked for again by name", () => {
  const origins = known([[0, 0, "Ticks"]]);
  assert.equal(origins.doubts(0, 0), false);
  origins.take([["stream", [[0, 0, "2"]]]]);
  assert.equal(origins.doubts(0, 0), true);
  origins.take([["stream", [[0, 0, "3"]]]]);
  assert.equal(saysOf(origins, 0, 0), "From Ticks", "meanwhile it keeps its mark");
  assert.deepEqual(origins.ask(VIEW)?.rows, [0]);
  origins.answered([[0, 0, "orders"]]);
  assert.equal(saysOf(origins, 0, 0), "From orders");
  assert.equal(origins.doubts(0, 0), false);
});

test("what changes while a question is on its way counts more than the answer", () => {
  const origins = new Origins();
  origins.ask(VIEW);
  origins.take([["some-client", [[0, 0, "mine"]]], ["stream", [[0, 1, "5"]]]]);
  origins.answered([[0, 0, "Ticks"]]);
  assert.equal(saysOf(origins, 0, 0), undefined);
  assert.equal(saysOf(origins, 0, 1), "From a stream");
});

test("rows that nobody has looked at take no room", () => {
  const origins = known();
  origins.take([["stream", Array.from({ length: 1_000 }, (_, row) => [row + 10, 1, "x"])]]);
  for (let row = 10; row < 1_010; row += 1) assert.equal(origins.row(row), undefined);
});

test("a cell whose author is not told is asked about again", () => {
  const origins = known([[0, 0, "Ticks"]]);
  origins.take([[null, [[0, 0, "?"]]]]);
  assert.equal(origins.row(0), undefined);
  assert.deepEqual(origins.ask(VIEW)?.rows, [0]);
});

test("a proposal is open until somebody writes the cell or the server takes it back", () => {
  const origins = known();
  origins.propose([[0, 0, "1.09", "Ticks"], [1, 0, "", "Ticks"]]);
  assert.equal(saysOf(origins, 0, 0), "Ticks proposes “1.09”");
  assert.equal(saysOf(origins, 1, 0), "Ticks proposes to empty the cell");
  const shown = origins.proposalFor(0, 0);
  origins.propose([[0, 0, "1.09", "Ticks"], [1, 0, "", "Ticks"]]);
  assert.equal(origins.proposalFor(0, 0), shown, "the same is not offered anew");
  origins.take([["some-client", [[0, 0, "1.10"]]]]);
  assert.equal(origins.proposalFor(0, 0), null);
  origins.propose([]);
  assert.equal(origins.row(1), undefined);
});

test("what was answered here is not offered again before the server has heard of it", () => {
  const origins = known();
  const told = [[0, 0, "1.09", "Ticks"]];
  origins.propose(told);
  const proposal = origins.proposalFor(0, 0);
  origins.settle(proposal);
  origins.propose(told);
  assert.equal(origins.proposalFor(0, 0), null);
  origins.propose([[0, 0, "1.10", "Ticks"]]);
  assert.equal(origins.proposalFor(0, 0)?.input, "1.10", "another text is another proposal");
  origins.propose(told);
  assert.equal(origins.proposalFor(0, 0)?.input, "1.09");
  origins.settle(origins.proposalFor(0, 0));
  origins.reopen(proposal);
  assert.equal(origins.proposalFor(0, 0), proposal);
});

test("ids travel as spans", () => {
  assert.deepEqual(spansOf([3, 1, 2, 9, 11, 10, 20]), ["1-3", "9-11", "20-20"]);
  assert.deepEqual(spansOf([]), []);
});

test("a proposed formula is said as it reads", () => {
  const origins = new Origins((input) => input.replace("A9", "A1"));
  origins.propose([[0, 0, "=A9+1", "Ticks"]]);
  assert.equal(origins.row(0).get(0).says, "Ticks proposes “=A1+1”");
  assert.equal(origins.proposalFor(0, 0).input, "=A9+1");
});
