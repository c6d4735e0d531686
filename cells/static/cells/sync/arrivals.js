/**
 * What arrives over a socket, in its order: frames as they are, and a packed first load as the frames that are in it.
 *
 * What follows a packed load waits until it is unpacked, and unpacking gives way to the page every few milliseconds. Only
 * rows that were asked for meanwhile do not wait: they say themselves which revision they are from.
 */

import { linesOf } from "./lines.js";

export const SLICE_MS = 8; // of a screen's 16 ms: the other half is for painting and for whoever types

/**
 * @typedef {object} Surroundings
 * @property {(frame: any) => void} receive
 * @property {() => void} progressed a piece of a packed load has come
 * @property {(error: unknown) => void} broken a packed load cannot be unpacked; what was in it is missing
 * @property {() => Promise<void>} begin until then there are better things to do than to unpack
 * @property {() => Promise<void>} pause let the page do what it has to
 * @property {() => number} now in milliseconds
 */

/** The packing to ask for; null where this browser can unpack none. */
export const PACKING = typeof DecompressionStream === "undefined" ? null : "gzip";

export class Arrivals {
  #around;
  /** @type {Unpacking|null} */ #unpacking = null;
  /** @type {(object|ArrayBuffer)[]} behind what is being unpacked */ #waiting = [];

  /** @param {Surroundings} around */
  constructor(around) {
    this.#around = around;
  }

  /** @param {any} message a frame, or a piece of what is packed */
  take(message) {
    if (message instanceof ArrayBuffer) {
      this.#around.progressed();
      if (this.#unpacking?.missing) this.#unpacking.take(message);
      else if (this.#unpacking) this.#waiting.push(message);
    } else if (this.#unpacking && message.type !== "rows.loaded") {
      this.#waiting.push(message);
    } else if (message.type === "cells.packed") {
      void this.#unpack(new Unpacking(message));
    } else {
      this.#around.receive(message);
    }
  }

  /** The line was cut: what has not come through will come again. */
  forget() {
    this.#unpacking?.abandon();
    this.#unpacking = null;
    this.#waiting = [];
  }

  /** @param {Unpacking} unpacking */
  async #unpack(unpacking) {
    this.#unpacking = unpacking;
    const { begin, pause, now } = this.#around;
    try {
      await begin();
      let began = now();
      for await (const line of unpacking.lines()) {
        if (now() - began >= SLICE_MS) {
          await pause();
          began = now();
        }
        if (this.#unpacking !== unpacking) return;
        this.#around.receive(JSON.parse(line));
      }
    } catch (error) {
      if (this.#unpacking !== unpacking) return;
      unpacking.abandon();
      this.#around.broken(error);
    }
    if (this.#unpacking !== unpacking) return;
    this.#unpacking = null;
    for (const message of this.#waiting.splice(0)) this.take(message);
  }
}

/** One packed load on its way. */
class Unpacking {
  /** How many bytes are still to come. */ missing;
  #writer;
  #reader;

  /** @param {{encoding: CompressionFormat, bytes: number}} announced */
  constructor({ encoding, bytes }) {
    const stream = new DecompressionStream(encoding);
    this.missing = bytes;
    this.#writer = stream.writable.getWriter();
    this.#reader = stream.readable.getReader();
  }

  /** @param {ArrayBuffer} piece */
  take(piece) {
    this.missing -= piece.byteLength;
    this.#writer.write(new Uint8Array(piece)).catch(() => {}); // the reading end says what is wrong
    if (this.missing <= 0) this.#writer.close().catch(() => {});
  }

  /** Yield each line as soon as it is whole. */
  lines() {
    return linesOf(this.#reader);
  }

  /** Let go of what is left. */
  abandon() {
    this.#reader.cancel().catch(() => {});
  }
}

/** Let the page paint and take input, also where timers are slowed down because nobody looks. */
export function pause() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve(undefined);
    };
    port2.postMessage(null);
  });
}
