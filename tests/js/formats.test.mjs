import assert from "node:assert/strict";
import { test } from "node:test";

import { kindOf, parseDate, parseNumber } from "../../cells/static/cells/domain/literals.js";
import { cleanStyle } from "../../cells/static/cells/domain/styles.js";
import { currencyOf, shownOf } from "../../cells/static/cells/ui/formats.js";
import { decimalsShown, numberIn, sampleOf } from "../../cells/static/cells/ui/values.js";

/** Return what a cell shows, with plain spaces. */
function shown(input, style, value) {
  return shownOf({ input, style: cleanStyle(style), value })[0].replace(/[\u00a0\u202f]/g, " ");
}

test("a number is what was typed, with its sign, its currency and its percent", () => {
  const values = { "19.99": 19.99, "1,234.5": 1234.5, "-3": -3, "12%": 0.12, "7 %": 0.07, "$3": 3, "-$3.50": -3.5, "5 €": 5, ".5": 0.5, "1e3": 1000 };
  for (const [text, value] of Object.entries(values)) assert.equal(parseNumber(text)?.value, value, text);
  for (const text of ["", "abc", "1,23", "1.2.3", "--1", "2026-11-25", "1e999", "9".repeat(41)]) assert.equal(parseNumber(text), undefined, text);
  assert.deepEqual(parseNumber("$1,000.50"), { value: 1000.5, decimals: 2, isGrouped: true, isPercent: false, currency: "USD" });
});

test("a date is a day since 30 December 1899, a time a part of one", () => {
  const days = { "1899-12-31": 1, "1900-03-01": 61, "2026-11-25": 46351, "2026-11-25 12:00": 46351.5, "2026-11-25T06:00:00Z": 46351.25, "18:00": 0.75, "9:30": 9.5 / 24 };
  for (const [text, day] of Object.entries(days)) assert.equal(parseDate(text)?.day, day, text);
  for (const text of ["2026-02-29", "2026-13-01", "24:00", "12:60", "1:2", "12", "25.11.2026"]) assert.equal(parseDate(text), undefined, text);
});

test("without a format a cell shows what was typed", () => {
  for (const text of ["19.99", "1,234.5", "0012", "$3", "12%", "2026-11-25", "word", "="]) assert.equal(shown(text), text);
  assert.equal(shown("1234.5", { bold: true, fill: "#ff0000" }), "1234.5");
});

test("numbers follow their format", () => {
  for (const [input, style, text] of [
    ["1234.5", { format: "thousands" }, "1,234.50"],
    ["1234.5", { format: "thousands", decimals: 0 }, "1,235"],
    ["-1234.5", { format: "currency", currency: "EUR" }, "-€1,234.50"],
    ["1234.5", { format: "currency" }, "$1,234.50"],
    ["€1234", { format: "currency" }, "€1,234.00"],
    ["1234", { format: "currency", currency: "JPY" }, "¥1,234"],
    ["1234", { format: "currency", currency: "ZZZ" }, "ZZZ 1,234.00"],
    ["0.1234", { format: "percent" }, "12.34%"],
    ["12%", { format: "percent", decimals: 0 }, "12%"],
    ["1,234.50", { format: "plain" }, "1234.5"],
    ["12%", { format: "plain" }, "0.12"],
    ["$1,234.5", { format: "thousands", decimals: 1 }, "1,234.5"],
    ["3.14159", { decimals: 2 }, "3.14"],
    ["12%", { decimals: 1 }, "12.0%"],
    ["$3", { decimals: 2 }, "$3.00"],
    ["1,234", { decimals: 2 }, "1,234.00"],
    ["1234", { decimals: 2 }, "1234.00"],
  ]) assert.equal(shown(input, style), text, `${input} ${JSON.stringify(style)}`);
});

test("dates and times follow their format, days are numbers too", () => {
  for (const [input, style, text] of [
    ["2026-11-25", { format: "date" }, "Nov 25, 2026"],
    ["2026-11-25 14:30", { format: "date" }, "Nov 25, 2026"],
    ["2026-11-25 14:30", { format: "time" }, "2:30 PM"],
    ["14:30:05", { format: "time" }, "2:30:05 PM"],
    ["2026-11-25 14:30", { format: "datetime" }, "Nov 25, 2026, 2:30 PM"],
    ["46351", { format: "date" }, "Nov 25, 2026"],
    ["0.75", { format: "time" }, "6:00 PM"],
    ["2026-11-25", { format: "thousands", decimals: 0 }, "46,351"],
    ["2026-11-25", { decimals: 2 }, "2026-11-25"],
    ["-1", { format: "date" }, "-1"],
    ["9999999", { format: "date" }, "9999999"],
  ]) assert.equal(shown(input, style), text, `${input} ${JSON.stringify(style)}`);
});

test("a text stays as it is, whatever its format", () => {
  for (const format of ["plain", "thousands", "currency", "percent", "date", "time", "datetime"]) {
    assert.deepEqual([...shownOf({ input: "n/a", style: cleanStyle({ format, decimals: 2 }) })], ["n/a", "text"]);
    assert.deepEqual([...shownOf({ input: "", style: cleanStyle({ format }) })], ["", "empty"]);
  }
});

test("a calculated value is formatted like a typed one", () => {
  assert.equal(shown("=A1", { format: "thousands" }, 1234.5), "1,234.50");
  assert.equal(shown("=A1", { format: "date" }, 46351), "Nov 25, 2026");
  assert.equal(shown("=A1", { format: "percent" }, "text"), "text");
  assert.equal(shown("=A1", {}, true), "TRUE");
  assert.deepEqual([...shownOf({ input: "=1/0", value: { error: "#DIV/0!" } })], ["#DIV/0!", "error"]);
});

test("one more or one less decimal starts from what is shown", () => {
  for (const [input, style, decimals] of [
    ["3.14", undefined, 2],
    ["3", undefined, 0],
    ["3", { format: "currency" }, 2],
    ["3", { format: "currency", currency: "JPY" }, 0],
    ["3", { format: "percent" }, 2],
    ["3", { format: "thousands", decimals: 5 }, 5],
    ["word", undefined, 0],
    ["0.123456789012", undefined, 10],
  ]) assert.equal(decimalsShown({ input, style: cleanStyle(style) }), decimals, input);
});

test("times are aligned like numbers", () => {
  assert.equal(kindOf("14:30"), "number");
  assert.equal(kindOf("14:30 Uhr"), "text");
});

test("only numbers are added up", () => {
  const cells = [{ input: "1" }, { input: "50%" }, { input: "$2" }, { input: "2026-11-25" }, { input: "9:00" }, { input: "x" }, { input: "=A1", value: 7 }, { input: "=A1", value: "7" }, undefined];
  assert.deepEqual(cells.map(numberIn), [1, 0.5, 2, undefined, undefined, undefined, 7, undefined, undefined]);
});

test("the usual currency goes with the language", () => {
  assert.deepEqual(["en", "de", "en-GB", "de-CH", "fr"].map(currencyOf), ["USD", "EUR", "GBP", "CHF", "EUR"]);
  assert.equal(sampleOf(cleanStyle({ format: "thousands" })), "1,000.12");
});
