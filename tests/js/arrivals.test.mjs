import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { Arrivals, pause } from "../../cells/static/cells/sync/arrivals.js";
import { FakeServer, makeClient } from "./fake_server.mjs";

const beat = (head) => ({ type: "sheet.heartbeat", head });

/** A packed load as the server sends it: what announces it, then pieces of `size` bytes. */
function packed(frames, size = 20) {
  const data = gzipSync(frames.map((frame) => `${JSON.stringify(frame)}\n`).join(""));
  const pieces = [];
  for (let at = 0; at < data.length; at += size) {
    pieces.push(new Uint8Array(data.subarray(at, at + size)).buffer);
  }
  return [{ type: "cells.packed", after: 0, through: 1, encoding: "gzip", cells: 0, bytes: data.length }, ...pieces];
}

function arrivals(receive = () => {}) {
  const seen = { frames: [], errors: [], pauses: 0, progress: 0, now: 0 };
  const made = new Arrivals({
    receive: (frame) => {
      seen.frames.push(frame);
      receive(frame);
    },
    progressed: () => (seen.progress += 1),
    broken: (error) => seen.errors.push(error),
    begin: () => seen.shown ?? Promise.resolve(),
    pause: async () => {
      seen.pauses += 1;
      await pause();
    },
    now: () => (seen.now += 1),
  });
  return { seen, made };
}

async function until(isSo) {
  for (let turn = 0; turn < 500 && !isSo(); turn += 1) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.ok(isSo());
}

test("frames come through at once while nothing is packed", () => {
  const { seen, made } = arrivals();
  made.take(beat(1));
  assert.deepEqual(seen.frames, [beat(1)]);
});

test("what is in a packed load comes in order, and before what followed it", async () => {
  const { seen, made } = arrivals();
  const lines = Array.from({ length: 50 }, (_, number) => ({ type: "cells.changed", number, text: "é\u2028" }));
  const [announced, ...pieces] = packed(lines);
  made.take(announced);
  for (const piece of pieces.slice(0, 3)) made.take(piece);
  made.take(beat(1)); // between the pieces
  for (const piece of pieces.slice(3)) made.take(piece);
  for (const message of packed([beat(2)])) made.take(message); // another one right behind it
  made.take(beat(3));
  await until(() => seen.frames.length === 53);
  assert.deepEqual(seen.frames, [...lines, beat(1), beat(2), beat(3)]);
  assert.ok(seen.pauses >= 5, "the page had its turn");
  assert.ok(seen.progress >= pieces.length);
  made.take(beat(4));
  assert.deepEqual(seen.frames.at(-1), beat(4));
});

test("a packed load waits until the page has nothing better to do, rows that were asked for do not", async () => {
  const { seen, made } = arrivals();
  let show = () => {};
  seen.shown = new Promise((resolve) => (show = resolve));
  for (const message of packed([beat(1)])) made.take(message);
  made.take({ type: "rows.loaded" });
  for (let turn = 0; turn < 5; turn += 1) await pause();
  assert.deepEqual(seen.frames, [{ type: "rows.loaded" }]);
  show();
  await until(() => seen.frames.length === 2);
  assert.deepEqual(seen.frames[1], beat(1));
});

test("a line that is cut takes the rest of a packed load with it", async () => {
  const { seen, made } = arrivals();
  const [announced, ...pieces] = packed([beat(1)]);
  made.take(announced);
  for (const piece of pieces.slice(0, -1)) made.take(piece);
  made.take(beat(2));
  made.forget();
  made.take(beat(3)); // of the next connection
  made.take(pieces.at(-1));
  await pause();
  assert.deepEqual(seen.frames, [beat(3)]);
  assert.deepEqual(seen.errors, []);
});

test("what cannot be unpacked is told, and what followed comes through", async () => {
  const { seen, made } = arrivals();
  const [announced, ...pieces] = packed([beat(1)]);
  new Uint8Array(pieces[0]).fill(7);
  made.take(announced);
  for (const piece of pieces) made.take(piece);
  made.take(beat(2));
  await until(() => seen.errors.length === 1 && seen.frames.length === 1);
  assert.deepEqual(seen.frames, [beat(2)]);
});

test("a replica that cannot unpack asks for text, and comes to the same", async () => {
  const server = new FakeServer();
  for (let row = 0; row < 10; row += 1) server.commit("bob", { kind: "set_cells", cells: [[row, 0, `${row}`]] });
  for (const isBroken of [false, true]) {
    const client = makeClient("alice", () => 0.5, "gzip");
    assert.equal(client.replica.openFrame().packed, "gzip");
    client.server = server;
    client.isConnected = true;
    server.open(client, 0, { isCatchUpHeld: true });
    for (const frame of client.inbox.splice(0)) client.receive(frame);
    const { seen, made } = arrivals((frame) => client.receive(frame));
    const [announced, ...pieces] = packed([{ ...server.delta(0), more: true }, { ...server.delta(0), changes: [] }]);
    if (isBroken) new Uint8Array(pieces[0]).fill(7);
    for (const message of [announced, ...pieces]) made.take(message);
    await until(() => seen.errors.length > 0 || seen.frames.length === 2);
    if (isBroken) {
      client.replica.cannotUnpack();
      assert.deepEqual(client.outbox.map(({ type, packed }) => [type, packed]), [["sheet.open", undefined]]);
      client.exchange(server);
    }
    assert.equal(client.replica.revision, server.head);
    assert.equal([...client.replica.filled()].length, 10);
    assert.equal(client.replica.openFrame().packed, undefined, "what it has, it need not load");
  }
});

test("how far the first load is can be told until it is complete", () => {
  const { replica } = makeClient("alice");
  const opened = { type: "sheet.opened", protocol: 1, sheet: { slug: "", title: "" }, role: "viewer", you: {}, head: 1, filled: 3, rows: [[0, 9]], columns: [[0, 9]] };
  const changed = (changes, more) => ({ type: "cells.changed", after: 0, through: 1, changes: [[null, changes]], more });
  assert.equal(replica.loading, null);
  replica.receive(opened);
  assert.deepEqual(replica.loading, { cells: 0, of: 3 });
  replica.receive(changed([[0, 0, "a"], [1, 0, "b"]], true));
  assert.deepEqual(replica.loading, { cells: 2, of: 3 });
  replica.receive(opened); // the line was cut: it begins again
  assert.deepEqual(replica.loading, { cells: 0, of: 3 });
  replica.receive(changed([[0, 0, "a"]], false));
  assert.equal(replica.loading, null);
});
