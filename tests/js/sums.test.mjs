import assert from "node:assert/strict";
import { test } from "node:test";

import { Axis } from "../../cells/static/cells/domain/axes.js";
import { describeSums, sumsOf } from "../../cells/static/cells/ui/sums.js";

/** A sheet whose filled cells are a list of texts down column 1. */
function sheet(texts, rows = texts.length) {
  return {
    rows: Axis.fromRuns([[0, rows]]),
    columns: Axis.fromRuns([[0, 3]]),
    cellAt: (row) => ({ input: texts[row] }),
    *filled({ row } = {}) {
      if (row !== undefined) {
        if (texts[row]) yield [row, 1];
      } else for (const [index, text] of texts.entries()) if (text) yield [index, 1];
    },
  };
}

const all = { top: 0, left: 0, bottom: 9_999, right: 2 };
const go = async () => true;

test("numbers are added up, texts and dates are only counted", async () => {
  const model = sheet(["1", "2.5", "", "word", "2026-11-25", "50%", "-4"]);
  const sums = await sumsOf(model, { ...all, bottom: 6 }, go);
  assert.deepEqual(sums, { sum: 0, count: 6, numbers: 4, least: -4, most: 2.5 });
  assert.deepEqual(describeSums(sums), [["Sum", "0"], ["Average", "0"], ["Min", "-4"], ["Max", "2.5"], ["Count", "6"]]);
  assert.deepEqual(describeSums(await sumsOf(model, { top: 3, bottom: 4, left: 0, right: 2 }, go)), [["Count", "2"]]);
  assert.deepEqual(describeSums(await sumsOf(model, { ...all, bottom: 6, left: 2 }, go)), []);
});

test("a tall selection gives the same as a low one", async () => {
  const model = sheet(Array.from({ length: 5_000 }, (_, row) => String(row)), 10_000);
  const sums = await sumsOf(model, { ...all, top: 10, bottom: 4_999 }, go);
  assert.deepEqual([sums.sum, sums.count, sums.least], [4_999 * 2_500 - 45, 4_990, 10]);
});

test("tenths add up to what they say", async () => {
  const sums = await sumsOf(sheet(Array.from({ length: 1_000 }, () => "0.1")), { ...all, bottom: 999 }, go);
  assert.equal(sums.sum, 100);
});

test("sums of prices are prices", () => {
  const sums = { sum: 30, count: 2, numbers: 2, least: 10, most: 20 };
  assert.deepEqual(describeSums(sums, { format: "currency", currency: "USD" })[0], ["Sum", "$30.00"]);
});

test("a sum that nobody waits for any more is given up", async () => {
  const model = sheet(Array.from({ length: 30_000 }, () => "1"), 30_000);
  assert.equal(await sumsOf(model, { ...all, bottom: 29_999 }, async () => false), null);
});
