import assert from "node:assert/strict";
import { test } from "node:test";

import { PackedCells } from "../../cells/static/cells/sync/packed_cells.js";
import { Provisional } from "../../cells/static/cells/sync/provisional.js";
import { FakeServer, makeClient, numbersFrom } from "./fake_server.mjs";

const set = (...cells) => ({ kind: "set_cells", cells });

function loaded(at, rows, cells = []) {
  return { type: "rows.loaded", at, rows, cells };
}

/** A replica whose first load is under way: of a sheet at `head`, nothing of it has come. */
function loading(head = 5) {
  const client = makeClient("alice");
  client.isConnected = true;
  client.receive({
    type: "sheet.opened", protocol: 1, sheet: { slug: "demo", title: "Demo" }, role: "editor", you: { client_id: "alice", name: "A", color: "#000000" },
    head, filled: 9_000, rows: [[0, 1_000]], columns: [[0, 26]],
  });
  client.outbox.length = 0;
  return { client, replica: client.replica };
}

const first = (through, cells, more = true) => ({ type: "cells.changed", after: 0, through, changes: [[null, cells]], ...(more ? { more } : {}) });

test("rows that came ahead are shown, as they are and nothing else, until the whole is here", () => {
  const { client, replica } = loading();
  client.receive(first(5, [[7, 0, "whole"], [7, 1, "whole"]]));
  client.receive(loaded(6, [[7, 1]], [[7, 0, "ahead", { bold: true }]]));
  assert.deepEqual(replica.cellAt(7, 0), { input: "ahead", style: { bold: true } });
  assert.equal(replica.cellAt(7, 1), undefined); // cleared since
  assert.deepEqual([...replica.filled({ row: 7 })], [[7, 0]]);
  assert.ok(replica.isKnown(7) && !replica.isKnown(8) && !replica.isLoaded);
  client.receive(first(5, [[8, 0, "x"]], false));
  assert.ok(replica.isLoaded && replica.isKnown(8));
  assert.equal(replica.inputAt(7, 0), "ahead"); // newer than the whole: it stays until the log gets there
  client.receive({ type: "cells.changed", after: 5, through: 6, changes: [["bob", [[7, 0, "log", ""], [7, 1, ""]]]] });
  assert.equal(replica.inputAt(7, 0), "log");
});

test("rows as old as the whole give way to it", () => {
  const { client, replica } = loading();
  client.receive(loaded(5, [[0, 3]], [[1, 1, "ahead"]]));
  client.receive(first(5, [[1, 1, "whole"], [2, 2, "whole"]], false));
  assert.deepEqual([...replica.filled()].map((cell) => replica.inputAt(...cell)), ["whole", "whole"]);
});

test("of two answers the newer one counts, whichever comes first", () => {
  const { client, replica } = loading();
  client.receive(loaded(7, [[1, 1]], [[1, 1, "new"]]));
  client.receive(loaded(6, [[0, 3]], [[1, 1, "old"], [2, 1, "two"]]));
  assert.deepEqual([1, 2].map((row) => replica.inputAt(row, 1)), ["new", "two"]);
});

test("an answer that the whole has overtaken changes nothing", () => {
  const { client, replica } = loading();
  client.receive(first(5, [[1, 1, "whole"]], false));
  client.receive(loaded(9, [[0, 3]], [[1, 1, "late"]]));
  assert.equal(replica.inputAt(1, 1), "whole");
});

test("what is typed stands on rows that came ahead", () => {
  const { client, replica } = loading();
  client.receive(loaded(5, [[1, 1]], [[1, 0, "=A9", { bold: true }], [1, 1, "x"]]));
  replica.submit(set([1, 0, "mine"]));
  replica.submit({ kind: "set_styles", rows: [[1, 1]], columns: [[0, 2]], style: { italic: true } });
  assert.deepEqual(replica.cellAt(1, 0), { input: "mine", style: { bold: true, italic: true } });
  assert.deepEqual(replica.cellAt(1, 1), { input: "x", style: { italic: true } });
});

test("rows from beyond the end of a restored log are forgotten", () => {
  const { client, replica } = loading(9);
  client.receive(loaded(8, [[1, 1]], [[1, 1, "kept"]]));
  client.receive(loaded(9, [[2, 1]], [[2, 1, "lost"]]));
  client.disconnect();
  client.receive({ type: "sheet.opened", sheet: {}, role: "editor", you: {}, head: 8, rows: [[0, 1_000]], columns: [[0, 26]] });
  assert.deepEqual([1, 2].map((row) => replica.inputAt(row, 1)), ["kept", ""]);
});

test("a client that holds nothing says what it shows", () => {
  const { client } = loading();
  assert.equal(client.replica.openFrame().view, undefined); // it does not know
  client.view = { first: 30, count: 40 };
  assert.deepEqual(client.replica.openFrame().view, { rows: [30, 40] });
  client.receive(first(5, [], false));
  assert.equal(client.replica.openFrame().view, undefined);
});

test("rows in view that are missing are asked for, with those around them", () => {
  const { client, replica } = loading();
  client.receive(loaded(5, [[0, 30]]));
  replica.wantRows([{ first: 0, last: 19 }]);
  assert.deepEqual(client.outbox, []); // all of them are here
  replica.wantRows([{ first: 0, last: 1 }, { first: 20, last: 39 }]);
  assert.deepEqual(client.outbox, [{ type: "rows.load", rows: [[30, 20]] }]);
});

test("one question is asked at a time", () => {
  const { client, replica } = loading();
  client.receive(loaded(5, [[0, 1]]));
  const asked = () => client.outbox.splice(0).map(({ rows }) => rows);
  for (const first of [100, 200, 300]) replica.wantRows([{ first, last: first }]);
  assert.deepEqual(asked(), [[[100, 1]]]);
  client.receive(loaded(5, [[100, 1]]));
  replica.wantRows([{ first: 300, last: 300 }]);
  assert.deepEqual(asked(), [[[300, 1]]]);
});

test("nothing is asked of a server that has not shown to know of it, nor again over a new line before it has", () => {
  const { client, replica } = loading();
  replica.wantRows([{ first: 0, last: 9 }]);
  assert.deepEqual(client.outbox, []);
  client.receive(loaded(5, [[0, 1]]));
  client.disconnect();
  replica.wantRows([{ first: 0, last: 9 }]);
  client.isConnected = true;
  client.receive({ type: "sheet.opened", sheet: {}, role: "editor", you: {}, head: 5, rows: [[0, 1_000]], columns: [[0, 26]] });
  replica.wantRows([{ first: 0, last: 9 }]);
  assert.deepEqual(client.outbox, []);
});

test("nothing is asked for once the whole is here", () => {
  const { client, replica } = loading();
  client.receive(loaded(5, [[0, 1]]));
  client.receive(first(5, [], false));
  replica.wantRows([{ first: 100, last: 120 }]);
  assert.deepEqual(client.outbox, []);
});

test("of a view of more rows than the server answers, only as many are named, in runs of ids where they stand", () => {
  const { client, replica } = loading();
  client.receive(loaded(5, [[0, 1]]));
  client.receive({ type: "cells.changed", after: 0, through: 5, changes: [], more: true, rows: [[500, 2], [0, 3], [3, -1], [4, 996]] });
  replica.wantRows([{ first: 0, last: 9 }]);
  assert.deepEqual(client.outbox.pop().rows, [[500, 2], [1, 2], [4, 10]]);
});

test("what is known is listed once, by row, by column and whole", () => {
  /** @type {PackedCells} */
  const confirmed = new PackedCells();
  for (const [row, column] of [[0, 0], [0, 1], [1, 0]]) confirmed.set(row, column, { input: "c" });
  const known = new Provisional(confirmed);
  known.take(loaded(1, [[0, 1], [5, 1]], [[0, 2, "p"], [5, 0, "p"]]));
  const list = (only) => [...known.among(only)].map(String).sort();
  assert.deepEqual(list(), ["0,2", "1,0", "5,0"]);
  assert.deepEqual(list({ row: 0 }), ["0,2"]);
  assert.deepEqual(list({ column: 0 }), ["1,0", "5,0"]);
  assert.deepEqual(list({ row: 5, column: 2 }), []);
});

/** Whatever order a first load, rows ahead of it, edits and cuts come in: each row is shown as it once was, and the end is the log's. */
for (const isEditing of [false, true]) {
  test(`any order of things leads where the log leads${isEditing ? ", with edits of one's own" : ""}`, () => {
    for (let seed = 1; seed <= 400; seed += 1) play(seed, isEditing);
  });
}

function play(seed, isEditing) {
  const random = numbersFrom(seed);
  const below = (count) => Math.floor(random() * count);
  const server = new FakeServer({ rows: 8, columns: 4 });
  const history = [new Map()]; // by revision: "row,column" -> input
  const client = makeClient("alice", random);
  const { replica } = client;
  let queue = []; // on their way, in order
  let answers = []; // rows.loaded, that may overtake all others and each other
  let led = 0; // where the queue leads
  let isBetween = false; // a delta is here in part
  const newest = new Map(); // row -> the newest revision of it that came ahead

  const commit = () => {
    const operations = [
      () => set([below(8), below(4), random() < 0.3 ? "" : String(server.head)]),
      () => ({ kind: "set_styles", rows: [[below(7), 2]], columns: [[below(4), 1]], style: { bold: true } }),
      () => ({ kind: "insert_rows", before: below(8), count: 1 }),
    ];
    server.commit("bob", operations[random() < 0.8 ? 0 : 1 + below(2)]());
  };
  const note = () => {
    while (history.length <= server.head) history.push(new Map([...server.cells].map(([key, { input }]) => [key, input])));
  };
  const push = (delta) => {
    const { changes, ...rest } = delta;
    for (let at = 0; at < changes.length - 1; ) {
      const some = 1 + below(changes.length);
      if (at + some >= changes.length) break;
      queue.push({ type: delta.type, after: delta.after, through: delta.through, changes: changes.slice(at, at + some), more: true });
      changes.splice(0, some);
    }
    queue.push({ ...rest, changes });
    led = delta.through;
  };
  const connect = () => {
    client.isConnected = true;
    client.outbox.length = 0;
    const revision = replica.openFrame().revision ?? 0;
    server.open(client, revision, { isCatchUpHeld: true });
    server.clients.delete(client); // it goes live at the end of the load
    queue = client.inbox.splice(0);
    push(server.delta(revision));
  };
  const cut = () => {
    client.disconnect();
    queue = [];
    answers = [];
  };
  const look = (row, at) => {
    for (let column = 0; column < 4; column += 1) {
      assert.equal(replica.inputAt(row, column), history[at].get(`${row},${column}`) ?? "", `seed ${seed}, row ${row} at ${at}`);
    }
  };
  const check = () => {
    if (isEditing) return; // what is shown is not what the log has, then
    for (let row = 0; row < 8; row += 1) {
      const ahead = newest.get(row) ?? 0;
      if (ahead > replica.revision) look(row, ahead);
      else if (replica.revision > 0 && !isBetween) look(row, replica.revision);
    }
  };
  const step = () => {
    const what = random();
    if (what < 0.4 && queue.length > 0) {
      const frame = queue.shift();
      if (frame.type === "cells.changed") isBetween = frame.more === true; // a cut in between leaves it so
      client.receive(frame);
      if (frame.type === "sheet.opened") for (const [row, at] of newest) if (at > frame.head) newest.delete(row); // from before it
    } else if (what < 0.6) commit();
    else if (what < 0.7 && replica.rows.length > 0) {
      const [row, count] = [below(8), 1 + below(3)];
      const cells = [...server.cells].map(([key, { input, style }]) => [...key.split(",").map(Number), input, ...(style ? [style] : [])]);
      answers.push(loaded(server.head, [[row, count]], cells.filter(([id, , input, style]) => id >= row && id < row + count && (input || style))));
    } else if (what < 0.85 && answers.length > 0) {
      const [answer] = answers.splice(below(answers.length), 1);
      if (replica.revision === 0) {
        const [[first, count]] = answer.rows;
        for (let row = first; row < first + count; row += 1) newest.set(row, Math.max(answer.at, newest.get(row) ?? 0));
      }
      client.receive(answer);
    } else if (what < 0.9 && isEditing && replica.rows.length > 0) {
      replica.submit(random() < 0.2 ? { kind: "insert_rows", before: 0, count: 1 } : set([below(8), below(4), `mine ${below(100)}`]));
    } else if (what > 0.97) {
      cut();
      connect();
    }
    for (const frame of client.outbox.splice(0)) if (frame.type === "operation.submit") server.take(client, frame);
    for (const frame of client.inbox.splice(0)) {
      if (frame.type === "cells.changed") queue.push(frame);
      else client.receive(frame);
    }
    if (queue.length === 0 && client.isConnected && !server.clients.has(client)) {
      if (led < server.head) push(server.delta(led));
      else server.clients.add(client);
    }
    note();
    check();
  };

  for (let count = below(20); count > 0; count -= 1) commit();
  note();
  connect();
  for (let turn = 0; turn < 60; turn += 1) step();
  for (let turn = 0; turn < 200 && (queue.length > 0 || !server.clients.has(client)); turn += 1) {
    if (queue.length > 0) client.receive(queue.shift());
    if (queue.length === 0 && !server.clients.has(client)) {
      if (led < server.head) push(server.delta(led));
      else server.clients.add(client);
    }
  }
  for (const answer of answers) client.receive(answer);
  for (const frame of client.inbox.splice(0)) client.receive(frame);
  client.exchange(server);
  client.now += 60_000;
  replica.tick();
  client.exchange(server);
  assert.equal(replica.revision, server.head, `seed ${seed}`);
  assert.equal(replica.unsaved, 0, `seed ${seed}`);
  const shown = [...replica.filled()].map(([row, column]) => `${row},${column},${replica.inputAt(row, column)}`).sort();
  assert.deepEqual(shown, server.filled(), `seed ${seed}`);
  const styled = [...replica.styled()].map(([row, column]) => `${row},${column},${JSON.stringify(replica.styleAt(row, column))}`).sort();
  assert.deepEqual(styled, server.styled(), `seed ${seed}`);
}

test("the first cells are awaited right behind the shape of a sheet that has some, and no longer than the line lasts", () => {
  const { client, replica } = loading();
  assert.ok(replica.isAwaitingCells);
  client.receive(loaded(5, [[0, 1]], [[0, 0, "x"]]));
  assert.ok(!replica.isAwaitingCells);
  const other = loading();
  other.client.receive(first(5, [[0, 0, "x"]]));
  assert.ok(!other.replica.isAwaitingCells);
  const cut = loading();
  cut.replica.disconnected();
  assert.ok(!cut.replica.isAwaitingCells);
  const empty = makeClient("bob");
  empty.receive({ type: "sheet.opened", protocol: 1, sheet: { slug: "demo", title: "Demo" }, role: "editor", you: null, head: 0, filled: 0, rows: [[0, 9]], columns: [[0, 9]] });
  assert.ok(!empty.replica.isAwaitingCells);
});
