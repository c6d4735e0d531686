import assert from "node:assert/strict";
import { test } from "node:test";

import { Axis } from "../../cells/static/cells/domain/axes.js";
import { Geometry } from "../../cells/static/cells/ui/geometry.js";
import { Port } from "../../cells/static/cells/ui/ports.js";
import { numbersFrom } from "./fake_server.mjs";

const tens = new Geometry(Axis.fromRuns([[0, 100]]), [], 10);

test("without frozen ones what is seen begins where it is scrolled to", () => {
  const port = new Port(tens, 205, 100, 0);
  assert.deepEqual(port.moving, { first: 20, last: 30 });
  assert.deepEqual(port.still, { first: 0, last: -1 });
  assert.equal(port.startOf(20), -5);
  assert.equal(port.positionAt(0), 20);
  assert.equal(port.positionAt(-50), 15); // a drag beyond the edge
});

test("frozen ones stay, the others pass under them", () => {
  const port = new Port(tens, 205, 100, 3);
  assert.deepEqual(port.still, { first: 0, last: 2 });
  assert.deepEqual(port.moving, { first: 23, last: 30 });
  assert.equal(port.startOf(2), 20);
  assert.equal(port.startOf(23), 25);
  assert.deepEqual([0, 29, 30, 35].map((pixel) => port.positionAt(pixel)), [0, 2, 23, 24]);
});

test("a range is seen across what is frozen, or cut where it lies under it", () => {
  const port = new Port(tens, 205, 100, 3);
  assert.deepEqual(port.spanOf(0, 1, 8), { from: 0, to: 20, cut: 0 });
  assert.deepEqual(port.spanOf(1, 24, 8), { from: 10, to: 45, cut: 0 });
  assert.deepEqual(port.spanOf(1, 10, 8), { from: 10, to: 30, cut: 0 });
  assert.deepEqual(port.spanOf(23, 24, 8), { from: 25, to: 45, cut: 5 });
  assert.deepEqual(port.spanOf(10, 40, 8), { from: 22, to: 108, cut: 8 });
  assert.equal(port.spanOf(10, 12, 8), null);
  assert.equal(port.spanOf(40, 50, 8), null);
});

test("as little is scrolled as it takes to see a position", () => {
  const port = new Port(tens, 205, 100, 3);
  assert.equal(port.revealing(1), 205);
  assert.equal(port.revealing(25), 205);
  assert.equal(port.revealing(23), 200);
  assert.equal(port.revealing(3), 0);
  assert.equal(port.revealing(50), 410);
});

test("what would leave no room to scroll is not frozen", () => {
  const port = new Port(tens, 0, 100, 50);
  assert.equal(port.frozen, 6);
  assert.deepEqual(port.moving, { first: 6, last: 10 });
  assert.equal(new Port(tens, 0, 0, 3).frozen, 0);
  assert.equal(new Port(new Geometry(Axis.fromRuns([[0, 2]]), [], 10), 0, 100, 5).frozen, 2);
});

test("every pixel leads to the position that is seen there", () => {
  const random = numbersFrom(11);
  for (let round = 0; round < 200; round += 1) {
    const sizes = Array.from({ length: 8 }, (_, index) => [index * 6, 1 + Math.floor(random() * 4), 5 + Math.floor(random() * 30)]);
    const geometry = new Geometry(Axis.fromRuns([[0, 60]]), sizes, 10);
    const port = new Port(geometry, Math.floor(random() * 300), 120, Math.floor(random() * 8));
    for (let pixel = 0; pixel < 120; pixel += 1) {
      const position = port.positionAt(pixel + 0.5);
      assert.ok(port.startOf(position) <= pixel + 0.5 && port.endOf(position) >= pixel + 0.5);
      const stretch = position < port.frozen ? port.still : port.moving;
      assert.ok(position >= stretch.first && position <= stretch.last);
    }
  }
});
