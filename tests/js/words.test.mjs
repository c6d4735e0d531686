import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { gettext, ngettext, pgettext } from "../../cells/static/cells/ui/words.js";

afterEach(() => delete globalThis.django);

test("without a catalog a sentence is as it was written", () => {
  assert.equal(gettext("Go to %(name)s", { name: "Ada" }), "Go to Ada");
  assert.equal(ngettext("%(count)s row", "%(count)s rows", 1), "1 row");
  assert.equal(ngettext("%(count)s row", "%(count)s rows", 2_000), "2,000 rows");
});

test("a catalog's sentence is taken, with its own order of places", () => {
  globalThis.django = {
    gettext: (text) => (text === "%(name)s in %(cell)s" ? "In %(cell)s ist %(name)s" : text),
    ngettext: (one, many, count) => (count === 1 ? "%(count)s Zeile" : "%(count)s Zeilen"),
  };
  assert.equal(gettext("%(name)s in %(cell)s", { name: "Ada", cell: "B2" }), "In B2 ist Ada");
  assert.equal(ngettext("%(count)s row", "%(count)s rows", 3), "3 Zeilen");
});

test("a word that means several things is looked up with what is meant", () => {
  assert.equal(pgettext("key", "Home"), "Home");
  globalThis.django = { pgettext: (context, text) => (context === "key" && text === "Home" ? "Pos1" : text) };
  assert.equal(pgettext("key", "Home"), "Pos1");
});

test("a place that nothing fills stays to be seen", () => {
  assert.equal(gettext("Go to %(name)s"), "Go to %(name)s");
});
