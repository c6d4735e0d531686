/** What a person must be told, and texts that they may want back. */

import { element } from "./elements.js";
import { writeClipboard } from "./system_clipboard.js";
import { gettext } from "./words.js";

const SHORT_MS = 5_000; // a remark goes by itself; a lost text stays until it is dismissed
const OFFER_MS = 20_000; // what can be done about it takes thinking
const MAX_NOTICES = 4;

export class Notices {
  #list;

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#list = list;
  }

  /**
   * @param {string} sentence
   * @param {string} [lost] what was typed and could not be saved
   * @returns {(lost: string) => void} says that more was lost
   */
  tell(sentence, lost = "") {
    return this.#put(sentence, lost, SHORT_MS).say;
  }

  /**
   * @param {string} sentence
   * @param {string} lost
   * @param {number} ms how long it stays, if nothing was lost; Infinity: until it is removed
   */
  #put(sentence, lost, ms) {
    for (const old of this.#list.children) if (/** @type {HTMLElement} */ (old).dataset.said === sentence + lost) old.remove();
    const notice = element("li", "notice", { role: lost ? "alert" : "status" });
    notice.dataset.said = sentence + lost;
    notice.append(element("p", "notice-text", {}, sentence));
    const text = element("pre", "notice-lost", { role: "group", dir: "auto", tabindex: "0", "aria-label": gettext("Your text") }, lost);
    /** @param {string} more */
    const say = (more) => {
      text.textContent = more;
      notice.dataset.said = sentence + more;
      if (!more) return;
      if (text.parentNode === null) notice.append(text, this.#buttons(notice, text));
      notice.classList.add("is-lost");
      notice.setAttribute("role", "alert");
      if (!notice.isConnected) this.#list.append(notice);
    };
    this.#list.append(notice);
    if (lost) say(lost);
    else if (ms < Infinity) setTimeout(() => notice.classList.contains("is-lost") || notice.remove(), ms);
    const remarks = [...this.#list.children].filter((child) => !child.classList.contains("is-lost"));
    if (this.#list.children.length > MAX_NOTICES) remarks[0]?.remove();
    return { notice, say };
  }

  /**
   * Say what is being done; returns what takes that away again.
   * @param {string} sentence
   * @returns {() => void}
   */
  wait(sentence) {
    const { notice } = this.#put(sentence, "", Infinity);
    return () => notice.remove();
  }

  /**
   * Say what was done, and offer to do something about it for a while.
   * @param {string} sentence
   * @param {string} label
   * @param {() => void} run
   */
  offer(sentence, label, run) {
    const { notice } = this.#put(sentence, "", OFFER_MS);
    const button = element("button", "button", { type: "button" }, label);
    button.addEventListener("click", () => {
      notice.remove();
      run();
    });
    const row = element("div", "notice-buttons");
    row.append(button);
    notice.append(row);
  }

  /**
   * @param {HTMLElement} notice
   * @param {HTMLElement} text
   */
  #buttons(notice, text) {
    const row = element("div", "notice-buttons");
    const copy = element("button", "button", { type: "button" }, gettext("Copy text"));
    const dismiss = element("button", "button button-quiet", { type: "button" }, gettext("Dismiss"));
    copy.addEventListener("click", async () => {
      const isCopied = await writeClipboard(text.textContent ?? "");
      copy.textContent = isCopied ? gettext("Copied") : gettext("Selected: press Ctrl+C or ⌘C");
      if (!isCopied) getSelection()?.selectAllChildren(text);
    });
    dismiss.addEventListener("click", () => notice.remove());
    row.append(copy, dismiss);
    return row;
  }
}
