import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as addresses from "../../cells/static/cells/domain/addresses.js";

const vectors = JSON.parse(readFileSync(new URL("../vectors/addresses.json", import.meta.url), "utf8"));

/** @type {Record<string, [(given: any) => unknown, (given: any) => unknown]>} */
const functions = {
  parse_address: [(given) => addresses.parseAddress(given.text), ({ row, column }) => ({ row, column })],
  format_address: [(given) => addresses.formatAddress(given.row, given.column), ({ text }) => text],
  parse_column: [(given) => addresses.parseColumn(given.text), ({ column }) => column],
  format_column: [(given) => addresses.formatColumn(given.column), ({ text }) => text],
  parse_range: [
    (given) => addresses.parseRange(given.text),
    ({ top, left, bottom, right }) => ({ top, left, bottom, right }),
  ],
  format_range: [(given) => addresses.formatRange(given), ({ text }) => text],
};

for (const [name, [run, expected]] of Object.entries(functions)) {
  for (const given of vectors[name]) {
    test(`${name}: ${given.description}`, () => {
      if (given.error) assert.throws(() => run(given), { code: given.error });
      else assert.deepEqual(run(given), expected(given));
    });
  }
}

test("every column survives the round trip", () => {
  for (let column = 0; column < addresses.MAX_COLUMNS; column += 1) {
    assert.equal(addresses.parseColumn(addresses.formatColumn(column)), column);
  }
});
