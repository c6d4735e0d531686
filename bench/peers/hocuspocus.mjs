// Hocuspocus over Yjs, in memory: no extension persists anything.
//   node hocuspocus.mjs PORT
// A sheet is a document of that name; its cells are a Y.Map "cells" of "row:column" to string.
import { Server } from "@hocuspocus/server";

const port = Number(process.argv[2]);
const server = new Server({ port, address: "127.0.0.1", quiet: true });
await server.listen();
console.log(`listening on 127.0.0.1:${port}`);
