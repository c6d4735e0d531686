import assert from "node:assert/strict";
import { test } from "node:test";

import { FakeServer, makeClient } from "./fake_server.mjs";

const restore = { kind: "restore", revision: 1 };
const set = (input) => ({ kind: "set_cells", cells: [[0, 0, input]] });

function opened() {
  const server = new FakeServer();
  const client = makeClient("alice");
  client.connect(server);
  client.replica.submit(set("a"));
  client.exchange(server);
  return { server, client };
}

const kinds = (server) => server.log.map(({ author, operation }) => `${author} ${operation.kind}`);

test("a restore races what others do on the connection on which it was submitted", () => {
  const { server, client } = opened();
  client.replica.submit(restore);
  server.commit("bob", set("b"));
  client.exchange(server);
  assert.deepEqual(kinds(server).slice(1), ["bob set_cells", "alice restore"]);
  assert.deepEqual(client.refusals, []);
});

test("a restore that was on its way when the connection broke does not replace what came meanwhile", () => {
  for (const isSent of [true, false]) {
    const { server, client } = opened();
    if (isSent) client.replica.submit(restore);
    client.disconnect();
    if (!isSent) client.replica.submit(restore);
    server.commit("bob", set("b"));
    client.connect(server);
    client.exchange(server);
    assert.deepEqual(kinds(server).slice(1), ["bob set_cells"]);
    assert.deepEqual(client.refusals.map(({ code, operation }) => [code, operation.kind]), [["outdated", "restore"]]);
    assert.deepEqual([client.replica.unsaved, client.journal.size], [0, 0]);
  }
});

test("a restore whose connection broke, or whose page was reloaded, goes on where nothing has come", () => {
  const { server, client } = opened();
  client.replica.submit(restore);
  client.disconnect();
  const after = makeClient("alice", undefined, null, client.steps);
  after.replica.restore(structuredClone([...client.journal.values()]));
  after.connect(server);
  after.exchange(server);
  assert.deepEqual(kinds(server), ["alice set_cells", "alice restore"]);
  assert.deepEqual(server.log[1].operation, restore);
  assert.deepEqual(after.restored, [[server.log[1].operation_id, 0]]);
});
