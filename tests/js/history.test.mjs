import assert from "node:assert/strict";
import { test } from "node:test";

import { History } from "../../cells/static/cells/sync/history.js";
import { FakeServer, makeClient } from "./fake_server.mjs";

const set = (row, column, input) => ({ kind: "set_cells", cells: [[row, column, input]] });

function opened(server = new FakeServer(), name = "alice") {
  const client = makeClient(name);
  client.connect(server);
  return { server, client, replica: client.replica };
}

/** The tab as it is after a reload. */
function reloaded(client, server) {
  client.disconnect();
  const after = makeClient(client.name, undefined, null, client.steps);
  after.replica.restore(structuredClone([...client.journal.values()].sort((one, other) => one.order - other.order)));
  after.connect(server);
  after.exchange(server);
  return after;
}

/** A history without a sheet, and what it says. */
function history(stored = null) {
  const said = { saved: stored, changes: 0, left: [] };
  const steps = { load: () => said.saved, save: (kept) => (said.saved = structuredClone(kept)) };
  return { said, history: new History(steps, () => (said.changes += 1), (count) => said.left.push(count)) };
}

test("what was done last is taken back first, and done again in its order", () => {
  const { server, client, replica } = opened();
  for (const input of ["1", "2", "3"]) {
    replica.submit(set(0, 0, input));
    client.exchange(server);
  }
  const after = (what) => {
    assert.equal(replica[what](), true);
    client.exchange(server);
    return replica.inputAt(0, 0);
  };
  assert.deepEqual([after("undo"), after("undo"), after("redo"), after("undo"), after("undo")], ["2", "1", "2", "1", ""]);
  assert.equal(replica.undo(), false);
  assert.deepEqual([after("redo"), after("redo"), after("redo")], ["1", "2", "3"]);
  assert.equal(replica.redo(), false);
  assert.deepEqual([replica.unsaved, client.journal.size, client.refusals.length], [0, 0, 0]);
});

test("an operation is taken back by its id, though something newer came behind it", () => {
  const { server, client, replica } = opened();
  const id = replica.submit(set(0, 0, "a"));
  replica.submit(set(1, 1, "newer"));
  client.exchange(server);
  assert.deepEqual([replica.undo(id), replica.undo(id), replica.undo("another tab's")], [true, false, false]);
  client.exchange(server);
  assert.deepEqual(server.filled(), ["1,1,newer"]);
  assert.equal(replica.undo(), true);
  client.exchange(server);
  assert.deepEqual(server.filled(), []);
});

test("what is submitted as one step is taken back and done again as one, the newest part first", () => {
  const { server, client, replica } = opened();
  const ids = replica.asOneStep(() => [replica.submit(set(0, 0, "a")), replica.asOneStep(() => replica.submit(set(0, 0, "b"))), replica.submit(set(1, 1, "c"))]);
  replica.submit(set(5, 5, "apart"));
  client.exchange(server);
  replica.undo();
  replica.undo();
  client.exchange(server);
  assert.deepEqual(server.filled(), []);
  assert.deepEqual(server.log.slice(-3).map(({ operation }) => operation), [...ids].reverse().map((operation_id) => ({ kind: "undo", operation_id })));
  replica.redo();
  client.exchange(server);
  assert.deepEqual(server.filled(), ["0,0,b", "1,1,c"]);
  assert.equal(replica.canRedo, true);
});

test("a step of nothing is no step, and one that breaks off is one as far as it came", () => {
  const { replica } = opened();
  replica.asOneStep(() => {});
  assert.equal(replica.canUndo, false);
  assert.throws(() => replica.asOneStep(() => {
    replica.submit(set(0, 0, "a"));
    throw new Error("broken off");
  }), /broken off/);
  assert.equal(replica.canUndo, true);
});

test("a new edit ends what could be done again", () => {
  const { server, client, replica } = opened();
  replica.submit(set(0, 0, "a"));
  replica.undo();
  assert.equal(replica.canRedo, true);
  replica.submit(set(0, 0, "b"));
  assert.equal(replica.redo(), false);
  client.exchange(server);
  assert.deepEqual(server.filled(), ["0,0,b"]);
});

test("the page hears when there is something to undo or redo, and when no longer", () => {
  const { server, client, replica } = opened();
  replica.submit(set(0, 0, "a"));
  replica.submit(set(0, 1, "b"));
  replica.undo();
  replica.undo();
  replica.redo();
  client.exchange(server);
  assert.deepEqual(client.news, [[true, false], [true, true], [false, true], [true, true]]);
});

test("a viewer undoes nothing", () => {
  const { server, client, replica } = opened();
  replica.submit(set(0, 0, "a"));
  client.exchange(server);
  replica.role = "viewer";
  assert.deepEqual([replica.canUndo, replica.undo()], [false, false]);
});

test("structure, sizes of what is frozen and styles are taken back like inputs", () => {
  const { server, client, replica } = opened();
  const { rows, columns } = server;
  replica.submit({ kind: "insert_rows", before: 3, count: 2 });
  replica.submit({ kind: "move_columns", columns: [[0, 1]], before: null });
  replica.submit({ kind: "freeze", rows: 1, columns: 2 });
  replica.submit({ kind: "set_styles", rows: [[0, 2]], columns: [[0, 1]], style: { bold: true } });
  replica.submit({ kind: "delete_rows", rows: [[7, 1]] });
  client.exchange(server);
  assert.deepEqual(replica.frozen, { rows: 1, columns: 2 });
  for (let count = 0; count < 5; count += 1) assert.ok(replica.undo());
  client.exchange(server);
  assert.deepEqual(client.refusals, []);
  assert.deepEqual([server.rows.toRuns().filter(([, count]) => count > 0), server.columns], [rows.toRuns(), columns]);
  assert.deepEqual([replica.frozen, replica.styleAt(0, 0)], [{ rows: 0, columns: 0 }, undefined]);
});

test("the cells that were left alone are counted once for a step, also when the answer comes twice", () => {
  const { server, client, replica } = opened();
  replica.asOneStep(() => [0, 1, 2].map((row) => replica.submit(set(row, 0, "mine"))));
  client.exchange(server);
  for (const row of [0, 2]) server.commit("bob", set(row, 0, "theirs"));
  replica.undo();
  const frames = client.outbox.splice(0);
  for (const frame of [...frames, ...frames]) server.take(client, frame);
  client.exchange(server);
  assert.deepEqual(server.filled(), ["0,0,theirs", "2,0,theirs"]);
  assert.deepEqual(client.left, [2]);
});

test("an undo waits until what it names is in the log, and is not shown as undone and done in between", () => {
  const { server, client, replica } = opened();
  const operation_id = replica.submit(set(0, 0, "a"));
  replica.submit(set(4, 4, "b"));
  client.outbox.length = 0;
  replica.undo();
  replica.undo();
  assert.equal(replica.inputAt(0, 0), "");
  assert.deepEqual(client.outbox, []);
  client.receive({ type: "operation.rejected", operation_id, code: "unavailable", message: "", retryable: true });
  client.now += 10_000;
  replica.tick();
  assert.equal(client.outbox.at(-1).operation_id, operation_id);
  replica.redo();
  assert.equal(replica.inputAt(0, 0), "a");
  client.now += 60_000;
  replica.tick();
  client.exchange(server);
  assert.deepEqual(server.filled(), ["0,0,a"]);
  assert.deepEqual([replica.unsaved, client.refusals.length], [0, 0]);
});

test("what is undone offline shows what was under it, and so it stays", () => {
  const { server, client, replica } = opened();
  server.commit("bob", { kind: "set_cells", cells: [[0, 0, "old", { wrap: true }]] });
  client.exchange(server);
  client.disconnect();
  replica.submit(set(0, 0, "new"));
  replica.submit({ kind: "set_cells", cells: [[0, 0, "newer", { bold: true }]] });
  replica.submit({ kind: "set_styles", rows: [[0, 1]], columns: [[0, 1]], style: { italic: true } });
  const shown = () => [replica.inputAt(0, 0), replica.styleAt(0, 0)];
  assert.deepEqual(shown(), ["newer", { bold: true, italic: true }]);
  replica.undo();
  assert.deepEqual(shown(), ["newer", { bold: true }]);
  replica.undo();
  assert.deepEqual(shown(), ["new", { wrap: true }]);
  replica.redo();
  assert.deepEqual(shown(), ["newer", { bold: true }]);
  replica.undo();
  replica.undo();
  assert.deepEqual(shown(), ["old", { wrap: true }]);
  const after = reloaded(client, server);
  assert.deepEqual([after.replica.inputAt(0, 0), after.replica.styleAt(0, 0), server.input(0, 0)], ["old", { wrap: true }, "old"]);
  assert.equal(after.replica.unsaved, 0);
});

test("what was done before a reload is taken back and done again after it", () => {
  const { server, client, replica } = opened();
  for (let row = 0; row < 3; row += 1) replica.submit(set(row, 0, `${row}`));
  client.exchange(server);
  replica.undo();
  client.exchange(server);
  const after = reloaded(client, server);
  assert.deepEqual([after.replica.canUndo, after.replica.canRedo], [true, true]);
  after.replica.redo();
  after.replica.undo();
  after.replica.undo();
  after.exchange(server);
  assert.deepEqual(server.filled(), ["0,0,0"]);
  assert.deepEqual(after.refusals, []);
});

test("an undo on its way survives a reload at every stage", () => {
  for (let stage = 0; stage < 8; stage += 1) {
    const { server, client, replica } = opened();
    replica.asOneStep(() => [0, 1].map((row) => replica.submit(set(row, 0, "x"))));
    replica.undo();
    for (let step = 0; step < stage; step += 1) {
      if (client.outbox.length > 0) server.take(client, client.outbox.shift());
      else if (client.inbox.length > 0) client.receive(client.inbox.shift());
    }
    const after = reloaded(client, server);
    assert.deepEqual(server.filled(), [], `stage ${stage}`);
    assert.deepEqual([after.replica.unsaved, after.journal.size, after.refusals.length], [0, 0, 0], `stage ${stage}`);
    after.replica.redo();
    after.exchange(server);
    assert.deepEqual(server.filled(), ["0,0,x", "1,0,x"], `stage ${stage}`);
  }
});

test("a paste beyond the edge is taken back whole: its cells and the rows born for it, at every stage", () => {
  for (let stage = 0; stage < 14; stage += 1) {
    const server = new FakeServer({ rows: 3, columns: 2 });
    const { client, replica } = opened(server);
    replica.submit({ kind: "paste", cell: [2, 1], values: [["a", "b"], ["c", "d"]] });
    for (let step = 0; step < stage; step += 1) {
      if (client.outbox.length > 0) server.take(client, client.outbox.shift());
      else if (client.inbox.length > 0) client.receive(client.inbox.shift());
    }
    assert.equal(replica.undo(), true);
    client.exchange(server);
    const after = stage % 2 ? reloaded(client, server) : client;
    assert.deepEqual(server.filled(), [], `stage ${stage}`);
    assert.deepEqual([after.replica.rows.length, after.replica.columns.length], [3, 2], `stage ${stage}`);
    assert.deepEqual([after.replica.unsaved, after.journal.size, after.refusals.length], [0, 0, 0], `stage ${stage}`);
    assert.equal(after.replica.canUndo, false);
    after.replica.redo();
    after.exchange(server);
    assert.deepEqual(server.filled(), ["2,1,a", "2,2,b", "3,1,c", "3,2,d"], `stage ${stage}`);
    assert.deepEqual(after.refusals, []);
  }
});

test("an edit that is sent again without what was deleted is taken back under its new id", () => {
  const { server, client, replica } = opened();
  replica.submit({ kind: "set_cells", cells: [[1, 0, "one"], [2, 0, "two"]] });
  replica.submit({ kind: "set_styles", rows: [[1, 2]], columns: [[0, 1]], style: { bold: true } });
  server.commit("bob", { kind: "delete_rows", rows: [[2, 1]] });
  client.exchange(server);
  assert.deepEqual([server.input(1, 0), server.style(1, 0)], ["one", { bold: true }]);
  replica.undo();
  replica.undo();
  client.exchange(server);
  assert.deepEqual([server.input(1, 0), server.style(1, 0)], ["", undefined]);
  assert.deepEqual(client.refusals.map(({ text }) => text), ["two"]);
});

test("an edit undone while it waits, and sent again in part, is undone in part", () => {
  const { server, client, replica } = opened();
  replica.submit({ kind: "set_cells", cells: [[1, 0, "one"], [2, 0, "two"]] });
  replica.undo();
  server.commit("bob", { kind: "delete_rows", rows: [[2, 1]] });
  client.exchange(server);
  assert.deepEqual(server.filled(), []);
  assert.equal(replica.unsaved, 0);
  replica.redo();
  client.exchange(server);
  assert.deepEqual(server.filled(), ["1,0,one"]);
});

test("what was refused is no step, and an undo of it does not travel", () => {
  const { server, client, replica } = opened();
  const operation_id = replica.submit(set(0, 0, "too long"));
  replica.undo();
  client.outbox.length = 0;
  client.receive({ type: "operation.rejected", operation_id, code: "limit_exceeded", message: "", retryable: false });
  client.exchange(server);
  assert.deepEqual([replica.canUndo, replica.canRedo, replica.unsaved, client.journal.size, server.head], [false, false, 0, 0, 0]);
  assert.equal(client.refusals.length, 1);
});

test("an undo for which there is nothing is told, and its step is gone", () => {
  const { server, client, replica } = opened();
  const operation_id = replica.submit(set(0, 0, "a"));
  client.exchange(server);
  server.commit("alice", { kind: "undo", operation_id }); // in another tab of the same person
  replica.undo();
  client.exchange(server);
  assert.deepEqual(client.refusals.map(({ code, operation }) => [code, operation]), [["nothing_to_undo", { kind: "undo", operation_id }]]);
  assert.deepEqual([replica.canUndo, replica.canRedo, replica.unsaved, client.journal.size], [false, false, 0, 0]);
});

test("what cannot be undone for now goes back to where it was, the rest can be done again", () => {
  const { server, client, replica } = opened();
  replica.submit(set(9, 9, "before"));
  const ids = replica.asOneStep(() => [0, 1, 2].map((row) => replica.submit(set(row, 0, `${row}`))));
  client.exchange(server);
  replica.undo();
  for (let round = 0; round < 3; round += 1) {
    const frame = client.outbox.shift();
    if (frame.operation.operation_id === ids[2]) server.take(client, frame);
    else client.hear({ type: "operation.rejected", operation_id: frame.operation_id, code: "limit_exceeded", message: "Full.", retryable: false });
    for (const heard of client.inbox.splice(0)) client.receive(heard);
  }
  assert.deepEqual(client.steps.undo.slice(-1), [[ids[0], ids[1]]]);
  assert.deepEqual(client.steps.redo, [[ids[2]]]);
  replica.undo();
  client.exchange(server);
  assert.deepEqual(server.filled(), ["9,9,before"]);
  replica.redo();
  replica.redo();
  client.exchange(server);
  assert.deepEqual(server.filled(), ["0,0,0", "1,0,1", "2,0,2", "9,9,before"]);
});

test("a database that was put back does not know what was done: it is told, and others' steps go on", () => {
  const { server, client, replica } = opened();
  for (let row = 0; row < 4; row += 1) {
    replica.submit(set(row, 0, `${row}`));
    client.exchange(server);
  }
  client.disconnect();
  const restored = new FakeServer();
  for (const { operation, operation_id } of server.log.slice(0, 2)) restored.commit("alice", operation, operation_id);
  client.connect(restored);
  client.exchange(restored);
  for (let count = 0; count < 3; count += 1) replica.undo();
  client.exchange(restored);
  assert.deepEqual(client.refusals.map(({ code }) => code), ["nothing_to_undo", "nothing_to_undo"]);
  assert.deepEqual(restored.filled(), ["0,0,0"]);
});

test("two hundred steps are kept, the oldest go", () => {
  const { said, history: steps } = history();
  for (let number = 0; number < 230; number += 1) steps.did(`${number}`);
  const taken = [];
  for (let ids = steps.take("undo"); ids !== null; ids = steps.take("undo")) taken.push(...ids);
  assert.deepEqual(taken, Array.from({ length: 200 }, (_, place) => `${229 - place}`));
  assert.equal(said.saved.redo.length, 200);
  assert.equal(said.changes, 3); // something to undo; to redo as well; to redo only
});

test("two hundred steps are taken back and done again by the server", () => {
  const { server, client, replica } = opened();
  for (let number = 1; number <= 200; number += 1) replica.submit(set(number % 7, 0, `${number}`));
  client.exchange(server);
  const { length } = server.filled();
  const full = server.filled();
  while (replica.undo());
  client.exchange(server);
  assert.equal(length, 7);
  assert.deepEqual(server.filled(), []);
  while (replica.redo());
  client.exchange(server);
  assert.deepEqual(server.filled(), full);
  assert.equal(server.head, 600);
});

for (const stored of ["nonsense", 7, { undo: "x", redo: [[], [1], "y", ["good"]] }, { undo: null }]) {
  test(`what is stored and is no history does no harm: ${JSON.stringify(stored)}`, () => {
    const { history: steps } = history(stored);
    assert.equal(steps.canUndo, false);
    assert.equal(steps.canRedo, Boolean(stored.redo));
  });
}
