import assert from "node:assert/strict";
import { test } from "node:test";

import { cleanStyle, mergeStyle, sameStyle } from "../../cells/static/cells/domain/styles.js";

test("a change merges its keys, null takes one away, and nothing left is no style", () => {
  assert.deepEqual(mergeStyle({ bold: true, color: "#ff0000" }, { color: "#00ff00", wrap: true }), { bold: true, color: "#00ff00", wrap: true });
  assert.deepEqual(mergeStyle({ bold: true, wrap: true }, { bold: null }), { wrap: true });
  assert.deepEqual(mergeStyle(undefined, { italic: true }), { italic: true });
  assert.equal(mergeStyle({ bold: true }, { bold: null }), undefined);
  assert.equal(mergeStyle(undefined, { bold: null }), undefined);
  assert.equal(mergeStyle({ bold: true, fill: "#ffffff" }, ""), undefined);
});

test("what is merged stays as it was", () => {
  const style = { bold: true };
  mergeStyle(style, { bold: null, italic: true });
  assert.deepEqual(style, { bold: true });
});

test("keys that are unknown or broken go, the others stay", () => {
  const broken = { bold: false, italic: "yes", color: "red", fill: "#FFFFFF", align: "justify", format: "roman", decimals: 11, currency: "eur", blink: true };
  assert.equal(cleanStyle(broken), undefined);
  assert.deepEqual(cleanStyle({ ...broken, strike: true, decimals: 0, currency: "EUR", format: "currency", align: "center" }), {
    strike: true,
    align: "center",
    format: "currency",
    decimals: 0,
    currency: "EUR",
  });
  for (const nothing of ["", null, undefined, 7, {}, []]) assert.equal(cleanStyle(nothing), undefined);
});

test("equal styles are one object that nobody can change", () => {
  const style = cleanStyle({ bold: true, fill: "#00ff00" });
  assert.equal(cleanStyle({ fill: "#00ff00", bold: true }), style);
  assert.equal(mergeStyle({ fill: "#00ff00" }, { bold: true }), style);
  assert.ok(Object.isFrozen(style));
});

test("styles are the same whatever the order of their keys, and none is none however it is written", () => {
  assert.ok(sameStyle({ bold: true, wrap: true }, { wrap: true, bold: true }));
  assert.ok(sameStyle("", undefined));
  assert.ok(!sameStyle({ bold: true }, ""));
  assert.ok(!sameStyle({ bold: true }, { bold: true, wrap: true }));
});
