import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Axis } from "../../cells/static/cells/domain/axes.js";

const vectors = JSON.parse(readFileSync(new URL("../vectors/axes.json", import.meta.url), "utf8"));

/** @type {(axis: Axis, step: any) => Axis} */
function take(axis, step) {
  switch (step.action) {
    case "insert": return axis.insert(step.before, step.count);
    case "delete": return axis.delete(step.runs);
    case "move": return axis.move(step.runs, step.before);
    case "restore": return axis.restore(step.runs);
    default: throw new Error(`no such action: ${step.action}`);
  }
}

for (const given of vectors.cases) {
  test(given.description, () => {
    let axis = Axis.fromRuns(given.runs);
    if (given.error) {
      const last = given.steps.at(-1);
      for (const step of given.steps.slice(0, -1)) axis = take(axis, step);
      const before = axis.toRuns();
      assert.throws(() => take(axis, last), { code: given.error });
      assert.deepEqual(axis.toRuns(), before);
      return;
    }
    for (const step of given.steps) axis = take(axis, step);
    assert.deepEqual(axis.toRuns(), given.expected);
    assert.deepEqual(axis.deaths, given.deaths ?? []);
    assert.deepEqual(Axis.fromRuns(axis.toRuns(), axis.deaths), axis);
    if ("living" in given) assert.equal(axis.length, given.living);
    if ("next_id" in given) assert.equal(axis.nextId, given.next_id);
    if ("ids" in given) {
      assert.deepEqual(Array.from({ length: axis.length }, (_, position) => axis.idAt(position)), given.ids);
    }
    for (const [id, position] of given.positions ?? []) assert.equal(axis.positionOf(id), position);
    for (const [id, code] of given.lookups ?? []) {
      assert.throws(() => axis.positionOf(id), { code });
      assert.equal(axis.findPosition(id), undefined);
    }
    for (let position = 0; position < Math.min(axis.length, 50); position += 1) {
      assert.equal(axis.positionOf(/** @type {number} */ (axis.idAt(position))), position);
    }
    assert.equal(axis.idAt(axis.length), undefined);
    assert.equal(axis.idAt(-1), undefined);
  });
}

test("runsBetween covers positions and leaves tombstones out", () => {
  const axis = Axis.fromRuns([[0, 3], [3, -2], [5, 2], [9, 1], [7, 2]]);
  assert.deepEqual(axis.runsBetween(1, 4), [[1, 2], [5, 2]]);
  assert.deepEqual(axis.runsBetween(5, 7), [[9, 1], [7, 2]]);
  assert.deepEqual(axis.runsBetween(0, 0), [[0, 1]]);
});

test("the wire tells deaths beside the runs, which stay as short as they are without", () => {
  const axis = Axis.fromRuns([[0, 2], [2, -6], [8, 1]], [[6, 1, 12], [3, 2, 9]]);
  assert.deepEqual(axis.toRuns(), [[0, 2], [2, -6], [8, 1]]);
  assert.deepEqual(axis.deaths, [[3, 2, 9], [6, 1, 12]]);
  assert.deepEqual(axis.restore([[4, 3]]).deaths, [[3, 1, 9]]);
  assert.deepEqual(axis.delete([[0, 9]]).deaths, [[0, 2, 9], [3, 2, 9], [6, 1, 12], [8, 1, 9]]);
});
