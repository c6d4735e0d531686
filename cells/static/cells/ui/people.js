/** The people who are here, in the bar: their initials, and what can be done about each. */

import { element } from "./elements.js";
import { gettext } from "./words.js";

const MAX_SHOWN = 5; // initials in the bar; the others are behind a number

/** @typedef {import("./menu.js").Item} Item */
/** @typedef {import("./presence.js").Client} Client */
/**
 * @typedef {object} Around
 * @property {(client_id: string) => Client|undefined} find who is still here
 * @property {(row_id: number, column_id: number) => void} goTo
 * @property {(client: Client) => void} follow
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

export class People {
  #list;
  #around;

  /**
   * @param {HTMLElement} list
   * @param {Around} around
   */
  constructor(list, around) {
    this.#list = list;
    this.#around = around;
  }

  /**
   * @param {Client[]} clients
   * @param {boolean} isStreaming
   */
  show(clients, isStreaming) {
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
    const client = this.#around.find(client_id);
    if (client === undefined) return [];
    const { name, cell } = client;
    return [
      {
        label: gettext("Go to %(name)s", { name }),
        isOff: cell === null,
        run: () => {
          const now = this.#around.find(client_id)?.cell;
          if (now) this.#around.goTo(now[0], now[1]);
        },
      },
      {
        label: gettext("Follow %(name)s", { name }),
        isOff: cell === null,
        run: () => {
          const now = this.#around.find(client_id);
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
