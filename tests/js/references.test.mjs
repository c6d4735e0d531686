import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Axis } from "../../cells/static/cells/domain/axes.js";
import { formatReference, inputOf, isFormula, referencesIn, renamed, shifted, storedReferencesIn, toShown, toStored, typedOf } from "../../cells/static/cells/domain/references.js";
import { numbersFrom } from "./fake_server.mjs";

const vectors = JSON.parse(readFileSync(new URL("../vectors/references.json", import.meta.url), "utf8"));

function axesOf({ on }) {
  const { rows, columns, row_deaths, column_deaths } = vectors.axes[on];
  return { rows: Axis.fromRuns(rows, row_deaths), columns: Axis.fromRuns(columns, column_deaths) };
}

for (const given of vectors.stored) {
  test(`${given.typed} is typed on "${given.on}"`, () => {
    const axes = axesOf(given);
    assert.equal(toStored(given.typed, axes), given.stored);
    if (!("shown" in given)) return;
    assert.equal(toShown(given.stored, axes), given.shown);
    assert.equal(toStored(given.shown, axes), given.stored);
  });
}

for (const given of vectors.shown) {
  test(`${given.stored} is shown on "${given.on}"`, () => {
    assert.equal(toShown(given.stored, axesOf(given)), given.shown);
  });
}

for (const given of vectors.shifted) {
  test(`${given.stored} is copied by ${given.rows}, ${given.columns} on "${given.on}"`, () => {
    assert.equal(shifted(given.stored, axesOf(given), given.rows, given.columns), given.result);
  });
}

test("a formula begins with = and has more behind it; nothing else is rewritten", () => {
  const axes = axesOf({ on: "row 9 moved to the top" });
  assert.deepEqual(["=A1", "=", "", " =A1", "A1"].map(isFormula), [true, false, false, false, false]);
  assert.deepEqual(["=A1", "=", "a1", "A1"].map((text) => inputOf(text, axes)), ["=A9", "=", "a1", "A1"]);
  assert.deepEqual(["=A9", "=", "A9"].map((text) => typedOf(text, axes)), ["=A1", "=", "A9"]);
});

test("references are found where they stand, and not in texts, names and numbers", () => {
  const text = `=SUM(a1:$B$2)+LOG10(C3)&"D4"&1e5+Data!E5+F:F+ZZZ1`;
  const found = referencesIn(text);
  assert.deepEqual(found.map(({ from, to }) => text.slice(from, to)), ["a1:$B$2", "C3", "F:F"]);
  assert.deepEqual(found.map(({ reference }) => formatReference(reference)), ["A1:$B$2", "C3", "F:F"]);
  assert.deepEqual(storedReferencesIn("=[C16384][R1000000]+A1").map(({ reference }) => [reference.columns[0].at, reference.rows[0].at]), [[16384, 1000000], [0, 0]]);
});

test("ids can be replaced by others, in every kind of reference", () => {
  const later = (id) => (id >= 10 ? id + 1_000_000 : id);
  assert.equal(renamed("=A11+$A$11:B12+11:12+K:L+A1", later, later), "=A[R1000010]+$A$[R1000010]:B[R1000011]+[R1000010]:[R1000011]+[C1000010]:[C1000011]+A1");
});

test("inserting and deleting rows shows what Excel rewrites, and undoing brings back what was shown", () => {
  const random = numbersFrom(11);
  const below = (count) => Math.floor(random() * count);
  const columns = Axis.fromRuns([[0, 3]]);
  for (let round = 0; round < 3_000; round += 1) {
    let rows = Axis.fromRuns([[0, 12]]);
    const [first, last] = [below(12), below(12)].sort((one, other) => one - other);
    const ranges = [{ first, last }, { first, last: Infinity }];
    const stored = ranges.map((range) => toStored(`=${shownIn(range)}`, { rows, columns }));
    let excel = ranges;
    const done = [];
    for (let step = below(12); step > 0; step -= 1) {
      const [at, count] = [below(rows.length + 1), 1 + below(4)];
      const action = below(5);
      if (action === 0 && done.length > 0) {
        const [was, undo] = done.pop();
        excel = was;
        rows = undo(rows);
      } else if (action < 3) {
        const born = /** @type {[number, number]} */ ([rows.nextId, count]);
        done.push([excel, (axis) => axis.delete([born])]);
        rows = rows.insert(rows.idAt(at) ?? null, count);
        excel = excel.map((range) => range && { first: range.first + (at <= range.first ? count : 0), last: range.last + (at <= range.last ? count : 0) });
      } else if (at < rows.length) {
        const [length, doomed] = [rows.length, rows.runsBetween(at, at + count - 1)];
        done.push([excel, (axis) => axis.restore(doomed)]);
        rows = rows.delete(doomed);
        excel = excel.map((range) => range && without(range, at, Math.min(at + count, length), length));
      }
      rows = Axis.fromRuns(rows.toRuns(), rows.deaths);
      assert.deepEqual(stored.map((text) => toShown(text, { rows, columns })), excel.map((range) => `=${shownIn(range)}`));
    }
  }
});

/** @param {{first: number, last: number}|null} range of rows, under Excel's rules */
function shownIn(range) {
  if (range === null) return "#REF!";
  return `A${range.first + 1}:A${range.last === Infinity ? "" : range.last + 1}`;
}

/**
 * @param {{first: number, last: number}} range
 * @param {number} from
 * @param {number} to of what is deleted, not included
 * @param {number} length of the sheet before
 */
function without({ first, last }, from, to, length) {
  const stop = Math.min(last + 1, length);
  const left = stop - first - Math.max(0, Math.min(to, stop) - Math.max(from, first));
  if (left === 0) return null;
  const start = first - Math.max(0, Math.min(to, first) - from);
  return { first: start, last: last === Infinity ? last : start + left - 1 };
}

test("no text breaks it, and what is shown is stored as it was", () => {
  const random = numbersFrom(7);
  const alphabet = [..."=A1B2$:!'\"[]#(). CRx5é0Z,+", "A1", "B$2:", "[R5]", "[C1]", "😀"];
  const axes = [
    { rows: Axis.fromRuns([[0, 99]]), columns: Axis.fromRuns([[0, 26]]) },
    { rows: Axis.fromRuns([[3, 2], [0, -2], [2, 1], [5, 4]]), columns: Axis.fromRuns([[1, -1], [0, 1], [2, 2]]) },
    { rows: Axis.fromRuns([]), columns: Axis.fromRuns([]) },
  ];
  for (let round = 0; round < 20_000; round += 1) {
    const text = Array.from({ length: Math.floor(random() * 30) }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
    for (const on of axes) {
      const stored = toStored(text, on);
      toShown(text, on);
      shifted(stored, on, 1, -1);
      renamed(stored, (id) => id, (id) => id);
      for (const { from, to } of referencesIn(text)) assert.ok(from >= 0 && to <= text.length, text);
    }
    const typed = text.replaceAll("[", "(");
    const stored = toStored(typed, axes[0]);
    assert.equal(toStored(toShown(stored, axes[0]), axes[0]), stored, typed);
  }
});
