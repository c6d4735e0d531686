/** Who else is here: their cursors for the painter, their initials and what they offer in the bar, authors by name. */

import { element } from "./elements.js";
import { gettext, locale } from "./words.js";

const MAX_SHOWN = 5; // initials in the bar; the others are behind a number
const MAX_CURSORS = 50; // more would hide the sheet
const MAX_REMEMBERED = 1_000; // people who have left: what they changed last may still have to be told
const STREAM_MS = 10_000; // how long a stream counts as present after its last change
const NO_COLOR = "#8c969c"; // of an author who is no person, or whom nobody knows here

/** @typedef {import("../domain/axes.js").Axis} Axis */
/** @typedef {import("./painter.js").Cursor} Cursor */
/** @typedef {import("./menu.js").Item} Item */
/** @typedef {{client_id: string, name: string, color: string, cell: [number, number]|null, range: [number, number, number, number]|null, editing: boolean}} Client */
/** @typedef {{name: string, color: string, isPerson: boolean}} Author */
/**
 * @typedef {object} Around
 * @property {() => void} changed
 * @property {(row_id: number, column_id: number) => void} goTo
 * @property {(client: Client) => void} follow
 * @property {(clients: ReadonlyMap<string, Client>) => void} moved somebody came, went, or is elsewhere
 * @property {(items: (Item|null)[], x: number, y: number, returnFocus: HTMLElement) => void} openMenu
 */

/**
 * Return up to two letters that stand for a name.
 * @param {string} name
 */
function initialsOf(name) {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0]];
  return letters.map((word) => [...word][0] ?? "").join("").toUpperCase();
}

/**
 * Return what to call an author whom presence does not know.
 * @param {string|null} label as a delta names an author
 */
function nameOf(label) {
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
  #list;
  #around;
  #own = "";
  #shown = ""; // what the bar shows, so that badges with the keyboard's focus are not replaced without need
  #streamUntil = -Infinity;

  /**
   * @param {HTMLElement} list
   * @param {Around} around
   */
  constructor(list, around) {
    this.#list = list;
    this.#around = around;
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
    const focused = /** @type {HTMLElement|null} */ (document.activeElement)?.dataset.client;
    const shown = clients.length > MAX_SHOWN + 1 ? clients.slice(0, MAX_SHOWN) : clients;
    const items = shown.map((client) => this.#badge(client));
    if (shown.length < clients.length) items.push(this.#more(clients.slice(shown.length)));
    if (isStreaming) items.unshift(streamBadge());
    this.#list.replaceChildren(...items);
    if (focused) /** @type {HTMLElement|null} */ (this.#list.querySelector(`[data-client="${CSS.escape(focused)}"]`))?.focus();
  }

  /** @param {Client} client */
  #badge({ client_id, name, color }) {
    const item = element("li", "person");
    const badge = element("button", "badge", { type: "button", title: name, "aria-label": name, "aria-haspopup": "menu", "data-client": client_id });
    badge.dataset.initials = initialsOf(name); // shown by the style sheet: they are no part of what it is called
    badge.style.setProperty("--color", color);
    badge.addEventListener("click", () => this.#open(badge, this.#offers(client_id)));
    item.append(badge);
    return item;
  }

  /** @param {Client[]} others */
  #more(others) {
    const item = element("li", "person person-more");
    const names = others.map(({ name }) => name).join(", ");
    const badge = element("button", "badge badge-more", { type: "button", title: names, "aria-haspopup": "menu", "data-client": "more" });
    badge.dataset.initials = `+${others.length}`;
    badge.setAttribute("aria-label", gettext("%(count)s more: %(names)s", { count: others.length, names }));
    badge.addEventListener("click", () => this.#open(badge, others.flatMap(({ client_id }) => this.#offers(client_id))));
    item.append(badge);
    return item;
  }

  /**
   * @param {HTMLElement} badge
   * @param {Item[]} items
   */
  #open(badge, items) {
    const { left, bottom } = badge.getBoundingClientRect();
    this.#around.openMenu(items, left, bottom + 4, badge);
  }

  /**
   * @param {string} client_id
   * @returns {Item[]}
   */
  #offers(client_id) {
    const client = this.#clients.get(client_id);
    if (client === undefined) return [];
    const { name, cell } = client;
    return [
      {
        label: gettext("Go to %(name)s", { name }),
        isOff: cell === null,
        run: () => {
          const now = this.#clients.get(client_id)?.cell;
          if (now) this.#around.goTo(now[0], now[1]);
        },
      },
      {
        label: gettext("Follow %(name)s", { name }),
        isOff: cell === null,
        run: () => {
          const now = this.#clients.get(client_id);
          if (now) this.#around.follow(now);
        },
      },
    ];
  }
}

/** The legend of the corner that changed cells get: a stream has no cursor to be known by. */
function streamBadge() {
  const name = gettext("A stream is writing here: the cells that it changes get this corner");
  const item = element("li", "person");
  item.append(element("span", "badge badge-stream", { role: "img", title: name, "aria-label": name }));
  return item;
}
