import assert from "node:assert/strict";
import { test } from "node:test";

import { Past } from "../../cells/static/cells/sync/past.js";
import { ThenOrNow } from "../../cells/static/cells/ui/then_or_now.js";
import { FakeServer, makeClient } from "./fake_server.mjs";

/** A state as the server sends it, cut where no part of it ends. */
function bodyOf(...parts) {
  const bytes = new TextEncoder().encode(parts.map((part) => JSON.stringify(part) + "\n").join(""));
  const pieces = [bytes.slice(0, 7), bytes.slice(7, 90), bytes.slice(90)];
  return new ReadableStream({
    pull: (to) => (pieces.length > 0 ? to.enqueue(pieces.shift()) : to.close()),
  });
}

async function makePast() {
  const past = new Past(({ name, color }) => `${name} in ${color}`);
  const shape = { rows: [[0, 2], [2, -1], [3, 97]], columns: [[0, 26]], row_sizes: [[1, 1, 40]], frozen: [1, 0] };
  await past.read(
    bodyOf(
      { type: "cells.changed", after: 0, through: 5, more: true, changes: [[null, [[0, 0, "Preis", { bold: true }], [1, 0, "=A1", "", 7]]]] },
      { type: "cells.changed", after: 0, through: 5, changes: [["alice", [[4, 1, "", { fill: "#ffeeaa" }]]]], ...shape },
      { changed: [[0, 0, 0], [1, 0, 1], [1, 1, 0]], changed_count: 30_000, authors: [{ kind: "user", name: "Alice", color: "#3c88ec" }, { kind: "stream", name: "ticks", color: "#ee4f4f" }] },
    ),
  );
  return past;
}

test("a state of the past is read part by part, wherever the network cuts it", async () => {
  const past = await makePast();
  assert.deepEqual(past.cellAt(0, 0), { input: "Preis", style: { bold: true } });
  assert.deepEqual(past.cellAt(1, 0), { input: "=A1", value: 7 });
  assert.deepEqual([past.rows.length, past.frozen, past.rowSizes], [99, { rows: 1, columns: 0 }, [[1, 1, 40]]]);
  assert.deepEqual([[...past.filled()], [...past.styled()]], [[[0, 0], [1, 0]], [[0, 0], [4, 1]]]);
  assert.deepEqual([past.changedCount, past.firstChanged, past.changedIn(2)], [30_000, [0, 0], undefined]);
  const marks = [past.changedIn(0), past.changedIn(1)].map((row) => [...row]);
  assert.deepEqual(marks, [[[0, "Alice in #3c88ec"]], [[0, "ticks in #ee4f4f"], [1, "Alice in #3c88ec"]]]);
  assert.deepEqual(past.authors.map(({ name }) => name), ["Alice", "ticks"]);
});

test("while the past is shown nothing can be changed, and what comes meanwhile is there on return", async () => {
  const server = new FakeServer();
  const [alice, bob] = [makeClient("alice"), makeClient("bob")];
  for (const client of [alice, bob]) client.connect(server);
  const model = new ThenOrNow(alice.replica);
  model.submit({ kind: "set_cells", cells: [[0, 0, "now"]] });
  alice.exchange(server);
  const past = await makePast();
  model.show(past);
  assert.deepEqual([model.inputAt(0, 0), model.mayEdit, model.mayEditNow, model.isPast, model.undo()], ["Preis", false, true, true, false]);
  assert.throws(() => model.submit({ kind: "set_cells", cells: [[0, 0, "lost"]] }));
  bob.replica.submit({ kind: "set_cells", cells: [[0, 0, "bob's"]] });
  for (const client of [bob, alice]) client.exchange(server);
  assert.equal(model.inputAt(0, 0), "Preis");
  model.show(null);
  assert.deepEqual([model.inputAt(0, 0), model.mayEdit, server.filled()], ["bob's", true, ["0,0,bob's"]]);
});
