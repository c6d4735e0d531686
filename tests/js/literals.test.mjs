import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { kindOf, parseDate, parseNumber, textOf } from "../../cells/static/cells/domain/literals.js";

const vectors = JSON.parse(readFileSync(new URL("../vectors/literals.json", import.meta.url), "utf8"));

for (const given of vectors.cases) {
  test(`what ${JSON.stringify(given.text)} means`, () => {
    assert.equal(parseNumber(given.text)?.value, given.number);
    assert.equal(parseDate(given.text)?.day, given.day);
    assert.equal(kindOf(given.text) === "boolean", given.boolean !== undefined);
  });
}

for (const { input, text } of vectors.texts) {
  test(`${JSON.stringify(input)} is a text`, () => {
    assert.equal(textOf(input), text);
    if (input.startsWith("'")) assert.equal(kindOf(input), "text");
  });
}
