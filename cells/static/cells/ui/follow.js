/** Following a person: the view goes where she goes, until one does something oneself. */

import { element } from "./elements.js";
import { gettext } from "./words.js";

/** @typedef {import("./presence.js").Client} Client */
/**
 * @typedef {object} Around
 * @property {HTMLElement} host the grid: what is done there ends it
 * @property {(row_id: number, column_id: number) => void} reveal
 * @property {() => void} focus give the keyboard back to the grid
 * @property {(sentence: string) => void} say
 */

export class Follow {
  #frame = element("div", "follow", { hidden: "" });
  #bar = element("div", "follow-bar", { role: "group", "data-region": "" });
  #name = element("span", "follow-name");
  #around;
  /** @type {string|null} */ #followed = null;
  #calledName = "";
  #at = ""; // where she was last seen

  /**
   * @param {HTMLElement} place what the frame lies in
   * @param {Around} around
   */
  constructor(place, around) {
    this.#around = around;
    const stop = element("button", "follow-stop", { type: "button" }, gettext("Stop"));
    stop.addEventListener("click", () => {
      this.stop();
      around.focus();
    });
    this.#bar.append(this.#name, stop);
    this.#frame.append(this.#bar);
    place.append(this.#frame);
    for (const kind of ["wheel", "pointerdown"]) around.host.addEventListener(kind, () => this.stop(), { capture: true, passive: true });
    document.addEventListener("keydown", (event) => this.#pressed(event), true);
  }

  /** @param {Client} client */
  start(client) {
    this.#followed = client.client_id;
    this.#calledName = client.name;
    this.#at = "";
    const text = gettext("Following %(name)s", { name: client.name });
    this.#name.textContent = text;
    this.#bar.setAttribute("aria-label", text);
    this.#frame.style.setProperty("--color", client.color);
    this.#frame.hidden = false;
    this.#around.focus();
    this.#around.say(text);
    this.#goTo(client);
  }

  /** How much of the grid's upper edge is taken, in pixels. */
  get height() {
    return this.#bar.offsetHeight; // 0 while it is hidden
  }

  stop() {
    if (this.#followed === null) return;
    this.#followed = null;
    this.#frame.hidden = true;
    this.#around.say(gettext("No longer following %(name)s", { name: this.#calledName }));
  }

  /** @param {ReadonlyMap<string, Client>} clients who is where now */
  take(clients) {
    if (this.#followed === null) return;
    const client = clients.get(this.#followed);
    if (client === undefined) this.stop();
    else this.#goTo(client);
  }

  /** @param {Client} client */
  #goTo({ cell }) {
    const at = String(cell);
    if (cell === null || at === this.#at) return;
    this.#at = at;
    this.#around.reveal(cell[0], cell[1]);
  }

  /**
   * A key that is meant for the grid is a movement of one's own; going to "Stop" by keyboard is not.
   * @param {KeyboardEvent} event
   */
  #pressed({ key, target }) {
    if (this.#followed === null || ["Control", "Shift", "Alt", "Meta", "F6"].includes(key)) return;
    if (key === "Escape" || this.#around.host.contains(/** @type {Node} */ (target))) this.stop();
  }
}
