/**
 * The page's first socket, and a new tab's first words on it. No module: it stands in the page itself, so that the server
 * answers while the modules are still on their way. `dialling.js` takes over what came of it.
 */

"use strict";

{
  const ROW_PX = 25; // as rows are mostly high; bars take the room of some, so that these are enough

  const { slug = "", user = "", socket: path = "" } = /** @type {HTMLElement} */ (document.querySelector("meta[name=sheet]")).dataset;
  const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
  const keptAs = `${slug} ${user}`;
  const clientIdKey = `sheetsync.client_id.${keptAs}`;
  const newClientId = introduced();
  const socket = new WebSocket(address);
  /** @type {MessageEvent[]} */
  const heard = [];

  socket.binaryType = "arraybuffer";
  socket.onmessage = (/** @type {MessageEvent} */ message) => heard.push(message);
  if (newClientId !== null) socket.onopen = () => socket.send(JSON.stringify(greeting(newClientId)));
  Object.assign(globalThis, { firstWords: { address, user, keptAs, clientIdKey, newClientId, socket, heard } });

  /** Return the client_id of a tab that has had none; null if it has, or nothing can be said ahead. */
  function introduced() {
    try {
      if (sessionStorage.getItem(clientIdKey) !== null) return null;
      const client_id = crypto.randomUUID(); // not there where the page came over plain HTTP
      sessionStorage.setItem(clientIdKey, client_id);
      return client_id;
    } catch {
      return null;
    }
  }

  /**
   * Return what `replica.js` would say: a new tab knows nothing of the sheet.
   * @param {string} client_id
   */
  function greeting(client_id) {
    const packed = typeof DecompressionStream === "undefined" ? {} : { packed: "gzip" };
    const view = { rows: [0, Math.ceil(innerHeight / ROW_PX)] };
    return { type: "sheet.open", protocol: 1, client_id, ...(user && { user }), revision: null, ...packed, view };
  }
}
