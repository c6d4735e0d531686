import assert from "node:assert/strict";
import { test } from "node:test";

import { placeBeside } from "../../cells/static/cells/ui/offers.js";

const card = { width: 270, height: 120 };
const cellAt = (left, top) => ({ left, top, right: left + 112, bottom: top + 25 });
const wide = { left: 46, top: 100, right: 1280, bottom: 720 };
const narrow = { left: 46, top: 100, right: 390, bottom: 720 };

for (const [name, cell, view, side] of [
  ["to the right of its cell", cellAt(200, 200), wide, "right"],
  ["to the left at the right edge", cellAt(1100, 200), wide, "left"],
  ["below on a narrow screen", cellAt(100, 200), narrow, "below"],
  ["above at the bottom of one", cellAt(100, 690), narrow, "above"],
  ["at the edge that its cell is beyond", cellAt(200, 4000), wide, "away"],
]) {
  test(`a card stands ${name}, all of it in view`, () => {
    const spot = placeBeside(cell, view, card);
    assert.equal(spot.side, side);
    assert.ok(spot.left >= view.left && spot.left + card.width <= view.right);
    assert.ok(spot.top >= view.top && spot.top + card.height <= view.bottom);
    if (side === "away") return;
    const isOver = spot.left < cell.right && spot.left + card.width > cell.left && spot.top < cell.bottom && spot.top + card.height > cell.top;
    assert.ok(!isOver);
  });
}
