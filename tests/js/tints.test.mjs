import assert from "node:assert/strict";
import { test } from "node:test";

import { STREAM_MS, TINT_MS, Tints } from "../../cells/static/cells/ui/tints.js";

function begun() {
  const clock = { now: 0, timers: [], repaints: 0 };
  const colors = { ada: "#ff8800", stream: "", calculator: null };
  const tints = new Tints({
    now: () => clock.now,
    setTimeout: (run, ms) => clock.timers.push({ run, at: clock.now + ms }),
    changed: () => (clock.repaints += 1),
    colorOf: (author) => colors[author],
  });
  const pass = (ms) => {
    const end = clock.now + ms;
    for (;;) {
      const next = clock.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      clock.timers.splice(clock.timers.indexOf(next), 1);
      clock.now = next.at;
      next.run();
    }
    clock.now = end;
  };
  const mark = (row, column = 1) => tints.row(row)?.get(column);
  return { tints, clock, pass, mark };
}

test("a cell has its author's mark for a moment, a stream's for longer", () => {
  const { tints, pass, mark, clock } = begun();
  tints.take([["ada", [[1, 1, "x"]]], ["stream", [[2, 1, "y"]]], ["calculator", [[3, 1, "z"]]]]);
  assert.match(mark(1), /^[01] #ff8800$/);
  assert.equal(mark(2), "stream");
  assert.equal(mark(3), undefined);
  pass(TINT_MS + 200);
  assert.equal(mark(1), undefined);
  assert.equal(mark(2), "stream");
  pass(STREAM_MS);
  assert.equal(mark(2), undefined);
  assert.equal(clock.timers.length, 0); // nothing ticks while there is nothing to end
});

test("a cell that changes again begins anew", () => {
  const { tints, pass, mark } = begun();
  tints.take([["ada", [[1, 1, "x"]]]]);
  const first = mark(1);
  pass(TINT_MS / 2);
  tints.take([["ada", [[1, 1, "y"]]]]);
  assert.notEqual(mark(1), first);
  pass(TINT_MS - 100);
  assert.ok(mark(1));
});

test("a flood is marked on few cells, with one timer, and does not fade", () => {
  const { tints, clock } = begun();
  for (let second = 0; second < 50; second += 1) {
    tints.take([["stream", Array.from({ length: 1000 }, (_, row) => [second * 1000 + row, 1, "x"])]]);
  }
  let marked = 0;
  for (let row = 0; row < 50_000; row += 1) marked += tints.row(row)?.size ?? 0;
  assert.equal(marked, 300);
  assert.equal(clock.timers.length, 1);
  assert.ok(tints.isLively);
});
