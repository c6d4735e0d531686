/** One WebSocket to one sheet, kept alive: opens it, notices its death, and opens it again. */

const BASE_DELAY_MS = 100; // the first wait is up to this; each failure doubles it
const MAX_DELAY_MS = 15_000;
const DRAIN_JITTER_MS = 500; // 1012: every client of a process comes back at once, spread over this
const SLOW_DELAY_MS = 5_000; // 4429: the least wait after "too many messages"
const SILENCE_MS = 25_000; // the server speaks every 10 s; after two and a half of those the line is dead
const DOUBT_MS = 11_000; // after a sleep or a change of network: the next heartbeat is due within 10 s
const OPEN_TIMEOUT_MS = 10_000; // from dialling to sheet.opened

export const CLOSE = { malformed: 4400, notSignedIn: 4401, forbidden: 4403, noSuchSheet: 4404, tooSlow: 4408, tooMany: 4429, draining: 1012 };
const FINAL = new Set([CLOSE.notSignedIn, CLOSE.forbidden, CLOSE.noSuchSheet]);

/** @typedef {"connecting"|"open"|"waiting"|"stopped"} State */
/**
 * @typedef {object} Surroundings
 * @property {(url: string) => import("./dialling.js").Dialled} dial
 * @property {() => object} hello the first frame of every connection; told also where it was sent ahead
 * @property {(message: any) => void} receive a frame, or the ArrayBuffer of a binary message
 * @property {(state: State, code: number) => void} changed `code`: why the last socket closed, 0 before
 * @property {(run: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {() => number} random in [0, 1)
 */

export class Connection {
  #url;
  #around;
  /** @type {WebSocket|null} */ #socket = null;
  /** @type {State} */ #state = "waiting";
  #failures = 0;
  #code = 0;
  /** @type {any} */ #retryTimer = null;
  /** @type {any} */ #silenceTimer = null;

  /**
   * @param {string} url
   * @param {Surroundings} around
   */
  constructor(url, around) {
    this.#url = url;
    this.#around = around;
  }

  /** @returns {State} */
  get state() {
    return this.#state;
  }

  /** Why the last socket closed; 0 if none has. */
  get code() {
    return this.#code;
  }

  /** Dial now, unless there is a living socket or the server said not to come back. */
  open() {
    if (this.#state === "stopped" || this.#socket !== null) return;
    this.#around.clearTimeout(this.#retryTimer);
    this.#become("connecting");
    const { socket, isGreeted, heard } = this.#around.dial(this.#url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#watch(OPEN_TIMEOUT_MS);
    const greet = () => socket.send(JSON.stringify(this.#around.hello()));
    socket.onmessage = ({ data }) => this.#receive(socket, data);
    socket.onclose = ({ code }) => this.#closed(socket, code);
    if (isGreeted) this.#around.hello();
    else if (socket.readyState === 1) greet(); // dialled ahead
    else socket.onopen = greet;
    for (const { data } of heard.splice(0)) this.#receive(socket, data);
  }

  /**
   * Send a frame if the line is up; whoever needs it delivered sends it again after the next opening.
   * @param {object} frame
   */
  send(frame) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
  }

  /** Doubt the line, for the machine slept or the network changed: dial at once if there is none. */
  nudge() {
    if (this.#state === "waiting") this.open();
    else if (this.#state === "open") this.#watch(DOUBT_MS);
  }

  /**
   * @param {WebSocket} socket
   * @param {string|ArrayBuffer} data
   */
  #receive(socket, data) {
    if (socket !== this.#socket) return;
    this.#watch(SILENCE_MS);
    if (typeof data !== "string") return this.#around.receive(data);
    const frame = JSON.parse(data);
    if (frame.type === "sheet.opened" && this.#state !== "open") {
      this.#failures = 0; // only now: a server that accepts and then closes must not be dialled in a tight loop
      this.#become("open");
    }
    this.#around.receive(frame);
  }

  /** @param {number} ms */
  #watch(ms) {
    this.#around.clearTimeout(this.#silenceTimer);
    this.#silenceTimer = this.#around.setTimeout(() => {
      const socket = this.#socket;
      if (socket === null) return;
      socket.close(); // its close event may take a minute on a dead line, so it is not waited for
      this.#closed(socket, 1006);
    }, ms);
  }

  /**
   * @param {WebSocket} socket
   * @param {number} code
   */
  #closed(socket, code) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    this.#code = code;
    this.#around.clearTimeout(this.#silenceTimer);
    if (FINAL.has(code)) {
      this.#become("stopped");
      return;
    }
    this.#become("waiting");
    this.#retryTimer = this.#around.setTimeout(() => this.open(), this.#delay(code));
    this.#failures += 1;
  }

  /**
   * Full jitter (Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015).
   * @param {number} code
   */
  #delay(code) {
    if (code === CLOSE.draining && this.#failures === 0) return this.#around.random() * DRAIN_JITTER_MS;
    const delay = this.#around.random() * Math.min(MAX_DELAY_MS, BASE_DELAY_MS * 2 ** this.#failures);
    return code === CLOSE.tooMany || code === CLOSE.malformed ? SLOW_DELAY_MS + delay : delay;
  }

  /** @param {State} state */
  #become(state) {
    this.#state = state;
    this.#around.changed(state, this.#code);
  }
}
