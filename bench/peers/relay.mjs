// What SheetSync set out to replace: a bare Express + ws relay, all in memory.
//   node relay.mjs PORT
// A socket at /sheets/<slug> gets {"type":"state","cells":{"row:column":"value",…}}; its
// {"type":"edit","cell":[row,column],"value":"17"} is kept and handed to every other socket.
import { createServer } from "node:http";

import express from "express";
import { WebSocketServer } from "ws";

const port = Number(process.argv[2]);
const sheets = new Map();

function openSheet(slug) {
  if (!sheets.has(slug)) {
    sheets.set(slug, { cells: new Map(), sockets: new Set() });
  }
  return sheets.get(slug);
}

const app = express();
app.get("/healthz", (request, response) => response.send("ok"));
const server = createServer(app);

const sockets = new WebSocketServer({ server });
sockets.on("connection", (socket, request) => {
  const sheet = openSheet(request.url.replace(/^\/sheets\/|\/$/g, ""));
  sheet.sockets.add(socket);
  socket.send(JSON.stringify({ type: "state", cells: Object.fromEntries(sheet.cells) }));
  socket.on("message", (data) => {
    const text = data.toString();
    const frame = JSON.parse(text);
    if (frame.type !== "edit") return;
    sheet.cells.set(frame.cell.join(":"), frame.value);
    for (const other of sheet.sockets) {
      if (other !== socket && other.readyState === other.OPEN) other.send(text);
    }
  });
  socket.on("close", () => sheet.sockets.delete(socket));
});

server.listen(port, "127.0.0.1", () => console.log(`listening on 127.0.0.1:${port}`));
