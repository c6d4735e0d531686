import assert from "node:assert/strict";
import { test } from "node:test";

import { FakeServer, makeClient, numbersFrom } from "./fake_server.mjs";

function opened(server = new FakeServer()) {
  const client = makeClient("alice");
  client.connect(server);
  return { server, client, replica: client.replica };
}

/** The first rows upside down, in the first columns. */
function reversed(replica) {
  const [rows, columns] = [replica.rows.runsBetween(0, 2), replica.columns.runsBetween(0, 1)];
  const ids = [0, 1, 2].map((place) => replica.rows.idAt(place)).filter((id) => id !== undefined);
  const across = [0, 1].map((place) => replica.columns.idAt(place));
  const shown = ids.flatMap((id, place) =>
    across.map((column) => [id, column, replica.inputAt(ids.at(-1 - place), column), replica.styleAt(ids.at(-1 - place), column) ?? ""]),
  );
  return { kind: "reorder_cells", rows, columns, order: ids.map((_, place) => ids.length - 1 - place), shown };
}

/** Lose some frames, but no part of an answer. */
function lose(inbox, from, count) {
  const lost = inbox.slice(from, from + count).filter(({ isPart }) => !isPart);
  for (const frame of lost) inbox.splice(inbox.indexOf(frame), 1);
}

/** Let frames change places, but not the parts of an answer. */
function mixUp(inbox, random) {
  const loose = inbox.filter(({ isPart }) => !isPart).sort(() => random() - 0.5);
  for (const [place, { isPart }] of [...inbox].entries()) if (!isPart) inbox[place] = loose.pop();
}

const set = (row, column, input) => ({ kind: "set_cells", cells: [[row, column, input]] });

test("an edit shows before it is sent, is sent once, and is saved when committed and confirmed", () => {
  const { server, client, replica } = opened();
  replica.submit(set(1, 2, "x"));
  assert.equal(replica.inputAt(1, 2), "x");
  assert.equal(replica.unsaved, 1);
  assert.equal(client.outbox.filter(({ type }) => type === "operation.submit").length, 1);
  client.exchange(server);
  assert.equal(replica.unsaved, 0);
  assert.equal(replica.inputAt(1, 2), "x");
  assert.equal(server.input(1, 2), "x");
  assert.equal(client.journal.size, 0);
});

test("a committed edit stays visible until the confirmed cells have it", () => {
  const { replica, client } = opened();
  const operation_id = replica.submit(set(0, 0, "mine"));
  client.receive({ type: "operations.committed", operations: [[operation_id, 1]] });
  assert.equal(replica.unsaved, 0);
  assert.equal(replica.inputAt(0, 0), "mine");
  client.receive({ type: "cells.changed", after: 0, through: 1, changes: [["alice", [[0, 0, "mine"]]]] });
  assert.equal(replica.inputAt(0, 0), "mine");
  client.receive({ type: "cells.changed", after: 1, through: 2, changes: [["bob", [[0, 0, "theirs"]]]] });
  assert.equal(replica.inputAt(0, 0), "theirs");
});

test("another's earlier edit of the same cell does not show through one that is under way", () => {
  const { replica, client } = opened();
  replica.submit(set(0, 0, "mine"));
  client.receive({ type: "cells.changed", after: 0, through: 1, changes: [["bob", [[0, 0, "theirs"]]]] });
  assert.equal(replica.inputAt(0, 0), "mine");
});

test("a refused edit leaves the screen and its text comes back", () => {
  const { replica, client } = opened();
  const operation_id = replica.submit(set(0, 0, "precious"));
  client.receive({ type: "operation.rejected", operation_id, code: "limit_exceeded", message: "Too long.", retryable: false });
  assert.equal(replica.inputAt(0, 0), "");
  assert.equal(client.journal.size, 0);
  const { code, message, text } = client.refusals[0];
  assert.deepEqual({ code, message, text }, { code: "limit_exceeded", message: "Too long.", text: "precious" });
});

test("of many edits only those in deleted rows are lost, and only they come back as text", () => {
  const { server, client, replica } = opened();
  replica.submit({ kind: "set_cells", cells: [[1, 0, "one"], [2, 0, "two"], [3, 0, "three"]] });
  replica.submit(set(3, 0, "newer"));
  server.commit("bob", { kind: "delete_rows", rows: [[2, 1]] });
  client.exchange(server);
  assert.deepEqual(client.refusals.map(({ code, text }) => [code, text]), [["deleted", "two"]]);
  assert.equal(server.input(1, 0), "one");
  assert.equal(server.input(3, 0), "newer");
  assert.equal(replica.unsaved, 0);
  assert.equal(client.journal.size, 0);
});

test("a refusal that comes before the news of the deletion waits for it", () => {
  const { client, replica } = opened();
  const operation_id = replica.submit({ kind: "set_cells", cells: [[1, 0, "one"], [2, 0, "two"]] });
  const refusal = { type: "operation.rejected", operation_id, code: "deleted", message: "", retryable: false };
  client.receive(refusal);
  assert.equal(replica.inputAt(2, 0), "two");
  client.receive({ type: "cells.changed", after: 0, through: 1, changes: [], rows: [[0, 2], [2, -1], [3, 97]] });
  client.now += 10_000;
  replica.tick();
  client.receive(refusal);
  assert.deepEqual(client.outbox.at(-1).operation.cells, [[1, 0, "one"]]);
  assert.notEqual(client.outbox.at(-1).operation_id, operation_id);
  assert.deepEqual(client.refusals.map(({ text }) => text), ["two"]);
});

test("an edit whose rows live and that is refused as deleted again and again is given up", () => {
  const { client, replica } = opened();
  const operation_id = replica.submit(set(1, 0, "one"));
  for (let round = 0; round < 6; round += 1) {
    client.receive({ type: "operation.rejected", operation_id, code: "deleted", message: "", retryable: false });
    client.now += 10_000;
    replica.tick();
  }
  assert.deepEqual(client.refusals.map(({ text }) => text), ["one"]);
});

test("a retryable refusal is sent again later under the same id, and what depends on it waits", () => {
  const { replica, client } = opened();
  const first = replica.submit(set(0, 0, "1"));
  client.outbox.length = 0;
  const second = replica.submit(set(0, 0, "2"));
  const elsewhere = replica.submit(set(5, 5, "other cells do not wait"));
  assert.deepEqual(client.outbox.map(({ operation_id }) => operation_id), [elsewhere]);
  client.outbox.length = 0;
  client.receive({ type: "operation.rejected", operation_id: first, code: "unavailable", message: "", retryable: true });
  replica.tick();
  assert.deepEqual(client.outbox, []);
  assert.equal(replica.inputAt(0, 0), "2");
  client.now += 600;
  replica.tick();
  assert.deepEqual(client.outbox.map(({ operation_id }) => operation_id), [first]);
  client.receive({ type: "operations.committed", operations: [[first, 1]] });
  assert.equal(client.outbox.at(-1).operation_id, second);
});

test("after a reconnect unanswered operations go out again, in order, under the same ids", () => {
  const { server, client, replica } = opened();
  const ids = [replica.submit(set(0, 0, "a")), replica.submit(set(1, 0, "b")), replica.submit(set(2, 0, "c"))];
  client.disconnect();
  ids.push(replica.submit(set(3, 0, "d")));
  client.outbox.length = 0;
  client.connect(server);
  assert.deepEqual(client.outbox.filter(({ type }) => type === "operation.submit").map(({ operation_id }) => operation_id), ids);
});

test("an operation that was committed before the line broke is not committed twice", () => {
  const { server, client, replica } = opened();
  replica.submit(set(0, 0, "once"));
  for (const frame of client.outbox.splice(0)) server.take(client, frame);
  client.inbox.length = 0; // the answer is lost
  client.disconnect();
  client.connect(server);
  client.exchange(server);
  assert.equal(server.head, 1);
  assert.equal(replica.unsaved, 0);
});

test("an answer that never comes is asked for again", () => {
  const { client, replica } = opened();
  const operation_id = replica.submit(set(0, 0, "x"));
  client.outbox.length = 0;
  client.now += 16_000;
  replica.tick();
  assert.deepEqual(client.outbox.map((frame) => frame.operation_id), [operation_id]);
});

test("a frame from beyond the revision asks for what lies between, once", () => {
  const { client, replica } = opened();
  client.receive({ type: "cells.changed", after: 3, through: 4, changes: [["bob", [[0, 0, "4"]]]] });
  client.receive({ type: "cells.changed", after: 4, through: 5, changes: [["bob", [[0, 0, "5"]]]] });
  assert.equal(replica.inputAt(0, 0), "");
  assert.deepEqual(client.outbox.filter(({ type }) => type === "sheet.open").length, 1);
});

test("frames that overlap are applied, frames from the past are dropped", () => {
  const { client, replica } = opened();
  client.receive({ type: "cells.changed", after: 0, through: 2, changes: [["bob", [[0, 0, "2"]]]] });
  client.receive({ type: "cells.changed", after: 1, through: 3, changes: [["bob", [[0, 0, "3"]]]] });
  client.receive({ type: "cells.changed", after: 0, through: 2, changes: [["bob", [[0, 0, "2"]]]] });
  assert.equal(replica.inputAt(0, 0), "3");
  assert.equal(replica.revision, 3);
});

test("a heartbeat whose head stays ahead for two seconds is a gap", () => {
  const { client, replica } = opened();
  client.receive({ type: "sheet.heartbeat", head: 7 });
  client.now += 1_900;
  replica.tick();
  assert.deepEqual(client.outbox, []);
  client.now += 200;
  replica.tick();
  assert.deepEqual(client.outbox.map(({ type, revision }) => [type, revision]), [["sheet.open", null]]);
});

test("more:true moves cells but not the revision", () => {
  const { client, replica } = opened();
  client.receive({ type: "cells.changed", after: 0, through: 9, changes: [[null, [[0, 0, "a"]]]], more: true });
  assert.equal(replica.inputAt(0, 0), "a");
  assert.equal(replica.revision, 0);
  client.receive({ type: "cells.changed", after: 0, through: 9, changes: [[null, [[0, 1, "b"]]]] });
  assert.equal(replica.revision, 9);
});

test("news in several frames show at once: between two states of the log there is nothing to see", () => {
  const { client, replica } = opened();
  const part = (cells, more) => ({ type: "cells.changed", after: 3, through: 9, changes: [["bob", cells]], ...(more && { more }) });
  client.receive({ type: "cells.changed", after: 0, through: 3, changes: [[null, [[0, 0, "a"], [0, 1, "b"]]]] });
  client.receive(part([[0, 0, "b"]], true));
  assert.deepEqual([replica.inputAt(0, 0), replica.inputAt(0, 1)], ["a", "b"]);
  client.receive({ type: "cells.changed", after: 3, through: 5, changes: [["dave", [[1, 1, "d"]]]] });
  client.receive(part([[0, 1, "a"]]));
  assert.deepEqual([replica.inputAt(0, 0), replica.inputAt(0, 1), replica.inputAt(1, 1), replica.revision], ["b", "a", "d", 9]);
});

test("a part of news that were cut off is not taken for a part of the next ones", () => {
  const { client, replica } = opened();
  client.receive({ type: "cells.changed", after: 0, through: 3, changes: [[null, [[0, 0, "a"]]]] });
  client.receive({ type: "cells.changed", after: 3, through: 9, changes: [["bob", [[0, 0, "late"]]]], more: true });
  client.disconnect();
  client.receive({ type: "cells.changed", after: 3, through: 9, changes: [["bob", [[0, 1, "b"]]]] });
  assert.deepEqual([replica.inputAt(0, 0), replica.inputAt(0, 1)], ["a", "b"]);
});

test("a first load that broke off leaves nothing behind that was cleared since", () => {
  const { client, replica } = opened();
  client.receive({ type: "cells.changed", after: 0, through: 9, changes: [[null, [[0, 0, "cleared later"]]]], more: true });
  client.disconnect();
  const server = new FakeServer();
  server.commit("bob", set(1, 1, "x"));
  client.connect(server);
  client.exchange(server);
  assert.equal(replica.inputAt(0, 0), "");
  assert.equal(replica.inputAt(1, 1), "x");
});

test("a sheet that came back from a backup is read anew, a hub that trails by a moment is not", () => {
  const { client, replica } = opened();
  client.receive({ type: "cells.changed", after: 0, through: 9, changes: [[null, [[0, 0, "lost by the backup"]]]] });
  client.receive({ type: "sheet.heartbeat", head: 4 });
  assert.equal(replica.inputAt(0, 0), "lost by the backup");
  client.now += 10_000;
  client.receive({ type: "sheet.heartbeat", head: 4 });
  assert.deepEqual(client.outbox.map(({ type, revision }) => [type, revision]), [["sheet.open", null]]);
  assert.equal(replica.inputAt(0, 0), "");
});

test("sheet.opened with an older head is an older database: its whole sheet is taken at once", () => {
  const server = new FakeServer();
  const { client, replica } = opened(server);
  for (let row = 0; row < 10; row += 1) server.commit("bob", set(row, 0, `before ${row}`));
  client.exchange(server);
  const lost = replica.submit(set(0, 5, "in the log that is gone"));
  client.receive({ type: "operations.committed", operations: [[lost, 12]] }); // its cells do not come any more
  client.disconnect();
  replica.submit(set(1, 5, "typed meanwhile"));

  const restored = new FakeServer();
  for (let row = 0; row < 6; row += 1) restored.commit("bob", set(row, 0, `before ${row}`));
  client.connect(restored);
  assert.equal(replica.revision, 6);
  assert.equal(replica.inputAt(9, 0), "");
  assert.equal(replica.inputAt(0, 5), "");
  for (let row = 20; row < 40; row += 1) restored.commit("carol", set(row, 1, `after ${row}`));
  client.exchange(restored);
  assert.equal(replica.revision, restored.head);
  assert.equal(restored.input(1, 5), "typed meanwhile");
  const shown = [...replica.filled()].map(([row, column]) => `${row},${column},${replica.inputAt(row, column)}`).sort();
  assert.deepEqual(shown, restored.filled());
  assert.equal(client.now, 1_000_000);
});

test("a log that has grown again beyond what is held is told, and taken whole", () => {
  const server = new FakeServer();
  const { client, replica } = opened(server);
  for (let row = 0; row < 10; row += 1) server.commit("bob", set(row, 0, `before ${row}`));
  client.exchange(server);
  client.disconnect();
  replica.submit(set(1, 5, "typed meanwhile"));
  client.now += 60_000;
  assert.equal(replica.openFrame().held_ms, 60_000);

  const restored = new FakeServer();
  for (let row = 0; row < 6; row += 1) restored.commit("bob", set(row, 0, `before ${row}`));
  for (let row = 20; row < 40; row += 1) restored.commit("carol", set(row, 1, `after ${row}`));
  client.connect(restored, { isAfresh: true });
  client.exchange(restored);
  assert.equal(replica.revision, restored.head);
  assert.equal(restored.input(1, 5), "typed meanwhile");
  const shown = [...replica.filled()].map(([row, column]) => `${row},${column},${replica.inputAt(row, column)}`).sort();
  assert.deepEqual(shown, restored.filled());
});

test("an older head that answers an older question is asked about again", () => {
  const { client, replica } = opened();
  client.receive({ type: "cells.changed", after: 0, through: 8, changes: [["bob", [[0, 0, "8"]]]] });
  const { revision } = replica.openFrame();
  client.receive({ type: "cells.changed", after: 8, through: 10, changes: [["bob", [[0, 0, "10"]]]] });
  const restored = new FakeServer();
  for (let row = 1; row <= 9; row += 1) restored.commit("bob", set(row, 0, `${row}`));
  restored.open(client, revision);
  client.exchange(restored);
  assert.equal(replica.revision, 9);
  assert.equal(replica.inputAt(0, 0), "");
  assert.equal(replica.inputAt(1, 0), "1");
});

test("axes from the past do not undo those that sheet.opened brought", () => {
  const server = new FakeServer();
  for (let count = 0; count < 5; count += 1) server.commit("bob", { kind: "insert_rows", before: null, count: 1 });
  const client = makeClient("alice");
  client.connect(server, { isCatchUpHeld: true });
  const rows = client.replica.rows.length;
  client.receive({ type: "cells.changed", after: 0, through: 2, changes: [], rows: [[0, 1]] });
  assert.equal(client.replica.rows.length, rows);
});

test("a viewer sends nothing and keeps what an editor left", () => {
  const client = makeClient("alice");
  client.replica.restore([{ operation_id: "00000000-0000-4000-8000-000000000001", operation: set(0, 0, "x"), order: 1 }]);
  client.connect(new FakeServer({ role: "viewer" }));
  assert.deepEqual(client.outbox.filter(({ type }) => type === "operation.submit"), []);
  assert.equal(client.replica.unsaved, 1);
});

test("what the journal kept is sent after a reload, under its ids and in its order", () => {
  const server = new FakeServer();
  const before = makeClient("alice");
  before.connect(server);
  before.disconnect();
  const ids = [before.replica.submit(set(0, 0, "1")), before.replica.submit(set(0, 0, "2")), before.replica.submit(set(1, 0, "3"))];
  const lines = [...before.journal.values()].sort((a, b) => a.order - b.order);
  assert.deepEqual(lines.map(({ operation_id }) => operation_id), ids);

  const after = makeClient("alice");
  after.replica.restore(structuredClone(lines));
  assert.equal(after.replica.inputAt(0, 0), "2");
  after.connect(server);
  after.exchange(server);
  assert.equal(server.head, 3);
  assert.equal(server.input(0, 0), "2");
  assert.equal(after.replica.unsaved, 0);
});

test("orphans go in front of this tab's own edits, and adopting them twice changes nothing", () => {
  const client = makeClient("alice");
  client.replica.submit(set(0, 0, "newer"));
  const orphans = ["older", "old"].map((input, place) => ({
    operation_id: `00000000-0000-4000-8000-00000000000${place}`,
    operation: set(0, 0, input),
    order: place,
  }));
  client.replica.adopt(orphans);
  client.replica.adopt(orphans);
  assert.equal(client.replica.unsaved, 3);
  assert.equal(client.replica.inputAt(0, 0), "newer");
  const server = new FakeServer();
  client.connect(server);
  client.exchange(server);
  assert.deepEqual(server.log.map(({ operation }) => operation.cells[0][2]), ["older", "old", "newer"]);
});

test("a paste beyond the edge waits for the births and then fits, whatever else happens", () => {
  const server = new FakeServer({ rows: 3, columns: 2 });
  const { client, replica } = opened(server);
  replica.submit({ kind: "paste", cell: [2, 1], values: [["a", "b"], ["c", "d"], ["e", "f"]] });
  replica.submit(set(0, 0, "typed meanwhile"));
  server.commit("bob", { kind: "insert_rows", before: 0, count: 2 });
  client.exchange(server);
  assert.equal(replica.unsaved, 0);
  assert.equal(replica.rows.length, 7);
  assert.equal(replica.columns.length, 3);
  const at = (row, column) => replica.inputAt(replica.rows.idAt(row), replica.columns.idAt(column));
  assert.deepEqual([at(4, 1), at(4, 2), at(6, 1), at(6, 2)], ["a", "b", "e", "f"]);
  assert.equal(replica.inputAt(0, 0), "typed meanwhile");
});

test("a paste beyond the edge survives a reload at every stage", () => {
  for (let stage = 0; stage < 12; stage += 1) {
    const server = new FakeServer({ rows: 2, columns: 2 });
    const before = makeClient("alice");
    before.connect(server);
    before.replica.submit({ kind: "paste", cell: [1, 1], values: [["a", "b"], ["c", "d"]] });
    for (let step = 0; step < stage; step += 1) {
      if (before.outbox.length > 0) server.take(before, before.outbox.shift());
      else if (before.inbox.length > 0) before.receive(before.inbox.shift());
    }
    before.disconnect();

    const after = makeClient("alice again");
    after.replica.restore([...before.journal.values()].sort((one, other) => one.order - other.order));
    after.connect(server);
    after.exchange(server);
    const { rows, columns } = after.replica;
    assert.deepEqual([rows.length, columns.length], [3, 3], `stage ${stage}`);
    assert.equal(server.input(rows.idAt(1), columns.idAt(1)), "a", `stage ${stage}`);
    assert.equal(server.input(rows.idAt(2), columns.idAt(2)), "d", `stage ${stage}`);
    assert.equal(after.replica.unsaved, 0);
  }
});

test("a server that keeps refusing for now is said to be busy, and no longer when it takes the edit", () => {
  const { client, replica } = opened();
  const operation_id = replica.submit(set(0, 0, "x"));
  for (let round = 0; round < 4; round += 1) {
    assert.equal(replica.isStruggling, false);
    client.receive({ type: "operation.rejected", operation_id, code: "unavailable", message: "", retryable: true });
    client.now += 10_000;
    replica.tick();
  }
  assert.equal(replica.isStruggling, true);
  client.receive({ type: "operations.committed", operations: [[operation_id, 1]] });
  client.receive({ type: "cells.changed", after: 0, through: 1, changes: [["alice", [[0, 0, "x"]]]] });
  assert.equal(replica.isStruggling, false);
});

test("a paste whose births are refused comes back as text, and what follows goes on", () => {
  const { client, replica } = opened(new FakeServer({ rows: 1, columns: 1 }));
  replica.submit({ kind: "paste", cell: [0, 0], values: [["a"], ["b"]] });
  replica.submit(set(0, 0, "after"));
  const birth = client.outbox.at(-1);
  assert.equal(birth.operation.kind, "insert_rows");
  client.receive({ type: "operation.rejected", operation_id: birth.operation_id, code: "limit_exceeded", message: "Full.", retryable: false });
  assert.deepEqual(client.refusals.map(({ code, text }) => [code, text]), [["limit_exceeded", "a\nb"]]);
  assert.equal(client.outbox.at(-1).operation.cells[0][2], "after");
});

test("after too many messages one operation goes at a time, four a second", () => {
  const { client, replica } = opened();
  const submitted = () => client.outbox.splice(0).map(({ operation_id }) => operation_id);
  replica.slowDown();
  const ids = [0, 1, 2].map((row) => replica.submit(set(row, 0, "x")));
  assert.deepEqual(submitted(), [ids[0]]);
  client.receive({ type: "operations.committed", operations: [[ids[0], 1]] });
  replica.tick();
  assert.deepEqual(submitted(), []);
  client.now += 250;
  replica.tick();
  assert.deepEqual(submitted(), [ids[1]]);
});

test("filled finds each visible cell once, also by row and by column", () => {
  const { server, client, replica } = opened();
  replica.submit(set(1, 1, "a"));
  replica.submit(set(1, 2, "b"));
  replica.submit(set(3, 1, "c"));
  client.exchange(server);
  replica.submit(set(1, 1, ""));
  replica.submit(set(4, 1, "d"));
  const sorted = (cells) => [...cells].map(String).sort();
  assert.deepEqual(sorted(replica.filled()), ["1,2", "3,1", "4,1"]);
  assert.deepEqual(sorted(replica.filled({ row: 1 })), ["1,2"]);
  assert.deepEqual(sorted(replica.filled({ column: 1 })), ["3,1", "4,1"]);
});

for (let seed = 1; seed <= 60; seed += 1) {
  test(`any loss, repetition and reordering of frames ends in the server's state (seed ${seed})`, () => {
    const random = numbersFrom(seed);
    const pick = (count) => Math.floor(random() * count);
    const server = new FakeServer({ rows: 6, columns: 4 });
    const clients = ["alice", "bob", "dave"].map((name, place) => makeClient(name, numbersFrom(seed * 31 + place)));
    for (const client of clients) client.connect(server);
    for (let step = 0; step < 150; step += 1) {
      const client = clients[pick(clients.length)];
      const { rows, columns } = client.replica;
      const any = (axis) => axis.idAt(pick(axis.length)) ?? 0;
      const action = pick(19);
      if (action < 5) client.replica.submit(set(any(rows), any(columns), random() < 0.2 ? "" : `${client.name} ${step}`));
      else if (action === 5) client.replica.submit({ kind: "insert_rows", before: random() < 0.5 ? null : any(rows), count: 1 + pick(3) });
      else if (action === 6 && rows.length > 3) client.replica.submit({ kind: "delete_rows", rows: [[any(rows), 1]] });
      else if (action === 7) client.replica.submit({ kind: "move_columns", columns: [[any(columns), 1]], before: null });
      else if (action === 8) client.replica.submit({ kind: "paste", cell: [any(rows), any(columns)], values: [["p", "q"], [`${step}`, "r"]] });
      else if (action === 9) (client.isConnected ? client.disconnect() : client.connect(server));
      else if (action === 10) lose(client.inbox, pick(client.inbox.length), 1 + pick(3));
      else if (action === 11 && client.inbox.length) client.inbox.push(structuredClone(client.inbox[pick(client.inbox.length)]));
      else if (action === 12) mixUp(client.inbox, random);
      else if (action === 13) client.replica.submit({ kind: "set_styles", rows: [[any(rows), 1]], columns: [[0, 1 + pick(3)]], style: pick(4) ? { bold: pick(2) ? true : null, decimals: pick(3) } : "" });
      else if (action === 14) client.replica.submit({ kind: "set_cells", cells: [[any(rows), any(columns), `styled ${step}`, pick(2) ? { wrap: true } : ""]] });
      else if (action === 15) (pick(2) ? client.replica.undo() : client.replica.redo());
      else if (action === 16) client.replica.submit({ kind: "freeze", rows: pick(3), columns: pick(2) });
      else if (action === 17) client.replica.submit(reversed(client.replica));
      else client.now += pick(4_000);
      if (random() < 0.2) server.unavailable = pick(3);
      if (random() < 0.7) for (const frame of client.outbox.splice(0, pick(4))) server.take(client, frame);
      if (random() < 0.7) for (const frame of client.inbox.splice(0, pick(4))) client.receive(frame);
      if (random() < 0.1) client.replica.tick();
    }
    server.unavailable = 0;
    for (let round = 0; round < 80; round += 1) {
      for (const client of clients) {
        if (!client.isConnected) client.connect(server);
        client.exchange(server);
        server.beat(client);
        client.now += 5_000;
        client.replica.tick();
      }
    }
    assert.equal(new Set(server.log.map(({ operation_id }) => operation_id)).size, server.log.length);
    for (const { name, replica, journal } of clients) {
      assert.equal(replica.unsaved, 0, `${name} has unsaved edits`);
      assert.equal(journal.size, 0, `${name}'s journal is not empty`);
      assert.equal(replica.revision, server.head);
      assert.deepEqual(replica.rows.toRuns(), server.rows.toRuns());
      assert.deepEqual(replica.columns.toRuns(), server.columns.toRuns());
      const shown = [...replica.filled()].map(([row, column]) => `${row},${column},${replica.inputAt(row, column)}`).sort();
      assert.deepEqual(shown, server.filled());
      const styled = [...replica.styled()].map(([row, column]) => `${row},${column},${JSON.stringify(replica.styleAt(row, column))}`).sort();
      assert.deepEqual(styled, server.styled());
      assert.deepEqual([replica.frozen.rows, replica.frozen.columns], server.frozen);
    }
  });
}
