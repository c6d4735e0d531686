/** Asking the server about a sheet's past, by addresses relative to the page's; what it refuses is an error to be read out. */

import { reasonOf } from "./refusals.js";
import { gettext } from "./words.js";

const PATIENCE_MS = 20_000; // with an answer

/** The code of an answer that did not come in time. */
export const SLOW = "slow";

/** The past cannot be had; the message is a sentence for people, the code the server's or SLOW, "" without one. */
export class NoPast extends Error {
  /**
   * @param {string} message
   * @param {string} [code]
   */
  constructor(message, code = "") {
    super(message);
    this.code = code;
  }
}

/** Return the error that a version is no longer kept. */
export function pruned() {
  return new NoPast(gettext("This version is no longer kept, for the history of this sheet was pruned. Choose a later one, or one with a name."), "pruned");
}

/**
 * Return what is behind an address; throws NoPast, and what an aborted fetch throws.
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<Response>}
 */
async function ask(path, options = {}) {
  const answer = await fetch(`history/${path}`, options).catch((error) => {
    if (options.signal?.aborted && options.signal.reason?.name !== "TimeoutError") throw error;
    if (options.signal?.aborted) throw new NoPast(gettext("The server is slow to answer. Try again."), SLOW);
    throw new NoPast(gettext("The history needs a connection, and there is none now. Try again when you are back online."));
  });
  if (answer.ok) return answer;
  const { code = "internal", message = "" } = await answer.json().catch(() => ({}));
  if (code === "pruned") throw pruned();
  if (code === "forbidden") throw new NoPast(gettext("The history is for those who may edit this sheet."), code);
  throw new NoPast(code === "internal" ? gettext("The server could not tell of the past. Try again.") : reasonOf(code, message, false), code);
}

/**
 * Return an answer in JSON; throws NoPast.
 * @param {string} path
 * @returns {Promise<any>}
 */
export async function askForJson(path) {
  const answer = await ask(path, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(PATIENCE_MS) });
  return read(answer.json());
}

/**
 * Have the state at a revision read, and what has changed since another one, if the log still has that; throws NoPast, and
 * what an aborted fetch throws.
 * @param {number} revision
 * @param {number} since
 * @param {AbortSignal} signal
 * @param {(body: ReadableStream<Uint8Array>) => Promise<void>} take
 */
export async function askForState(revision, since, signal, take) {
  const { body } = await ask(`${revision}/?since=${since}`, { signal }).catch((error) => {
    if (error instanceof NoPast && error.code === "pruned") return ask(`${revision}/`, { signal }); // a version with a name is kept without what led to it
    throw error;
  });
  if (body) await (signal.aborted ? null : read(take(body), signal));
}

/**
 * Give a version a name, or take it away; throws NoPast.
 * @param {number} revision
 * @param {string} name "": none
 * @param {string} token against forged requests
 * @param {boolean} isGone it was said that the version may be lost with its name
 */
export async function sendName(revision, name, token, isGone) {
  const body = new URLSearchParams({ name, ...(isGone ? { gone: "1" } : {}) });
  const options = { method: "POST", headers: { "X-CSRFToken": token }, body, signal: AbortSignal.timeout(PATIENCE_MS) };
  const answer = await ask(`${revision}/name/`, options).catch((error) => {
    if (isGone && error instanceof NoPast && error.code === "forbidden") error.message = gettext("Only the owner of this sheet can remove a version for good.");
    throw error;
  });
  await answer.text(); // what nobody reads keeps its connection
}

/**
 * @template T
 * @param {Promise<T>} reading
 * @param {AbortSignal} [signal]
 */
async function read(reading, signal) {
  return reading.catch((error) => {
    if (signal?.aborted) throw error;
    if (error?.name === "TimeoutError") throw new NoPast(gettext("The server is slow to answer. Try again."), SLOW);
    throw new NoPast(gettext("The answer broke off. Try again."));
  });
}
