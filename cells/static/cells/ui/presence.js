/** Who else is here: their cursors for the painter, their initials in the bar. */

import { element } from "./elements.js";

const MAX_SHOWN = 5; // initials in the bar; the others are a number
const MAX_CURSORS = 50; // more would hide the sheet

/** @typedef {import("../domain/axes.js").Axis} Axis */
/** @typedef {import("./painter.js").Cursor} Cursor */
/** @typedef {{client_id: string, name: string, color: string, cell: [number, number]|null, range: [number, number, number, number]|null, editing: boolean}} Client */

/**
 * Return up to two letters that stand for a name.
 * @param {string} name
 */
function initialsOf(name) {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0]];
  return letters.map((word) => [...word][0] ?? "").join("").toUpperCase();
}

export class Presence {
  /** @type {Map<string, Client>} */ #clients = new Map();
  #list;
  #around;
  #own = "";
  #shown = ""; // what the bar shows, so that badges with the keyboard's focus are not replaced without need

  /**
   * @param {HTMLElement} list
   * @param {{changed: () => void, goTo: (row_id: number, column_id: number) => void}} around
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
    for (const client of clients) if (client.client_id !== this.#own) this.#clients.set(client.client_id, client);
    this.#paint();
  }

  /** The line is gone, and with it the knowledge of who is here. */
  forget() {
    this.#clients.clear();
    this.#paint();
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
    const clients = [...this.#clients.values()].sort((a, b) => a.name.localeCompare(b.name));
    this.#around.changed();
    const news = JSON.stringify(clients.map(({ client_id, name, color, cell }) => [client_id, name, color, cell === null]));
    if (news === this.#shown) return;
    this.#shown = news;
    const shown = clients.length > MAX_SHOWN + 1 ? clients.slice(0, MAX_SHOWN) : clients;
    this.#list.replaceChildren(...shown.map((client) => this.#badge(client)));
    if (shown.length < clients.length) {
      const others = clients.slice(MAX_SHOWN).map(({ name }) => name).join(", ");
      const more = element("li", "person");
      more.append(element("span", "badge badge-more", { title: others }, `+${clients.length - shown.length}`));
      this.#list.append(more);
    }
  }

  /** @param {Client} client */
  #badge({ client_id, name, color, cell }) {
    const item = element("li", "person");
    const badge = element("button", "badge", { type: "button", title: `Go to ${name}`, "aria-label": `Go to ${name}` }, initialsOf(name));
    badge.style.setProperty("--color", color);
    badge.disabled = cell === null;
    badge.addEventListener("click", () => {
      const now = this.#clients.get(client_id)?.cell;
      if (now) this.#around.goTo(now[0], now[1]);
    });
    item.append(badge);
    return item;
  }
}
