import assert from "node:assert/strict";
import { test } from "node:test";

import { boundedZoom, steppedZoom } from "../../cells/static/cells/ui/zoom.js";

test("a zoom is between a half and two, in whole percent", () => {
  assert.deepEqual([0.1, 0.5, 1.23456, 3, NaN].map(boundedZoom), [0.5, 0.5, 1.23, 2, 1]);
});

test("steps lead up and down, from between two of them too", () => {
  assert.deepEqual([0.5, 0.67, 1, 1.13, 2].map((zoom) => steppedZoom(zoom, 1)), [0.67, 0.75, 1.1, 1.25, 2]);
  assert.deepEqual([0.5, 0.67, 1, 1.13, 2].map((zoom) => steppedZoom(zoom, -1)), [0.5, 0.5, 0.9, 1.1, 1.75]);
});
