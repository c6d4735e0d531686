/** The page's first socket, dialled while its other modules are still on their way. */

const scheme = location.protocol === "https:" ? "wss" : "ws";

/** Where the sheet of this page is spoken of. */
export const address = `${scheme}://${location.host}/ws/sheets/${document.getElementById("workbench")?.dataset.slug}/`;

/** @type {WebSocket|null} */
let first = new WebSocket(address);

/**
 * Return a socket that opens or is open: the first one, if it has not been lost before it was wanted.
 * @param {string} url
 */
export function dial(url) {
  const socket = first;
  first = null;
  return socket !== null && socket.readyState <= WebSocket.OPEN ? socket : new WebSocket(url);
}
