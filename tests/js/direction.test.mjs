import assert from "node:assert/strict";
import { test } from "node:test";

import { isRightToLeft } from "../../cells/static/cells/domain/direction.js";

for (const [text, expected] of [
  ["", false],
  ["plain", false],
  ["12.50", false],
  ["שלום", true],
  ["مرحبا 12", true],
  ["12 مرحبا", true],
  ["  (שלום) world", true],
  ["hello שלום", false],
  ["ħ שלום", false],
  ["日本 שלום", false],
  ["\u200F12", true],
  ["\u200E שלום", false],
  ["𞤀𞤁", true], // Adlam
]) {
  test(`${JSON.stringify(text)} is read from the ${expected ? "right" : "left"}`, () => assert.equal(isRightToLeft(text), expected));
}
