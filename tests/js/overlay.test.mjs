import assert from "node:assert/strict";
import { test } from "node:test";

import { Area, CellMap } from "../../cells/static/cells/domain/cells.js";
import { FakeServer, makeClient, numbersFrom } from "./fake_server.mjs";

const style = (rows, columns, changes) => ({ kind: "set_styles", rows, columns, style: changes });
const write = (...cells) => ({ kind: "set_cells", cells });

function opened(server = new FakeServer()) {
  const client = makeClient("alice");
  client.connect(server);
  return { server, client, replica: client.replica };
}

test("a style shows before it is sent, over what is there, and stays when it is confirmed", () => {
  const { server, client, replica } = opened();
  server.commit("bob", write([1, 1, "x", { bold: true, color: "#ff0000" }], [2, 1, "y"]));
  client.exchange(server);
  replica.submit(style([[1, 2]], [[1, 1]], { italic: true, color: null }));
  const shown = () => [replica.cellAt(1, 1), replica.cellAt(2, 1), replica.cellAt(1, 2), replica.styleAt(3, 1)];
  const expected = [{ input: "x", style: { bold: true, italic: true } }, { input: "y", style: { italic: true } }, undefined, undefined];
  assert.deepEqual(shown(), expected);
  client.exchange(server);
  assert.deepEqual(shown(), expected);
  assert.deepEqual([replica.unsaved, client.journal.size], [0, 0]);
});

test("styles and edits on their way show in their order", () => {
  const { replica } = opened();
  const at = () => replica.cellAt(0, 0);
  replica.submit(style([[0, 1]], [[0, 1]], { bold: true }));
  assert.deepEqual(at(), { input: "", style: { bold: true } });
  replica.submit(write([0, 0, "typed"]));
  assert.deepEqual(at(), { input: "typed", style: { bold: true } });
  replica.submit(write([0, 0, "pasted", { wrap: true }]));
  assert.deepEqual(at(), { input: "pasted", style: { wrap: true } });
  replica.submit(style([[0, 1]], [[0, 1]], { italic: true }));
  assert.deepEqual(at(), { input: "pasted", style: { wrap: true, italic: true } });
  replica.submit(write([0, 0, "plain", ""]));
  assert.deepEqual(at(), { input: "plain" });
  replica.submit(style([[0, 1]], [[0, 1]], ""));
  replica.submit(write([0, 0, ""]));
  assert.equal(at(), undefined);
});

test("a value stays while only the style changes, and goes with its input", () => {
  const { client, replica } = opened();
  client.receive({ type: "cells.changed", after: 0, through: 1, changes: [["bob", [[0, 0, "=1+1", "", 2]]]] });
  replica.submit(style([[0, 1]], [[0, 1]], { format: "percent" }));
  assert.deepEqual(replica.cellAt(0, 0), { input: "=1+1", style: { format: "percent" }, value: 2 });
  replica.submit(write([0, 0, "=1+2"]));
  assert.deepEqual(replica.cellAt(0, 0), { input: "=1+2", style: { format: "percent" } });
});

test("what a later release adds to a style, or gets wrong, is not shown", () => {
  const { client, replica } = opened();
  client.receive({ type: "cells.changed", after: 0, through: 1, changes: [["bob", [[0, 0, "x", { bold: true, glow: 3, color: "red" }], [0, 1, "", { glow: 3 }]]]] });
  assert.deepEqual([replica.cellAt(0, 0), replica.cellAt(0, 1)], [{ input: "x", style: { bold: true } }, undefined]);
});

test("cells that look alike have one style object, confirmed or not", () => {
  const { client, replica } = opened();
  client.receive({ type: "cells.changed", after: 0, through: 1, changes: [["bob", [[0, 0, "x", { bold: true }], [0, 1, "y", { bold: true }]]]] });
  replica.submit(style([[1, 1]], [[0, 1]], { bold: true }));
  assert.equal(replica.styleAt(0, 0), replica.styleAt(0, 1));
  assert.equal(replica.styleAt(1, 0), replica.styleAt(0, 0));
});

test("a style and an edit of the same cell keep their order, others do not wait", () => {
  const { client, replica } = opened();
  const sent = () => client.outbox.splice(0).map(({ operation_id }) => operation_id);
  const first = replica.submit(style([[0, 3]], [[0, 2]], { bold: true }));
  assert.deepEqual(sent(), [first]);
  const edit = replica.submit(write([2, 1, "in it"]));
  const again = replica.submit(style([[2, 1]], [[1, 1]], { bold: null }));
  const beside = replica.submit(style([[0, 3]], [[2, 1]], { italic: true }));
  const apart = replica.submit(write([3, 1, "beyond it"], [0, 2, "beside it"]));
  assert.deepEqual(sent(), [beside]);
  client.receive({ type: "operations.committed", operations: [[beside, 1]] });
  assert.deepEqual(sent(), [apart]);
  client.receive({ type: "operations.committed", operations: [[first, 2]] });
  assert.deepEqual(sent(), [edit]);
  client.receive({ type: "operations.committed", operations: [[edit, 3]] });
  assert.deepEqual(sent(), [again]);
});

test("a style of rows of which some are deleted meanwhile goes to the others", () => {
  const { server, client, replica } = opened();
  replica.submit(style([[0, 6]], [[0, 2]], { bold: true }));
  replica.submit(style([[8, 1]], [[0, 1]], { bold: true }));
  server.commit("bob", { kind: "delete_rows", rows: [[2, 2], [8, 1]] });
  server.commit("bob", { kind: "delete_columns", columns: [[1, 1]] });
  client.exchange(server);
  assert.deepEqual(server.log.at(-1).operation, style([[0, 2], [4, 2]], [[0, 1]], { bold: true }));
  assert.deepEqual(client.refusals.map(({ code, text }) => [code, text]), [["deleted", ""]]); // of row 8 nothing is left
  assert.deepEqual([replica.unsaved, client.journal.size, replica.styleAt(8, 0)], [0, 0, undefined]);
});

test("a refused style leaves the screen", () => {
  const { client, replica } = opened();
  const operation_id = replica.submit(style([[0, 1]], [[0, 1]], { bold: true }));
  client.receive({ type: "operation.rejected", operation_id, code: "limit_exceeded", message: "", retryable: false });
  assert.equal(replica.cellAt(0, 0), undefined);
  assert.equal(client.refusals.length, 1);
});

test("a paste beyond the edge brings its styles, and leaves what it has none for", () => {
  const server = new FakeServer({ rows: 2, columns: 2 });
  const { client, replica } = opened(server);
  server.commit("bob", write([1, 0, "old", { bold: true }], [1, 1, "old", { bold: true }]));
  client.exchange(server);
  replica.submit({ kind: "paste", cell: [1, 0], values: [["a", "b"], ["c", "d"]], styles: [[null, ""], [{ wrap: true }]] });
  client.exchange(server);
  assert.deepEqual(server.filled(), ["1,0,a", "1,1,b", "2,0,c", "2,1,d"]);
  assert.deepEqual(server.styled(), ['1,0,{"bold":true}', '2,0,{"wrap":true}']);
});

test("what was cut loses its style where it was and has it where it went", () => {
  const { server, client, replica } = opened();
  server.commit("bob", write([0, 0, "x", { bold: true }]));
  client.exchange(server);
  replica.submit({ kind: "transfer", cells: [[5, 5, "x", { bold: true }]], cleared: [[0, 0, "", ""]], after: [] });
  assert.deepEqual([replica.cellAt(5, 5), replica.styleAt(0, 0)], [{ input: "x", style: { bold: true } }, undefined]);
  client.exchange(server);
  assert.deepEqual(server.styled(), ['5,5,{"bold":true}']);
  replica.undo();
  client.exchange(server);
  assert.deepEqual([server.filled(), server.styled()], [["0,0,x"], ['0,0,{"bold":true}']]);
});

test("what is frozen comes with sheet.opened and with changes, and is nothing where it is not said", () => {
  const { server, client, replica } = opened();
  assert.deepEqual(replica.frozen, { rows: 0, columns: 0 });
  replica.submit({ kind: "freeze", rows: 2, columns: 1 });
  assert.deepEqual(replica.frozen, { rows: 0, columns: 0 });
  client.exchange(server);
  assert.deepEqual(replica.frozen, { rows: 2, columns: 1 });
  const late = opened(server).replica;
  assert.deepEqual(late.frozen, { rows: 2, columns: 1 });
  client.disconnect();
  server.commit("bob", { kind: "freeze", rows: 0, columns: 0 });
  client.connect(server);
  assert.deepEqual(replica.frozen, { rows: 0, columns: 0 });
});

test("what is frozen next starts from what is on its way, and not from what was taken back", () => {
  const { server, client, replica } = opened();
  replica.submit({ kind: "freeze", rows: 2, columns: 0 });
  assert.equal(replica.frozenNext.rows, 2);
  const { rows } = replica.frozenNext;
  replica.submit({ kind: "freeze", rows, columns: 1 });
  replica.undo();
  assert.deepEqual([replica.frozenNext.rows, replica.frozenNext.columns], [2, 0]);
  replica.redo();
  assert.equal(replica.frozenNext.columns, 1);
  client.exchange(server);
  assert.deepEqual([replica.frozen, replica.frozenNext], [{ rows: 2, columns: 1 }, { rows: 2, columns: 1 }]);
});

test("styled finds each cell that looks like something once, also by row and by column", () => {
  const { server, client, replica } = opened();
  replica.submit(write([1, 1, "a", { bold: true }], [1, 2, "b"], [3, 1, "", { wrap: true }], [5, 5, "c", { bold: true }]));
  client.exchange(server);
  replica.submit(write([1, 1, "a", ""], [7, 7, "", { fill: "#00ff00" }]));
  replica.submit(style([[3, 2]], [[1, 2]], { italic: true }));
  replica.submit(style([[4, 1]], [[2, 3]], { italic: true }));
  replica.submit(style([[5, 1]], [[5, 1]], ""));
  const sorted = (cells) => [...cells].map(String).sort();
  assert.deepEqual(sorted(replica.styled()), ["3,1", "3,2", "4,1", "4,2", "4,3", "4,4", "7,7"]);
  assert.deepEqual(sorted(replica.styled({ row: 3 })), ["3,1", "3,2"]);
  assert.deepEqual(sorted(replica.styled({ column: 2 })), ["3,2", "4,2"]);
  assert.deepEqual(sorted(replica.filled()), ["1,1", "1,2", "5,5"]);
});

test("an area meets what is in it, however its runs lie", () => {
  const random = numbersFrom(5);
  const pick = (count) => Math.floor(random() * count);
  const runs = () => Array.from({ length: 1 + pick(3) }, () => [pick(12), 1 + pick(3)]);
  for (let round = 0; round < 500; round += 1) {
    const [one, other] = [0, 1].map(() => new Area(runs(), runs()));
    const [few, more] = [one, other].map((area) => new Set([...area.cells()].map(String)));
    assert.equal(one.meets(other), [...few].some((cell) => more.has(cell)));
    const map = new CellMap();
    for (let count = 0; count < 3; count += 1) map.set(pick(15), pick(15), true);
    assert.equal(one.meets(map), [...map.among()].some((cell) => few.has(String(cell))));
    const [row, column] = [pick(15), pick(15)];
    assert.equal(one.has(row, column), few.has(`${row},${column}`));
    assert.deepEqual([...one.cells({ row, column })].length, Number(one.has(row, column)));
  }
});

test("a cell finds its style under a hundred styles of ten thousand cells each", () => {
  const { replica } = opened(new FakeServer({ rows: 100_000, columns: 26 }));
  for (let part = 0; part < 100; part += 1) replica.submit(style([[part * 1_000, 1_000]], [[0, 10]], { bold: true }));
  let bold = 0;
  for (let row = 50_500; row < 50_540; row += 1) for (let column = 0; column < 26; column += 1) bold += replica.cellAt(row, column)?.style?.bold ? 1 : 0;
  assert.equal(bold, 400);
});
