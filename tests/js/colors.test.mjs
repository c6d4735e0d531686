import assert from "node:assert/strict";
import { test } from "node:test";

import { contrast, inkOn, inkOnPaper } from "../../cells/static/cells/ui/colors.js";
import { lookOf } from "../../cells/static/cells/ui/looks.js";

test("on a fill of any colour the text can be read", () => {
  for (const red of [0, 128, 255]) {
    for (const green of [0, 128, 255]) {
      for (const blue of [0, 128, 255]) {
        const fill = `#${[red, green, blue].map((value) => value.toString(16).padStart(2, "0")).join("")}`;
        assert.ok(contrast(fill, inkOn(fill)) > 4, fill);
      }
    }
  }
  assert.equal(inkOn("#ffffff"), "#14181a");
  assert.equal(inkOn("#003b7a"), "#ffffff");
});

test("a dark text colour gets lighter on the dark page, until it can be read; on white it stays", () => {
  for (const color of ["#000000", "#003b7a", "#760a03", "#0661bc"]) {
    assert.equal(inkOnPaper(color, false), color);
    assert.ok(contrast(inkOnPaper(color, true), "#14181a") >= 4.5, color);
  }
  assert.equal(inkOnPaper("#fea668", true), "#fea668");
});

test("a look has words for the style sheet, and colours", () => {
  assert.equal(lookOf(undefined).words, "");
  const style = Object.freeze({ bold: true, wrap: true, align: "right", fill: "#003b7a" });
  assert.equal(lookOf(style).words, "bold wrap filled right");
  assert.equal(lookOf(style).ink, "#ffffff");
  assert.equal(lookOf(Object.freeze({ color: "#ff0000", fill: "#ff0000" })).ink, "#ff0000"); // chosen is chosen
  assert.equal(lookOf(style), lookOf(style));
});
