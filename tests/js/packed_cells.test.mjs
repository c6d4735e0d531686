import assert from "node:assert/strict";
import { test } from "node:test";

import { CellMap } from "../../cells/static/cells/domain/cells.js";
import { cleanStyle } from "../../cells/static/cells/domain/styles.js";
import { PackedCells } from "../../cells/static/cells/sync/packed_cells.js";
import { numbersFrom } from "./fake_server.mjs";

const ROWS = 900; // more than are held as they were written
const COLUMNS = [0, 1, 2, 63, 64, 65, 130, 18_277];
const STYLES = [undefined, undefined, cleanStyle({ bold: true }), cleanStyle({ fill: "#ffee00" })];
const TEXTS = ["", "1", "text", "two\nlines", "شيكل", "a\u0000b", "\u0000", "x".repeat(40), "😀"];

/** @param {Iterable<[number, number]>} cells */
const sorted = (cells) => [...cells].map(String).sort();

function assertSame(/** @type {PackedCells} */ packed, /** @type {CellMap<any>} */ plain, /** @type {(below: number) => number} */ pick) {
  assert.deepEqual(sorted(packed.among()), sorted(plain.among()));
  const row = pick(ROWS);
  const column = COLUMNS[pick(COLUMNS.length)];
  for (const only of [{ row }, { column }, { row, column }]) assert.deepEqual(sorted(packed.among(only)), sorted(plain.among(only)));
  for (const cell of plain.among()) assert.deepEqual(packed.get(...cell), plain.get(...cell));
  for (const one of COLUMNS) assert.deepEqual(packed.get(row, one), plain.get(row, one));
}

for (let seed = 1; seed <= 20; seed += 1) {
  test(`whatever is written, packed cells hold what a map of objects holds (seed ${seed})`, () => {
    const random = numbersFrom(seed);
    const pick = (/** @type {number} */ below) => Math.floor(random() * below);
    const packed = new PackedCells();
    /** @type {CellMap<any>} */
    const plain = new CellMap();
    const write = (/** @type {number} */ row, /** @type {number} */ column) => {
      if (pick(6) === 0) {
        packed.delete(row, column);
        plain.delete(row, column);
        return;
      }
      const style = STYLES[pick(STYLES.length)];
      const value = [undefined, undefined, undefined, 7, null, { error: "#REF!" }][pick(6)];
      const cell = { input: TEXTS[pick(TEXTS.length)], ...(style ? { style } : {}), ...(value === undefined ? {} : { value }) };
      packed.set(row, column, cell);
      plain.set(row, column, cell);
    };
    for (let row = 0; row < ROWS; row += 1) for (const column of COLUMNS) if (pick(3) > 0) write(row, column); // as a first load
    assertSame(packed, plain, pick);
    for (let round = 0; round < 5; round += 1) {
      for (let count = 0; count < 700; count += 1) {
        write(pick(ROWS), COLUMNS[pick(COLUMNS.length)]);
        const [row, column] = [pick(ROWS), COLUMNS[pick(COLUMNS.length)]];
        assert.deepEqual(packed.get(row, column), plain.get(row, column));
        assert.deepEqual(packed.get(row, COLUMNS[0]), plain.get(row, COLUMNS[0])); // a second one of the same row
      }
      assertSame(packed, plain, pick);
    }
    packed.clear();
    assert.deepEqual([...packed.among()], []);
    assert.equal(packed.get(1, 0), undefined);
  });
}

test("rows and columns of their own do not outlive their last cell", () => {
  const packed = new PackedCells();
  for (let row = 0; row < ROWS; row += 1) packed.set(row, 0, { input: String(row) });
  for (let row = 0; row < ROWS; row += 1) packed.delete(row, 0);
  assert.deepEqual([...packed.among()], []);
});
