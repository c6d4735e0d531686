import assert from "node:assert/strict";
import { test } from "node:test";

import { sentenceOf, stateOf } from "../../cells/static/cells/ui/feed_badges.js";

const feed = (fields) => ({ name: "Ticks", columns: [], is_stale: false, seconds: 12, trouble: false, policy: "stream", ...fields });

for (const [fields, state, sentence] of [
  [{}, "fine", "Ticks: last message 12 seconds ago"],
  [{ seconds: 0 }, "fine", "Ticks: last message 0 seconds ago"],
  [{ seconds: 61 }, "fine", "Ticks: last message 1 minute ago"],
  [{ seconds: null }, "fine", "Ticks: nothing came yet"],
  [{ seconds: null, is_stale: true }, "stale", "Ticks is late: nothing came yet"],
  [{ seconds: 300, is_stale: true }, "stale", "Ticks is late: nothing for 5 minutes"],
  [{ seconds: 100_000, is_stale: true }, "stale", "Ticks is late: nothing for 27 hours"],
  [{ seconds: 200_000, is_stale: true }, "stale", "Ticks is late: nothing for 2 days"],
  [{ seconds: 300, is_stale: true, trouble: true }, "trouble", "Ticks cannot be heard"],
]) {
  test(`a feed says: ${sentence}`, () => {
    assert.equal(stateOf(feed(fields)), state);
    assert.equal(sentenceOf(feed(fields)), sentence);
  });
}
