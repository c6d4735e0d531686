import assert from "node:assert/strict";
import { test } from "node:test";

import { Connection } from "../../cells/static/cells/sync/connection.js";

/** A connection in a world where time passes only when told to. */
function world(random = () => 0.999, ahead = { isGreeted: false, heard: [] }) {
  const made = { sockets: [], frames: [], states: [], timers: new Map(), now: 0, hellos: 0 };
  let timer = 0;
  made.connection = new Connection("ws://test/", {
    dial: () => {
      const socket = { readyState: 0, sent: [], send: (text) => socket.sent.push(JSON.parse(text)), close: () => (socket.readyState = 3) };
      made.sockets.push(socket);
      return { socket, ...(made.sockets.length === 1 ? ahead : { isGreeted: false, heard: [] }) };
    },
    hello: () => {
      made.hellos += 1;
      return { type: "sheet.open" };
    },
    receive: (frame) => made.frames.push(frame),
    changed: (state, code) => made.states.push([state, code]),
    setTimeout: (run, ms) => (made.timers.set((timer += 1), { run, at: made.now + ms }), timer),
    clearTimeout: (id) => made.timers.delete(id),
    random,
  });
  made.accept = () => {
    const socket = made.sockets.at(-1);
    socket.readyState = 1;
    socket.onopen();
    made.say({ type: "sheet.opened" });
  };
  made.say = (frame) => made.sockets.at(-1).onmessage({ data: JSON.stringify(frame) });
  made.drop = (code) => made.sockets.at(-1).onclose({ code });
  made.pass = (ms) => {
    made.now += ms;
    for (const [id, { run, at }] of [...made.timers]) if (at <= made.now && made.timers.delete(id)) run();
  };
  return made;
}

test("sheet.open is the first frame, and open means that it was answered", () => {
  const { connection, sockets, accept } = world();
  connection.open();
  assert.equal(connection.state, "connecting");
  accept();
  assert.deepEqual(sockets[0].sent, [{ type: "sheet.open" }]);
  assert.equal(connection.state, "open");
});

test("waits double up to a ceiling, and start again after a success", () => {
  const made = world();
  const { connection, sockets } = made;
  connection.open();
  const waits = [];
  for (let failure = 0; failure < 10; failure += 1) {
    made.drop(1006);
    const before = sockets.length;
    let waited = 0;
    while (sockets.length === before) made.pass((waited += 10) && 10);
    waits.push(waited);
  }
  assert.deepEqual(waits, [100, 200, 400, 800, 1600, 3200, 6400, 12790, 14990, 14990]);
  made.accept();
  made.drop(1006);
  const before = sockets.length;
  made.pass(100);
  assert.equal(sockets.length, before + 1);
});

test("jitter is full: a wait may be next to nothing", () => {
  const made = world(() => 0);
  made.connection.open();
  made.drop(1006);
  made.pass(0);
  assert.equal(made.sockets.length, 2);
});

for (const code of [4401, 4403, 4404]) {
  test(`${code} stops for good and says why`, () => {
    const made = world();
    made.connection.open();
    made.drop(code);
    made.pass(1_000_000);
    made.connection.nudge();
    assert.equal(made.sockets.length, 1);
    assert.deepEqual(made.states.at(-1), ["stopped", code]);
  });
}

for (const [code, least, most] of [[1012, 0, 500], [4408, 0, 100], [4429, 5_000, 5_100]]) {
  test(`${code} comes back after ${least} to ${most} ms`, () => {
    const made = world();
    made.connection.open();
    made.accept();
    made.drop(code);
    made.pass(least);
    assert.equal(made.sockets.length, 1);
    made.pass(most - least);
    assert.equal(made.sockets.length, 2);
  });
}

test("25 s without a frame is a dead line; any frame is a sign of life", () => {
  const made = world();
  made.connection.open();
  made.accept();
  made.pass(24_000);
  made.say({ type: "sheet.heartbeat", head: 0 });
  made.pass(24_000);
  assert.equal(made.connection.state, "open");
  made.pass(1_000);
  assert.equal(made.connection.state, "waiting");
  made.pass(100);
  assert.equal(made.sockets.length, 2);
});

test("a server that accepts and never answers is left after 10 s", () => {
  const made = world();
  made.connection.open();
  made.sockets[0].readyState = 1;
  made.sockets[0].onopen();
  made.pass(10_000);
  assert.equal(made.connection.state, "waiting");
});

test("a socket that was greeted ahead is not greeted again, and what came on it is taken first", () => {
  const opened = { data: JSON.stringify({ type: "sheet.opened" }) };
  const heard = [opened, { data: JSON.stringify({ type: "rows.loaded" }) }];
  const made = world(() => 0, { isGreeted: true, heard });
  made.connection.open();
  assert.deepEqual([made.hellos, made.sockets[0].sent, made.sockets[0].onopen], [1, [], undefined]);
  assert.deepEqual(made.frames.map(({ type }) => type), ["sheet.opened", "rows.loaded"]);
  assert.equal(made.connection.state, "open");
  made.drop(1006);
  made.connection.nudge();
  made.accept();
  assert.deepEqual([made.hellos, made.sockets[1].sent.length], [2, 1]);
});

test("a nudge dials at once instead of waiting, and never twice", () => {
  const made = world();
  made.connection.open();
  made.drop(1006);
  made.connection.nudge();
  made.connection.nudge();
  assert.equal(made.sockets.length, 2);
  made.pass(5_000);
  assert.equal(made.sockets.length, 2);
});

test("a nudge gives an open line no longer than the next heartbeat", () => {
  const made = world();
  made.connection.open();
  made.accept();
  made.connection.nudge();
  made.pass(11_000);
  assert.equal(made.connection.state, "waiting");
});

test("a socket given up for dead is not listened to any more", () => {
  const made = world();
  made.connection.open();
  made.accept();
  made.pass(25_000);
  made.sockets[0].onmessage({ data: "{\"type\":\"late\"}" });
  made.sockets[0].onclose({ code: 4403 });
  assert.deepEqual(made.frames, [{ type: "sheet.opened" }]);
  assert.notEqual(made.connection.state, "stopped");
});

test("a binary message is handed on as it is, and says that the line lives", () => {
  const { connection, sockets, frames, accept, pass } = world();
  connection.open();
  accept();
  assert.equal(sockets[0].binaryType, "arraybuffer");
  const piece = new ArrayBuffer(3);
  pass(20_000);
  sockets[0].onmessage({ data: piece });
  assert.equal(frames.at(-1), piece);
  pass(20_000);
  assert.equal(connection.state, "open");
});
