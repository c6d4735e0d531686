import assert from "node:assert/strict";
import { test } from "node:test";

import { Strays } from "../../cells/static/cells/ui/strays.js";

/** @param {import("node:test").TestContext} context */
function begun(context) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const seen = { text: "", isOpen: false };
  const strays = new Strays((isOpen) => (seen.isOpen = isOpen));
  strays.begin("par", (text) => (seen.text = text));
  return { strays, seen, pass: (/** @type {number} */ ms) => context.mock.timers.tick(ms) };
}

test("keys that would edit are kept for the text that lost its cell", (context) => {
  const { strays, seen } = begun(context);
  for (const key of "tial") assert.ok(strays.takesKey({ kind: "type" }, { key }));
  assert.ok(strays.takesKey({ kind: "enter", direction: 1 }, { key: "Enter" }));
  assert.equal(seen.text, "partial");
  assert.ok(strays.takesKey({ kind: "type" }, { key: "x" }));
  assert.ok(strays.takesText(" 🙂"));
  assert.equal(seen.text, "partial\nx 🙂");
});

test("keys that would clear, open or select all do nothing meanwhile", (context) => {
  const { strays, seen } = begun(context);
  assert.ok(strays.takesKey({ kind: "clear" }, { key: "Delete" }));
  assert.ok(strays.takesKey({ kind: "edit" }, { key: "F2" }));
  assert.ok(strays.takesKey({ kind: "all" }, { key: "a" }));
  assert.ok(strays.takesKey({ kind: "row" }, { key: " " }));
  assert.ok(strays.takesKey({ kind: "type" }, { key: "x" }));
  assert.equal(seen.text, "par x");
});

test("an arrow ends it and keeps its meaning", (context) => {
  const { strays, seen } = begun(context);
  const arrow = /** @type {const} */ ({ kind: "move", down: 1, right: 0, isJump: false, isExtending: false });
  assert.ok(!strays.takesKey(arrow, { key: "ArrowDown" }));
  assert.ok(!seen.isOpen);
  assert.ok(!strays.takesKey({ kind: "type" }, { key: "x" }));
  assert.equal(seen.text, "");
});

test("a pause ends it, typing on does not", (context) => {
  const { strays, seen, pass } = begun(context);
  for (const key of "tial") {
    pass(1_000);
    assert.ok(strays.takesKey({ kind: "type" }, { key }));
  }
  pass(1_200);
  assert.ok(!seen.isOpen);
  assert.ok(!strays.takesKey({ kind: "type" }, { key: "x" }));
});
