// Does the load generator speak as a peer's real client does?
//   node verify.mjs relay|hocuspocus|sharedb|ethercalc [PORT]
// Starts the peer, or takes the one that listens on PORT (of a fresh sheet "verify"; `relay` also speaks to the naive
// consumer), lets the generator edit, and compares what it wrote with what the peer's own client saw: one that was
// there all the time and one that came afterwards.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { fileURLToPath } from "node:url";

import WebSocket from "ws";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const LOAD = fileURLToPath(new URL("../load/build/load", import.meta.url));
const SHEET = "verify";
const [SOCKETS, EDITORS, RATE, SECONDS, ROWS] = [10, 3, 60, 3, 7];

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Each opens a client at a port; the function it returns tells the cells as {"row:column": "text"}.
const clients = {
  async relay(port) {
    const cells = {};
    const socket = new WebSocket(`ws://127.0.0.1:${port}/sheets/${SHEET}`);
    socket.on("message", (data) => {
      const frame = JSON.parse(data);
      if (frame.type === "state") Object.assign(cells, frame.cells);
      else cells[frame.cell.join(":")] = frame.value;
    });
    await once(socket, "message");
    return async () => cells;
  },

  async hocuspocus(port) {
    const { HocuspocusProvider, HocuspocusProviderWebsocket } = await import("@hocuspocus/provider");
    const websocketProvider = new HocuspocusProviderWebsocket({
      url: `ws://127.0.0.1:${port}`,
      WebSocketPolyfill: WebSocket,
    });
    const provider = new HocuspocusProvider({ websocketProvider, name: SHEET });
    provider.attach();
    await new Promise((resolve) => provider.on("synced", resolve));
    return async () => provider.document.getMap("cells").toJSON();
  },

  async sharedb(port) {
    const { Connection } = (await import("sharedb/lib/client/index.js")).default;
    const connection = new Connection(new WebSocket(`ws://127.0.0.1:${port}/sheets/${SHEET}`));
    const document = connection.get("sheets", SHEET);
    await new Promise((resolve, reject) => {
      document.subscribe((error) => (error ? reject(error) : resolve()));
    });
    return async () => document.data.cells;
  },

  // Its own client is a page in a browser; here are its transport, and for the late one its address for exports.
  async ethercalc(port, isLate) {
    const require = createRequire(new URL("ethercalc/package.json", import.meta.url));
    const server = `http://127.0.0.1:${port}`;
    const socket = require("socket.io-client")(server, { transports: ["websocket"], forceNew: true });
    const commands = [];
    socket.on("data", (data) => data.type === "execute" && commands.push(data.cmdstr));
    await new Promise((resolve) => socket.on("connect", resolve));
    socket.emit("data", { user: "verify", room: SHEET, type: "ask.log" });
    await new Promise((resolve) => socket.on("data", resolve));
    const place = (a1) => `${Number(a1.slice(1)) - 1}:${a1.charCodeAt(0) - 65}`;
    return async () => {
      if (!isLate) {
        return Object.fromEntries(commands.map((command) => {
          const [, a1, , , text] = command.split(" ");
          return [place(a1), text];
        }));
      }
      const cells = await (await fetch(`${server}/_/${SHEET}/cells`)).json();
      return Object.fromEntries(Object.entries(cells).map(([a1, cell]) => [place(a1), cell.datavalue]));
    };
  },
};

// Editor e writes 1, 2, 3 … to column e, k to row k mod ROWS: what remains is each row's last one.
function expectedCells() {
  const cells = {};
  for (let editor = 0; editor < EDITORS; editor++) {
    for (let k = 1; k <= (RATE * SECONDS) / EDITORS; k++) cells[`${k % ROWS}:${editor}`] = String(k);
  }
  return cells;
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

async function answers(port) {
  for (let attempt = 0; attempt < 200; attempt++) {
    const response = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => null);
    if (response?.ok) return;
    await sleep(100);
  }
  throw new Error(`nobody answers at port ${port}`);
}

async function load(name, port) {
  const options = {
    protocol: name, port, path: `/sheets/${SHEET}`, sockets: SOCKETS, editors: EDITORS, rate: RATE, seconds: SECONDS, rows: ROWS,
  };
  const words = Object.entries(options).flatMap(([option, value]) => [`--${option}`, String(value)]);
  const generator = spawn(LOAD, ["run", ...words], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  generator.stdout.on("data", (data) => (text += data));
  await once(generator, "close");
  return JSON.parse(text);
}

async function verify(name, port) {
  const early = await clients[name](port, false);
  const measured = await load(name, port);
  const late = await clients[name](port, true);
  const wanted = expectedCells();
  let seen = {};
  for (let attempt = 0; attempt < 50; attempt++) {
    seen = { early: await early(), late: await late() };
    if (isDeepStrictEqual({ ...seen.early }, wanted) && isDeepStrictEqual({ ...seen.late }, wanted)) break;
    await sleep(100);
  }
  const same = (cells) => isDeepStrictEqual({ ...cells }, wanted);
  const result = { name, generator_ok: measured.ok, cells: Object.keys(wanted).length, early: same(seen.early), late: same(seen.late) };
  console.log(JSON.stringify(result));
  if (!result.early || !result.late) console.error(JSON.stringify({ wanted, ...seen }));
  return result.generator_ok && result.early && result.late;
}

const [name, given] = process.argv.slice(2);
if (!Object.hasOwn(clients, name ?? "")) {
  console.error(`node verify.mjs ${Object.keys(clients).join("|")} [PORT]`);
  process.exit(2);
}
const port = given ?? (await freePort());
const server = given ? null : spawn(process.execPath, [`${name}.mjs`, port], { cwd: FOLDER, stdio: ["ignore", "ignore", "inherit"] });
let isRight = false;
try {
  await answers(port);
  isRight = await verify(name, port);
} finally {
  server?.kill();
}
process.exit(isRight ? 0 : 1);
