/** A cell's history, in a card beside it: who changed it, when, by which way, from what to what; the newest first. */

import { agoOf, exactly } from "./ago.js";
import { authorName, looksChanged, sources, wayOf } from "./change_words.js";
import { element } from "./elements.js";
import { NoPast, SLOW, askForJson } from "./history_asking.js";
import { placeBeside } from "./offers.js";
import { authorDot } from "./version_items.js";
import { gettext, locale } from "./words.js";

const MAX_SHOWN = 400; // characters of a text: the card is small, and its cell has the rest
const STILL_LOOKING = { changes: [], before: null, indexing: { through: 0, head: 1 } }; // the server goes on where it was

/** @typedef {{input?: string|null, style?: unknown}} State of a cell, as far as a change is about it */
/** @typedef {{revision: number, at: string, author: import("./change_words.js").Author, source: import("./change_words.js").Source|null, kind: string, old: State, new: State}} Change */
/**
 * @typedef {object} Around
 * @property {(row_id: number, column_id: number) => {cell: DOMRect, view: DOMRect}|null} rectOf
 * @property {(row_id: number, column_id: number) => string|null} addressOf
 * @property {() => {row: number, column: number}} active the active cell, by ids
 * @property {(input: string) => string} typedOf an input as it reads now
 * @property {(revision: number, at: string) => void} showBefore show the sheet as it was before a change
 * @property {() => void} focus give the keyboard back to the grid
 */

export class CellHistory {
  #stage;
  #around;
  #card = element("section", "offer cell-history", { role: "dialog", "aria-labelledby": "cell-history-title", "data-region": "", tabindex: "-1" });
  #title = element("h2", "cell-history-title", { id: "cell-history-title" });
  #source = element("select", "cell-history-source", { "aria-label": gettext("Changes by") });
  #list = element("ol", "changes");
  #status = element("p", "cell-history-status", { role: "status" });
  #older = element("button", "button", { type: "button", hidden: "" }, gettext("Older changes"));
  /** @type {{row: number, column: number}|null} by ids */ #cell = null;
  /** @type {number|null} */ #before = null;
  #run = 0; // an answer that another question has overtaken is thrown away

  /**
   * @param {HTMLElement} stage what the grid lies in
   * @param {Around} around
   */
  constructor(stage, around) {
    this.#stage = stage;
    this.#around = around;
    for (const [kind, label] of [["", gettext("Changes by everybody")], ...sources()]) this.#source.append(element("option", "", { value: kind }, label));
    const close = element("button", "button button-quiet", { type: "button", "aria-label": gettext("Close"), title: gettext("Close") }, "✕");
    close.addEventListener("click", () => this.close());
    this.#source.addEventListener("change", () => void this.#ask(true));
    this.#older.addEventListener("click", () => void this.#ask(false));
    const head = element("div", "cell-history-head");
    head.append(this.#title, close);
    this.#card.append(head, this.#source, this.#list, this.#status, this.#older);
    this.#card.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
      event.stopPropagation(); // not for the grid, nor for what else is open
    });
  }

  /**
   * Show what became of a cell, and take the keyboard.
   * @param {number} row by id
   * @param {number} column
   */
  open(row, column) {
    this.#cell = { row, column };
    this.#title.textContent = gettext("Edit history of %(address)s", { address: this.#around.addressOf(row, column) ?? "" });
    this.#source.value = "";
    this.#stage.append(this.#card);
    this.place();
    this.#card.focus({ preventScroll: true });
    void this.#ask(true);
  }

  close() {
    const hadFocus = this.#card.contains(document.activeElement);
    this.#run += 1;
    this.#cell = null;
    this.#list.replaceChildren();
    this.#card.remove();
    if (hadFocus) this.#around.focus();
  }

  /** Stand where the cell is now; go when another one is the active cell. Cheap while there is no card. */
  place() {
    if (this.#cell === null) return;
    const { row, column } = this.#around.active();
    const rects = this.#around.rectOf(this.#cell.row, this.#cell.column);
    if (rects === null || row !== this.#cell.row || column !== this.#cell.column) return this.close();
    const { offsetWidth: width, offsetHeight: height } = this.#card;
    const { left, top } = placeBeside(rects.cell, rects.view, { width, height });
    const stage = this.#stage.getBoundingClientRect();
    this.#card.style.transform = `translate(${Math.round(left - stage.left)}px, ${Math.round(top - stage.top)}px)`;
  }

  /** @param {boolean} isFirst */
  async #ask(isFirst) {
    if (this.#cell === null) return;
    const run = (this.#run += 1);
    const { row, column } = this.#cell;
    const query = new URLSearchParams({ row: String(row), column: String(column) });
    if (this.#source.value) query.set("source", this.#source.value);
    if (!isFirst) query.set("before", String(this.#before));
    if (isFirst) this.#list.replaceChildren();
    this.#older.hidden = true;
    this.#say(gettext("Loading…"));
    try {
      for (let isLookingThrough = false; ; ) {
        const { changes, before, indexing } = await askForJson(`cell/?${query}`).catch((error) => {
          if (isLookingThrough && error instanceof NoPast && error.code === SLOW) return STILL_LOOKING;
          throw error;
        });
        if (run !== this.#run) return;
        if (!indexing) return this.#show(changes, before, isFirst);
        isLookingThrough = true;
        if (indexing === STILL_LOOKING.indexing) continue;
        // A long log is looked through once, a portion each time that it is asked.
        this.#say(gettext("Looking through the history: %(percent)s", { percent: (indexing.through / indexing.head).toLocaleString(locale, { style: "percent" }) }));
      }
    } catch (error) {
      if (!(error instanceof NoPast)) throw error;
      if (run === this.#run) this.#say(error.message);
    }
  }

  /**
   * @param {Change[]} changes
   * @param {number|null} before
   * @param {boolean} isFirst
   */
  #show(changes, before, isFirst) {
    const now = new Date();
    const items = changes.map((change) => this.#item(change, now));
    this.#list.append(...items);
    this.#before = before;
    this.#older.hidden = before === null;
    const isNone = this.#list.children.length === 0;
    this.#say(isNone ? (this.#source.value ? gettext("No such changes.") : gettext("This cell has not been changed, as far back as the history goes.")) : "");
    if (!isFirst) items[0]?.focus();
    this.place();
  }

  /**
   * @param {Change} change
   * @param {Date} now
   */
  #item({ revision, at, author, source, kind, old, new: became }, now) {
    const moment = new Date(at);
    const item = element("li", "change", { tabindex: "-1" });
    const head = element("p", "change-head");
    const who = element("b", "change-author", { dir: "auto" }, authorName(author));
    who.prepend(authorDot(author));
    head.append(who, " ", element("time", "change-when", { datetime: at, title: exactly(moment) }, agoOf(moment, now)));
    item.append(head);
    const way = wayOf(author.kind, kind, source);
    if (way) item.append(element("p", "change-way", { dir: "auto", title: source?.published_at ? exactly(new Date(source.published_at)) : "" }, way));
    if ((old.input ?? "") !== (became.input ?? "")) item.append(this.#texts(old.input ?? "", became.input ?? ""));
    const looks = looksChanged(old.style, became.style);
    if (looks.length > 0) item.append(element("p", "change-looks", {}, looks.join(", ")));
    const before = element("button", "change-before", { type: "button" }, gettext("Show the sheet before this change"));
    before.addEventListener("click", () => this.#around.showBefore(revision, at));
    item.append(before);
    return item;
  }

  /**
   * @param {string} old
   * @param {string} became
   */
  #texts(old, became) {
    const texts = element("p", "change-texts");
    /** @type {(tag: "del"|"ins", label: string, input: string) => void} */
    const add = (tag, label, input) => {
      const text = this.#around.typedOf(input);
      const shown = element(tag, input === "" ? "change-text is-empty" : "change-text", { dir: "auto" });
      shown.append(element("span", "unseen", {}, `${label} `), input === "" ? gettext("empty") : text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
      texts.append(shown);
    };
    add("del", gettext("before:"), old);
    texts.append(element("span", "change-arrow", { "aria-hidden": "true" }, " → "));
    add("ins", gettext("after:"), became);
    return texts;
  }

  /** @param {string} sentence */
  #say(sentence) {
    this.#status.textContent = sentence;
    this.#status.hidden = sentence === "";
  }
}
