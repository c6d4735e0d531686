import assert from "node:assert/strict";
import { test } from "node:test";

import { Announcer } from "../../cells/static/cells/ui/announcer.js";

function begun() {
  const clock = { now: 100_000, timers: [], said: [] };
  const people = { ada: "Ada", bob: "Bob", cem: "Cem", dora: "Dora" };
  const announcer = new Announcer({
    who: (label) => (label === "calculator" ? null : { name: people[label] ?? "a stream", isPerson: label in people }),
    addressOf: (row, column) => (row < 0 ? null : `${String.fromCharCode(65 + column)}${row + 1}`),
    textOf: (row, column, input) => (input === "=A1" ? "=A1, 5" : input),
    polite: (sentence) => clock.said.push([clock.now - 100_000, sentence]),
    setTimeout: (run, ms) => clock.timers.push({ run, at: clock.now + ms }),
    now: () => clock.now,
  });
  const pass = (ms) => {
    const end = clock.now + ms;
    for (let next; (next = clock.timers.find(({ at }) => at <= end)); ) {
      clock.timers.splice(clock.timers.indexOf(next), 1);
      clock.now = next.at;
      next.run();
    }
    clock.now = end;
  };
  return { announcer, clock, pass, sentences: () => clock.said.map(([, sentence]) => sentence) };
}

test("one change is told with its text, an emptied cell as such", () => {
  const { announcer, pass, sentences } = begun();
  announcer.take([["ada", [[1, 1, "5"]]]]);
  pass(10_000);
  announcer.take([["ada", [[1, 1, ""]]]]);
  pass(10_000);
  announcer.take([["ada", [[1, 1, "=A1"]]]]);
  pass(10_000);
  assert.deepEqual(sentences(), ["Ada changed B2 to 5", "Ada emptied B2", "Ada changed B2 to =A1, 5"]);
});

test("many changes are one sentence, a cell that changed twice is one cell", () => {
  const { announcer, pass, sentences } = begun();
  announcer.take([["ada", [[1, 1, "5"], [2, 1, "6"]]], ["stream", [[9, 9, "x"]]]]);
  announcer.take([["ada", [[1, 1, "7"]]]]);
  pass(10_000);
  assert.deepEqual(sentences(), ["3 cells changed by Ada and a stream"]);
});

test("a crowd is named in part", () => {
  const { announcer, pass, sentences } = begun();
  announcer.take(["ada", "bob", "cem", "dora", "stream"].map((label, row) => [label, [[row, 0, "x"]]]));
  pass(1_000);
  assert.deepEqual(sentences(), ["5 cells changed by Ada, Bob, Cem, and 2 others"]);
});

test("there are five seconds between two sentences, and more and more where only a stream goes on", () => {
  const { announcer, clock, pass } = begun();
  for (let ms = 0; ms < 120_000; ms += 500) {
    announcer.take([["stream", [[1, 1, String(ms)]]]]);
    pass(500);
  }
  const moments = clock.said.map(([at]) => at);
  assert.ok(moments.length < 9, String(moments));
  moments.slice(1).forEach((at, place) => assert.ok(at - moments[place] >= 5_000));
  announcer.take([["ada", [[1, 1, "5"]]]]);
  const before = clock.said.length;
  pass(60_000);
  assert.ok(clock.said.length > before);
});

test("nothing is said when it is switched off, of a cell that is gone, or by the calculator", () => {
  const { announcer, pass, sentences } = begun();
  announcer.take([["ada", [[-1, 1, "5"]]], ["calculator", [[1, 1, "5"]]]]);
  pass(10_000);
  announcer.isOn = false;
  announcer.take([["ada", [[1, 1, "5"]]]]);
  pass(10_000);
  assert.deepEqual(sentences(), []);
});
