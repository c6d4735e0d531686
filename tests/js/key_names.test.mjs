import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { keysNamed } from "../../cells/static/cells/ui/key_names.js";

const GERMAN = { Ctrl: "Strg", Shift: "Umschalt", Delete: "Entf", "Page Up": "Bild auf" };

afterEach(() => delete globalThis.django);

test("without a catalog keys are called as they are written", () => {
  assert.equal(keysNamed("Ctrl+Shift+4"), "Ctrl+Shift+4");
  assert.equal(keysNamed("Page Up, Page Down"), "Page Up, Page Down");
});

test("keys are called as the reader's keyboard has them, letters stay", () => {
  globalThis.django = { pgettext: (context, text) => (context === "key" && GERMAN[text]) || text };
  assert.equal(keysNamed("Ctrl+Shift+X"), "Strg+Umschalt+X");
  assert.equal(keysNamed("Alt+Page Up, Delete"), "Alt+Bild auf, Entf");
  assert.equal(keysNamed("Ctrl+\\"), "Strg+\\");
});
