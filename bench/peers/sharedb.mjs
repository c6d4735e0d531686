// ShareDB with what it brings along: its in-memory database and its in-process pub/sub.
//   node sharedb.mjs PORT
// A sheet is the document <slug> of the collection "sheets", of type json0: {"cells":{"row:column":"value",…}}.
import { createServer } from "node:http";

import WebSocketJSONStream from "@teamwork/websocket-json-stream";
import ShareDB from "sharedb";
import { WebSocketServer } from "ws";

const port = Number(process.argv[2]);
const backend = new ShareDB();
const documents = new Map();

// A document must exist before it can be edited; the first socket of a sheet makes it.
function openDocument(slug) {
  if (!documents.has(slug)) {
    const document = backend.connect().get("sheets", slug);
    documents.set(slug, new Promise((resolve, reject) => {
      document.create({ cells: {} }, (error) => (error ? reject(error) : resolve()));
    }));
  }
  return documents.get(slug);
}

const server = createServer((request, response) => response.end("ok"));
const sockets = new WebSocketServer({ server });
sockets.on("connection", async (socket, request) => {
  const stream = new WebSocketJSONStream(socket);
  stream.on("error", () => socket.terminate());
  await openDocument(request.url.replace(/^\/sheets\/|\/$/g, ""));
  backend.listen(stream);
});

server.listen(port, "127.0.0.1", () => console.log(`listening on 127.0.0.1:${port}`));
