/** Sockets to the sheet of this page: the first one was dialled by `first_words.js`, in the page itself. */

/** @typedef {{socket: WebSocket, isGreeted: boolean, heard: {data: string|ArrayBuffer}[]}} Dialled `isGreeted`: sheet.open is or will be sent; `heard`: what came since */
/**
 * @typedef {object} FirstWords
 * @property {string} address where the sheet is spoken of
 * @property {string} user who is signed in on this page; empty for a guest
 * @property {string} keptAs under which name a browser keeps what is unsent: of a sheet and a user, for nobody sends what another user typed
 * @property {string} clientIdKey under which name a tab keeps its client_id in sessionStorage
 * @property {string|null} newClientId of a tab that has had none, and was introduced by it
 * @property {WebSocket} socket
 * @property {Dialled["heard"]} heard
 */

/** What was said, and what came of it. */
export const firstWords = /** @type {{firstWords: FirstWords}} */ (/** @type {unknown} */ (globalThis)).firstWords;

let isTaken = false;

/**
 * Return a socket that opens or is open: the first one, if it has not been lost before it was wanted.
 * @param {string} url
 * @returns {Dialled}
 */
export function dial(url) {
  const { socket, heard, newClientId } = firstWords;
  const isFirst = !isTaken && socket.readyState <= WebSocket.OPEN;
  isTaken = true;
  return isFirst ? { socket, isGreeted: newClientId !== null, heard } : { socket: new WebSocket(url), isGreeted: false, heard: [] };
}
