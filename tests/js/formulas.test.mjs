import assert from "node:assert/strict";
import { test } from "node:test";

import { toShown } from "../../cells/static/cells/domain/references.js";
import { Actions } from "../../cells/static/cells/ui/actions.js";
import { Clipboard } from "../../cells/static/cells/ui/clipboard.js";
import { Filling } from "../../cells/static/cells/ui/filling.js";
import { shownOf } from "../../cells/static/cells/ui/formats.js";
import { Selection } from "../../cells/static/cells/ui/selection.js";
import { ShownCells } from "../../cells/static/cells/ui/shown_cells.js";
import { sortRange } from "../../cells/static/cells/ui/sorting.js";
import { FakeServer, makeClient } from "./fake_server.mjs";

const set = (...cells) => ({ kind: "set_cells", cells });
const range = (top, left, bottom, right) => ({ top, left, bottom, right });

/** A sheet with some edits, and a tab with all that changes many cells at once. */
function seated(cells = [], size = { rows: 20, columns: 6 }) {
  const server = new FakeServer(size);
  if (cells.length > 0) server.commit("bob", set(...cells));
  const client = makeClient("alice");
  client.connect(server);
  const { replica } = client;
  const selection = new Selection(replica.rows, replica.columns, () => {});
  const actions = new Actions(replica, selection, assert.fail);
  const filling = new Filling(replica, selection, actions, assert.fail);
  const host = new EventTarget();
  const clipboard = new Clipboard(host, replica, selection, actions, {
    shown: new ShownCells(replica),
    tell: assert.fail,
    changed: () => {},
    isEditing: () => false,
  });
  /** What a copy or cut of a range puts on the clipboard. */
  const take = (kind, area) => {
    selection.selectRange(area);
    const data = {};
    host.dispatchEvent(Object.assign(new Event(kind), { clipboardData: { setData: (type, text) => (data[type] = text) } }));
    return data;
  };
  /** A formula as it reads now. */
  const reads = (row, column) => toShown(replica.inputAt(replica.rows.idAt(row), replica.columns.idAt(column)), replica);
  return { server, client, replica, selection, actions, filling, clipboard, take, reads };
}

/** The server tells what formulas have come to. */
function calculated(client, author, ...cells) {
  const { revision } = client.replica;
  client.receive({ type: "cells.changed", after: revision, through: revision + 1, changes: [[author, cells]] });
}

test("a formula that is filled down refers to the next row each time, a $ holds", () => {
  const { filling, selection, reads } = seated([[0, 1, "=A1*$A$1+B$1"]]);
  selection.selectRange(range(0, 1, 3, 1));
  filling.down();
  assert.deepEqual([1, 2, 3].map((row) => reads(row, 1)), ["=A2*$A$1+B$1", "=A3*$A$1+B$1", "=A4*$A$1+B$1"]);
  selection.selectRange(range(0, 1, 0, 2));
  filling.right();
  assert.equal(reads(0, 2), "=B1*$A$1+C$1");
});

test("a series takes formulas as copies, of the one that stands as far away in the pattern", () => {
  const { filling, reads, replica } = seated([[4, 0, "=A1"], [5, 0, "7"], [0, 3, "1"], [1, 3, "2"]]);
  filling.extend(range(4, 0, 5, 0), range(4, 0, 8, 0));
  assert.deepEqual([6, 7, 8].map((row) => reads(row, 0)), ["=A3", "7", "=A5"]);
  filling.extend(range(4, 0, 4, 0), range(2, 0, 4, 0));
  assert.deepEqual([3, 2].map((row) => reads(row, 0)), ["=#REF!", "=#REF!"]);
  filling.extend(range(0, 3, 1, 3), range(0, 3, 2, 3));
  assert.equal(replica.inputAt(2, 3), "3");
});

test("where rows have been moved, copies count places, not ids", () => {
  const { server, client, filling, selection, reads } = seated([[0, 1, "=A1"]]);
  server.commit("bob", { kind: "move_rows", rows: [[9, 1]], before: 1 });
  client.exchange(server);
  selection.selectRange(range(0, 1, 2, 1));
  filling.down();
  assert.deepEqual([1, 2].map((row) => reads(row, 1)), ["=A2", "=A3"]);
});

test("a formula for a whole selection is the active cell's, and copies of it", () => {
  const { actions, selection, reads } = seated();
  selection.select({ row: 2, column: 2 });
  selection.extend({ row: 1, column: 1 });
  assert.equal(actions.fill("=A3+$A$1"), true);
  assert.deepEqual([reads(2, 2), reads(1, 1), reads(1, 2)], ["=A3+$A$1", "=#REF!+$A$1", "=A2+$A$1"]);
});

test("other programs get values; dates as dates, numbers with all their digits", () => {
  const { client, take } = seated([[0, 0, "=1/3"], [0, 1, "=TODAY()"], [0, 2, "=A1>0"], [0, 3, "=1/0"], [0, 4, "=X"], [1, 0, "=A1"], [1, 1, "plain"]]);
  calculated(client, "calculator", [0, 0, "=1/3", "", 1 / 3], [0, 1, "=TODAY()", "", 46353], [0, 2, "=A1>0", "", true], [0, 3, "=1/0", "", { error: "#DIV/0!" }], [0, 4, "=X", "", "text"]);
  const { "text/plain": text, "text/html": html } = take("copy", range(0, 0, 1, 4));
  assert.equal(text, `${1 / 3}\t2026-11-27\tTRUE\t#DIV/0!\ttext\n\tplain\t\t\t`);
  assert.match(html, /<td>0.3333333333<\/td><td>Nov 27, 2026<\/td><td>TRUE<\/td>/);
});

test("what is cut and pasted refers to the same cells", () => {
  const { client, take, clipboard, selection, reads } = seated([[2, 1, "=A3+$A$1"]]);
  calculated(client, "calculator", [2, 1, "=A3+$A$1", "", 3]);
  const { "text/plain": text } = take("cut", range(2, 1, 2, 1));
  selection.select({ row: 7, column: 3 });
  clipboard.paste(text);
  assert.deepEqual([reads(7, 3), reads(2, 1)], ["=A3+$A$1", ""]);
});

test("a text from elsewhere that begins with = is a formula of the places that are seen", () => {
  const { server, client, clipboard, selection, replica } = seated();
  server.commit("bob", { kind: "move_rows", rows: [[9, 1]], before: 0 });
  client.exchange(server);
  selection.rebase(replica.rows, replica.columns);
  selection.select({ row: 1, column: 1 });
  clipboard.paste("=a1\tplain\n=\t7");
  assert.deepEqual([replica.inputAt(0, 1), replica.inputAt(0, 2), replica.inputAt(1, 1)], ["=A10", "plain", "="]);
});

test("the same text from another program is no formula of ours", () => {
  const { client, take, clipboard, selection, replica } = seated([[0, 0, "=1+5"]]);
  calculated(client, "calculator", [0, 0, "=1+5", "", 6]);
  assert.equal(take("copy", range(0, 0, 0, 0))["text/plain"], "6");
  selection.select({ row: 4, column: 0 });
  clipboard.paste("6");
  assert.equal(replica.inputAt(4, 0), "6");
});

test("a paste beyond the edge may refer to what is born for it, whoever inserts rows meanwhile", () => {
  const { server, client, clipboard, selection, reads, replica } = seated([], { rows: 3, columns: 2 });
  selection.select({ row: 2, column: 1 });
  clipboard.paste("=A1+C4\t=B5\n=SUM(B3:C5)\t=C3\n=B9\t1");
  server.commit("bob", { kind: "insert_rows", before: 0, count: 2 });
  server.commit("bob", { kind: "insert_rows", before: null, count: 1 });
  client.exchange(server);
  assert.equal(replica.unsaved, 0);
  assert.deepEqual([reads(4, 1), reads(4, 2)], ["=A3+C6", "=B7"]);
  assert.deepEqual([reads(5, 1), reads(5, 2)], ["=SUM(B5:C7)", "=C5"]);
  assert.deepEqual([reads(6, 1), reads(6, 2)], ["=#REF!", "1"]);
});

test("such a paste survives a reload at every stage", () => {
  for (let stage = 0; stage < 12; stage += 1) {
    const { server, client: before, clipboard, selection } = seated([], { rows: 2, columns: 1 });
    server.commit("bob", { kind: "insert_rows", before: null, count: 1 });
    selection.select({ row: 1, column: 0 });
    clipboard.paste("=A3\n=A2\n=A4");
    for (let step = 0; step < stage; step += 1) {
      if (before.outbox.length > 0) server.take(before, before.outbox.shift());
      else if (before.inbox.length > 0) before.receive(before.inbox.shift());
    }
    before.disconnect();
    const after = makeClient("alice again");
    after.replica.restore(structuredClone([...before.journal.values()].sort((one, other) => one.order - other.order)));
    after.connect(server);
    after.exchange(server);
    const read = [1, 2, 3].map((row) => toShown(server.input(after.replica.rows.idAt(row), 0), after.replica));
    assert.deepEqual(read, ["=A3", "=A2", "=A4"], `stage ${stage}`);
  }
});

test("a formula that is refused comes back as it is typed, also one that names what was never born", () => {
  const { server, client, replica, clipboard, selection } = seated([], { rows: 3, columns: 2 });
  server.commit("bob", { kind: "move_rows", rows: [[2, 1]], before: 0 });
  client.exchange(server);
  const refuse = (operation_id) => client.receive({ type: "operation.rejected", operation_id, code: "forbidden", message: "", retryable: false });
  refuse(replica.submit(set([0, 0, "=A3+1"])));
  selection.rebase(replica.rows, replica.columns);
  selection.select({ row: 2, column: 0 });
  clipboard.paste("=A4+A1\tx\n=A3\ty");
  refuse(client.outbox.at(-1).operation_id);
  assert.deepEqual(client.refusals.map(({ text }) => text), ["=A1+1", "=A4+A1\tx\n=A3\ty"]);
});

test("a value that changes is nobody's edit, and overwrites nothing", () => {
  const { server, client, replica } = seated([[0, 0, "=B1", { bold: true }]]);
  client.exchange(server);
  replica.submit(set([1, 0, "=A1"]));
  client.exchange(server);
  for (const author of [null, "calculator"]) calculated(client, author, [0, 0, "=B1", { bold: true }, author === null ? 1 : 2], [1, 0, "=A1", "", 1]);
  assert.deepEqual([client.told, client.overwritten], [[], []]);
  assert.equal(replica.cellAt(0, 0).value, 2);
  calculated(client, "bob", [0, 0, "=B1", { italic: true }, 2], [1, 0, "=A2", "", 1]);
  assert.deepEqual(client.told.map(([author, cells]) => [author, cells.length]), [["bob", 2]]);
  assert.deepEqual(client.overwritten.map(({ text }) => text), ["=A1"]);
});

test("a formula on its way has no value yet; the same one again keeps it", () => {
  const { server, client, replica } = seated([[0, 0, "=B1"]]);
  client.exchange(server);
  assert.deepEqual(shownOf(replica.cellAt(0, 0)), ["", "pending"]);
  calculated(client, "calculator", [0, 0, "=B1", "", 5]);
  assert.deepEqual(shownOf(replica.cellAt(0, 0)), ["5", "number"]);
  replica.submit(set([0, 0, "=B2"]));
  assert.deepEqual(shownOf(replica.cellAt(0, 0)), ["", "pending"]);
  replica.submit(set([0, 0, "=B1", { bold: true }]));
  assert.deepEqual(replica.cellAt(0, 0), { input: "=B1", style: { bold: true }, value: 5 });
});

test("a sort goes by values, and shows them where the formulas go", () => {
  const { client, server, replica, selection, actions, reads } = seated([[0, 0, "=B$1"], [1, 0, "=B$2"], [2, 0, "=B$3+C3"], [3, 0, "=B4"], [0, 1, "9"], [1, 1, "5"], [2, 1, "7"]]);
  client.exchange(server);
  calculated(client, "calculator", [0, 0, "=B$1", "", 9], [1, 0, "=B$2", "", 5], [2, 0, "=B$3+C3", "", 7]);
  selection.selectRange(range(0, 0, 3, 1));
  sortRange(replica, selection, actions, 1, assert.fail);
  assert.deepEqual([0, 1, 2, 3].map((row) => shownOf(replica.cellAt(row, 0))[0]), ["5", "7", "9", ""]);
  assert.deepEqual([0, 1, 2].map((row) => reads(row, 0)), ["=B$2", "=B$3+C2", "=B$1"]);
  const { operation } = client.outbox.at(-1);
  assert.deepEqual([operation.order, "shown" in operation], [[1, 2, 0, 3], false]);
});

test("a row that is inserted where a range's first one was deleted is not in the range, as the server tells", () => {
  const { client, reads } = seated([[0, 1, "=SUM(A3:A9)+SUM(A3:A)"]]);
  const told = (through, rows, row_deaths) => client.receive({ type: "cells.changed", after: through - 1, through, changes: [], rows, ...row_deaths });
  told(2, [[0, 2], [2, -1], [3, 17]], { row_deaths: [[2, 1, 20]] });
  assert.equal(reads(0, 1), "=SUM(A3:A8)+SUM(A3:A)");
  told(3, [[0, 2], [2, -1], [20, 1], [3, 17]], { row_deaths: [[2, 1, 20]] });
  assert.equal(reads(0, 1), "=SUM(A4:A9)+SUM(A4:A)");
  // A server that tells no deaths means the nearest survivor.
  told(4, [[0, 2], [2, -1], [20, 1], [3, 17]], {});
  assert.equal(reads(0, 1), "=SUM(A3:A9)+SUM(A3:A)");
  // sheet.opened tells them, too.
  client.receive({ type: "sheet.opened", protocol: 1, sheet: {}, role: "editor", you: {}, head: 5, columns: [[0, 6]], rows: [[0, 2], [2, -1], [20, 1], [3, 17]], row_deaths: [[2, 1, 20]] });
  assert.equal(reads(0, 1), "=SUM(A4:A9)+SUM(A4:A)");
});
