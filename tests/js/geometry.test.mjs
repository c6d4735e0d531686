import assert from "node:assert/strict";
import { test } from "node:test";

import { Axis } from "../../cells/static/cells/domain/axes.js";
import { Geometry } from "../../cells/static/cells/ui/geometry.js";
import { numbersFrom } from "./fake_server.mjs";

test("sizes belong to ids and go where they go", () => {
  const axis = Axis.fromRuns([[0, 10]]).move([[2, 2]], 8).delete([[3, 1]]);
  const geometry = new Geometry(axis, [[2, 2, 50], [9, 1, 100]], 20);
  assert.deepEqual(Array.from({ length: axis.length }, (_, position) => geometry.sizeOf(position)), [20, 20, 20, 20, 20, 20, 50, 20, 100]);
  assert.equal(geometry.total, 20 * 7 + 50 + 100);
});

test("offsets and positions agree with plain addition", () => {
  const random = numbersFrom(3);
  for (let round = 0; round < 50; round += 1) {
    const sizes = Array.from({ length: 6 }, (_, index) => [index * 5, 1 + Math.floor(random() * 4), 10 + Math.floor(random() * 50)]);
    const axis = Axis.fromRuns([[15, 15], [0, 15]]).delete([[Math.floor(random() * 25), 4]]);
    const geometry = new Geometry(axis, sizes, 20);
    let offset = 0;
    for (let position = 0; position < axis.length; position += 1) {
      const id = axis.idAt(position);
      const size = sizes.find(([first, count]) => id >= first && id < first + count)?.[2] ?? 20;
      assert.equal(geometry.offsetOf(position), offset);
      assert.equal(geometry.sizeOf(position), size);
      assert.equal(geometry.positionAt(offset), position);
      assert.equal(geometry.positionAt(offset + size - 0.5), position);
      offset += size;
    }
    assert.equal(geometry.total, offset);
    assert.equal(geometry.offsetOf(axis.length), offset);
  }
});

test("beyond the ends is the nearest end", () => {
  const geometry = new Geometry(Axis.fromRuns([[0, 5]]), [], 20);
  assert.equal(geometry.positionAt(-100), 0);
  assert.equal(geometry.positionAt(10_000), 4);
});

test("many runs and many sizes are placed without trying every pair", () => {
  const many = 2_000;
  const axis = Axis.fromRuns(Array.from({ length: many }, (_, place) => [2 * (many - 1 - place), 2]));
  let looks = 0;
  const sizes = new Proxy(Array.from({ length: many }, (_, place) => [2 * place, 1, 21 + (place % 7)]), {
    get(target, name) {
      looks += 1;
      return Reflect.get(target, name);
    },
  });
  const geometry = new Geometry(axis, sizes, 20);
  assert.ok(looks < many * 30, `${looks} looks at sizes`);
  assert.equal(geometry.sizeOf(0), 21 + ((many - 1) % 7));
  assert.equal(geometry.sizeOf(1), 20);
  assert.equal(geometry.sizeOf(axis.length - 2), 21);
});
