/** The bar over the grid while it shows the past: which moment that is, and what can be done about it. */

import { element } from "./elements.js";
import { gettext } from "./words.js";

/** @typedef {{leave: () => void, restore: () => void, restoreSelection: () => void}} Around */

export class ThenBar {
  #bar = element("div", "then-bar", { role: "group", "data-region": "", hidden: "" });
  #text = element("p", "then-text", { dir: "auto" });
  #restoring = element("span", "then-restoring");
  #why = element("p", "then-why", { role: "status" });
  #back;

  /**
   * @param {HTMLElement} stage what the grid lies in
   * @param {Around} around
   */
  constructor(stage, { leave, restore, restoreSelection }) {
    /** @type {(label: string, className: string, run: () => void) => HTMLElement} */
    const button = (label, className, run) => {
      const made = element("button", `button ${className}`, { type: "button" }, label);
      made.addEventListener("click", run);
      return made;
    };
    this.#restoring.append(
      button(gettext("Restore this version"), "button-primary", restore),
      button(gettext("Restore the selection"), "", restoreSelection),
    );
    this.#back = button(gettext("Back to now"), "", leave);
    this.#bar.append(this.#text, this.#restoring, this.#why, this.#back);
    stage.prepend(this.#bar);
  }

  /**
   * @param {string} sentence
   */
  show(sentence) {
    this.#text.textContent = sentence;
    this.#bar.setAttribute("aria-label", sentence);
    this.#bar.hidden = false;
  }

  /**
   * Offer to restore, or say why not.
   * @param {boolean} mayRestore
   * @param {string} why "": there is nothing to be said
   */
  offer(mayRestore, why) {
    const hadFocus = !mayRestore && this.#restoring.contains(document.activeElement);
    this.#restoring.hidden = !mayRestore;
    if (hadFocus) this.#back.focus();
    if (this.#why.textContent !== why) this.#why.textContent = why;
  }

  /** Go, and say whether the keyboard was here. */
  hide() {
    const hadFocus = this.#bar.contains(document.activeElement);
    this.#bar.hidden = true;
    return hadFocus;
  }
}
