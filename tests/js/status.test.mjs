import assert from "node:assert/strict";
import { test } from "node:test";

import { kindOf } from "../../cells/static/cells/domain/literals.js";
import { describe } from "../../cells/static/cells/ui/status.js";

const calm = { line: "open", code: 0, isLoaded: true, mayEdit: true, isOnline: true, unsaved: 0, isGuest: false, isKept: true };

for (const [change, text, tone] of [
  [{}, "Saved", "calm"],
  [{ unsaved: 2 }, "Saving…", "busy"],
  [{ unsaved: 2, isStruggling: true }, "The server is busy: 2 edits waiting", "waiting"],
  [{ isLoaded: false }, "Loading…", "busy"],
  [{ mayEdit: false }, "View only", "calm"],
  [{ mayEdit: false, unsaved: 1 }, "View only · 1 edit not saved", "alarm"],
  [{ line: "waiting" }, "Reconnecting…", "waiting"],
  [{ line: "connecting", isLoaded: false }, "Connecting…", "waiting"],
  [{ isLoaded: false, loading: { cells: 10, of: 19_999 } }, "Loading…", "busy"],
  [{ isLoaded: false, loading: { cells: 434_567, of: 1_000_000 } }, "Loading 400,000 of 1,000,000 cells", "busy"],
  [{ line: "waiting", unsaved: 1 }, "Offline: 1 edit waiting", "waiting"],
  [{ line: "connecting", unsaved: 1200 }, "Offline: 1,200 edits waiting", "waiting"],
  [{ line: "waiting", isOnline: false }, "Offline", "waiting"],
  [{ line: "waiting", code: 1012, unsaved: 1 }, "Saving…", "busy"],
  [{ line: "connecting", code: 1012, unsaved: 1, isKept: false }, "Saving…", "alarm"],
  [{ line: "waiting", code: 1012 }, "Reconnecting…", "waiting"],
  [{ line: "stopped", code: 4404 }, "This sheet no longer exists", "alarm"],
  [{ line: "stopped", code: 4401, isGuest: true }, "No longer open to guests: sign in to go on", "alarm"],
  [{ line: "stopped", code: 4401, unsaved: 3 }, "Signed out: sign in again to go on · 3 edits not saved", "alarm"],
]) {
  test(`${JSON.stringify(change)} is "${text}"`, () => {
    const said = describe({ ...calm, ...change });
    assert.equal(said.text, text);
    assert.equal(said.tone, tone);
  });
}

test("edits that the browser cannot keep are an alarm, never a comfort", () => {
  const said = describe({ ...calm, line: "waiting", unsaved: 1, isKept: false });
  assert.match(said.detail, /do not close/);
});

for (const [kind, texts] of Object.entries({
  number: ["1", "-1.5", "+3", ".5", "1,234,567.89", "12%", "$3.50", "1e-7", "2026-11-23", "2026-11-23 07:00", " 7 "],
  text: ["", "-", ".", "$", "1,23", "1.2.3", "12 apples", "A1", "2026-1", "e5", "0x10", "1".repeat(41)].slice(1),
  boolean: ["TRUE", "false"],
  empty: [""],
})) {
  for (const text of texts) test(`${JSON.stringify(text.slice(0, 20))} is aligned as ${kind}`, () => assert.equal(kindOf(text), kind));
}
