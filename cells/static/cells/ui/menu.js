/** A menu that pops up where it was asked for. */

import { element } from "./elements.js";
import { icon } from "./icons.js";

/** @typedef {{label: string, hint?: string, keys?: string, isOff?: boolean, isChecked?: boolean, run: () => void}} Item `keys`: a shortcut that has no room */

export class Menu {
  #list = element("div", "menu", { role: "menu", hidden: "", tabindex: "-1" });
  /** @type {HTMLElement|null} */ #returnFocus = null;

  constructor() {
    (document.querySelector("main") ?? document.body).append(this.#list); // what is in no landmark is hard to come across
    this.#list.addEventListener("keydown", (event) => this.#pressed(event));
    this.#list.addEventListener("focusout", (event) => {
      if (!this.#list.contains(/** @type {Node|null} */ (event.relatedTarget))) this.#list.hidden = true;
    });
    this.#list.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  /**
   * @param {(Item|null)[]} items null: a line between groups
   * @param {number} x
   * @param {number} y
   * @param {HTMLElement} returnFocus
   */
  open(items, x, y, returnFocus) {
    this.#returnFocus = returnFocus;
    this.#list.replaceChildren(...items.map((item) => (item ? this.#button(item) : element("hr", "", { role: "separator" }))));
    this.#list.hidden = false;
    const { width, height } = this.#list.getBoundingClientRect();
    this.#list.style.left = `${Math.max(4, Math.min(x, innerWidth - width - 4))}px`;
    this.#list.style.top = `${Math.max(4, Math.min(y, innerHeight - height - 4))}px`;
    this.#list.focus();
  }

  /** @param {Item} item */
  #button({ label, hint, keys, isOff, isChecked, run }) {
    const button = element("button", "menu-item", { role: isChecked === undefined ? "menuitem" : "menuitemradio", type: "button", tabindex: "-1" });
    if (isChecked !== undefined) {
      button.setAttribute("aria-checked", String(isChecked));
      button.append(isChecked ? icon("check") : element("span", "icon"));
    }
    if (keys) button.title = keys;
    button.append(element("span", "menu-label", {}, label));
    if (hint) button.append(element("kbd", "", {}, hint));
    button.disabled = Boolean(isOff);
    button.addEventListener("click", () => {
      this.#close();
      run();
    });
    button.addEventListener("pointerenter", () => button.focus());
    return button;
  }

  #close() {
    this.#list.hidden = true;
    this.#returnFocus?.focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    /** @type {HTMLButtonElement[]} */
    const buttons = [...this.#list.querySelectorAll("button")].filter((button) => !button.disabled);
    const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const steps = /** @type {Record<string, number>} */ ({ ArrowDown: at + 1, ArrowUp: at < 0 ? -1 : at - 1, Home: 0, End: -1 });
    if (event.key in steps) buttons.at(steps[event.key] % buttons.length)?.focus();
    else if (event.key === "Escape" || event.key === "Tab") this.#close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
