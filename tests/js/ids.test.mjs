import assert from "node:assert/strict";
import { test } from "node:test";

import { newId } from "../../cells/static/cells/sync/ids.js";

test("an id is a UUID of version 7", () => {
  assert.match(newId(), /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("an id begins with its time, so that later ones stand behind earlier ones", (context) => {
  context.mock.timers.enable({ apis: ["Date"], now: Date.UTC(2026, 10, 25) });
  const first = newId();
  assert.equal(parseInt(first.replace("-", "").slice(0, 12), 16), Date.UTC(2026, 10, 25));
  context.mock.timers.tick(1);
  assert.ok(newId() > first);
});

test("ids of one moment differ", () => {
  assert.equal(new Set(Array.from({ length: 1_000 }, newId)).size, 1_000);
});
