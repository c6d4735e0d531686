/** Who else is here: their cursors for the painter, authors by name. */

import { gettext, locale } from "./words.js";

const MAX_CURSORS = 50; // more would hide the sheet
const MAX_REMEMBERED = 1_000; // people who have left: what they changed last may still have to be told
const STREAM_MS = 10_000; // how long a stream counts as present after its last change
const NO_COLOR = "#8c969c"; // of an author who is no person, or whom nobody knows here

/** @typedef {import("../domain/axes.js").Axis} Axis */
/** @typedef {import("./painter.js").Cursor} Cursor */
/** @typedef {{client_id: string, name: string, color: string, cell: [number, number]|null, range: [number, number, number, number]|null, editing: boolean}} Client */
/** @typedef {{name: string, color: string, isPerson: boolean}} Author */
/**
 * @typedef {object} Around
 * @property {() => void} changed
 * @property {(clients: ReadonlyMap<string, Client>) => void} moved somebody came, went, or is elsewhere
 */

/**
 * Return what to call an author whom presence does not know.
 * @param {string|null} label as a delta names an author
 */
export function nameOf(label) {
  switch (label) {
    case "stream": return gettext("a stream");
    case "api": return gettext("a program");
    case "admin": return gettext("an administrator");
    default: return gettext("somebody");
  }
}

export class Presence {
  /** @type {Map<string, Client>} */ #clients = new Map();
  /** @type {Map<string, Author>} everyone who was here since the page was opened */ #known = new Map();
  #around;
  /** @type {(clients: Client[], isStreaming: boolean) => void} in the bar, once that can be done */ #show = () => {};
  #own = "";
  #shown = ""; // what the bar shows, so that badges with the keyboard's focus are not replaced without need
  #streamUntil = -Infinity;

  /** @param {Around} around */
  constructor(around) {
    this.#around = around;
  }

  /**
   * From now on show people in the bar.
   * @param {(clients: Client[], isStreaming: boolean) => void} show
   */
  showBy(show) {
    this.#show = show;
    this.#shown = "";
    this.#paint();
  }

  /** @param {string} client_id */
  find(client_id) {
    return this.#clients.get(client_id);
  }

  /**
   * Learn who this tab is, so that it does not show itself.
   * @param {string} client_id
   */
  iAm(client_id) {
    this.#own = client_id;
    this.#clients.delete(client_id);
    this.#paint();
  }

  /**
   * @param {{clients: Client[], gone: string[], full?: boolean}} frame
   */
  take({ clients, gone, full }) {
    if (full) this.#clients.clear();
    for (const client_id of gone) this.#clients.delete(client_id);
    for (const client of clients) {
      if (client.client_id === this.#own) continue;
      this.#clients.set(client.client_id, client);
      if (this.#known.size < MAX_REMEMBERED) this.#known.set(client.client_id, { name: client.name, color: client.color, isPerson: true });
    }
    this.#paint();
    this.#around.moved(this.#clients);
  }

  /** The line is gone, and with it the knowledge of who is here. */
  forget() {
    this.#clients.clear();
    this.#paint();
  }

  /**
   * Return who an author of changes is; null for the calculator, whose changes only follow those of others.
   * @param {string|null} label as a delta names an author
   * @returns {Author|null}
   */
  author(label) {
    if (label === "calculator") return null;
    const known = label === null ? undefined : (this.#clients.get(label) ?? this.#known.get(label));
    if (known) return { name: known.name, color: known.color, isPerson: true };
    return { name: nameOf(label), color: label === "stream" ? "" : NO_COLOR, isPerson: false };
  }

  /** A stream has just written: show for a while that one is at work. */
  streamIsHere() {
    const isShown = performance.now() < this.#streamUntil;
    this.#streamUntil = performance.now() + STREAM_MS;
    if (isShown) return;
    this.#paint();
    const end = () => {
      const left = this.#streamUntil - performance.now();
      if (left > 0) setTimeout(end, left);
      else this.#paint();
    };
    setTimeout(end, STREAM_MS);
  }

  /**
   * @param {Axis} rows
   * @param {Axis} columns
   * @returns {Cursor[]}
   */
  cursors(rows, columns) {
    const cursors = [];
    for (const { cell, range, name, color, editing } of this.#clients.values()) {
      if (cell === null || cursors.length === MAX_CURSORS) continue;
      const row = rows.findPosition(cell[0]);
      const column = columns.findPosition(cell[1]);
      if (row === undefined || column === undefined) continue;
      const [top, left, bottom, right] = (range ?? []).map((id, index) => (index % 2 === 0 ? rows : columns).findPosition(id));
      const isRange = top !== undefined && left !== undefined && bottom !== undefined && right !== undefined;
      cursors.push({ row, column, range: isRange ? { top, left, bottom, right } : null, name, color, editing });
    }
    return cursors;
  }

  #paint() {
    const clients = [...this.#clients.values()].sort((a, b) => a.name.localeCompare(b.name, locale));
    const isStreaming = performance.now() < this.#streamUntil;
    this.#around.changed();
    const news = JSON.stringify([isStreaming, clients.map(({ client_id, name, color }) => [client_id, name, color])]);
    if (news === this.#shown) return;
    this.#shown = news;
    this.#show(clients, isStreaming);
  }
}
