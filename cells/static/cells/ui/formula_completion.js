/** The list of functions that a typed name may mean, and what the one around the caret takes: beside the field. */

import { element } from "./elements.js";
import { argumentAt, functionNamed, functionsBeginning } from "./formula_functions.js";
import { gettext } from "./words.js";

const GAP_PX = 4;
const EDGE_PX = 4;
const NAMES = ["TRUE", "FALSE"]; // whole already, without brackets

/** @typedef {import("./editor.js").Editor} Editor */
/** @typedef {import("../domain/formula_text.js").Context} Context */
/** @typedef {import("./formula_functions.js").Described} Described */

export class FormulaCompletion {
  #editor;
  #stage;
  #panel = element("div", "formula-help", { hidden: "" });
  #list = element("ul", "formula-list", { role: "listbox", id: "formula-functions", "aria-label": gettext("Functions") });
  #hint = element("div", "formula-hint", { id: "formula-hint" });
  /** @type {Described[]} */ #offered = [];
  #active = 0;
  /** @type {Context["word"]} */ #word = null;
  #given = ""; // what the list was made of
  #hinted = ""; // likewise the hint
  #dismissed = -1; // where the word begins that nothing is offered for any more

  /**
   * @param {Editor} editor
   * @param {HTMLElement} stage
   */
  constructor(editor, stage) {
    this.#editor = editor;
    this.#stage = stage;
    this.#panel.append(this.#list, this.#hint);
    this.#panel.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    this.#list.addEventListener("click", (event) => {
      const option = /** @type {HTMLElement} */ (event.target).closest("li");
      if (option) this.#accept(Number(option.dataset.place));
    });
    stage.append(this.#panel);
  }

  get isOpen() {
    return this.#offered.length > 0;
  }

  /**
   * Offer what suits the place of the caret.
   * @param {Context|null} context null: no formula is being typed
   */
  update(context) {
    const { word = null, call = null } = context ?? {};
    if (word === null || word.from !== this.#dismissed) this.#dismissed = -1;
    this.#word = word;
    const text = word?.text ?? "";
    const given = this.#dismissed >= 0 || NAMES.includes(text.toUpperCase()) ? "" : text;
    if (given !== this.#given) {
      this.#given = given;
      this.#active = 0;
      this.#offer(given === "" ? [] : functionsBeginning(given));
    }
    const shown = this.#offered[this.#active] ?? (call && functionNamed(call.name)) ?? null;
    this.#explain(shown, this.isOpen ? -1 : (call?.argument ?? -1));
    this.#panel.hidden = !this.isOpen && shown === null;
    this.#tell();
    this.place();
  }

  /**
   * Say whether a key was meant for the list.
   * @param {KeyboardEvent} event
   */
  pressed({ key, altKey, ctrlKey, metaKey, shiftKey }) {
    if (!this.isOpen || altKey || ctrlKey || metaKey || shiftKey) return false;
    if (key === "ArrowDown" || key === "ArrowUp") this.#go(key === "ArrowDown" ? 1 : -1);
    else if (key === "Enter" || key === "Tab") this.#accept(this.#active);
    else if (key === "Escape") this.#dismiss();
    else return false;
    return true;
  }

  /** Stand below the field, or above it where there is no room. */
  place() {
    if (this.#panel.hidden) return;
    const stage = this.#stage.getBoundingClientRect();
    const field = (this.#editor.isOverCell ? this.#editor.frame : this.#editor.field).getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.#panel;
    const below = field.bottom - stage.top + GAP_PX;
    const above = field.top - stage.top - GAP_PX - height;
    const top = below + height > stage.height - EDGE_PX && above >= 0 ? above : below;
    const left = Math.max(EDGE_PX, Math.min(field.left - stage.left, stage.width - width - EDGE_PX));
    this.#panel.style.transform = `translate(${Math.round(left)}px, ${Math.round(Math.max(0, top))}px)`;
  }

  /** @param {Described[]} offered */
  #offer(offered) {
    this.#offered = offered;
    this.#list.hidden = offered.length === 0;
    this.#list.replaceChildren(
      ...offered.map(({ name }, place) => {
        const option = element("li", "formula-option", { role: "option", id: `formula-function-${place}` }, name);
        option.dataset.place = String(place);
        return option;
      }),
    );
    this.#mark();
  }

  /** @param {1|-1} step */
  #go(step) {
    const count = this.#offered.length;
    this.#active = (this.#active + step + count) % count;
    this.#mark();
    this.#explain(this.#offered[this.#active], -1);
    this.#tell();
    this.place();
  }

  #mark() {
    for (const [place, option] of [...this.#list.children].entries()) {
      option.setAttribute("aria-selected", String(place === this.#active));
      if (place === this.#active) option.scrollIntoView({ block: "nearest" });
    }
  }

  #dismiss() {
    this.#dismissed = this.#word?.from ?? -1;
    this.update({ word: this.#word, call: null, takesReference: false });
  }

  /** @param {number} place */
  #accept(place) {
    const word = this.#word;
    const chosen = this.#offered[place];
    if (word === null || chosen === undefined) return;
    const isCalled = this.#editor.draft[word.to] === "(";
    const isWhole = !isCalled && chosen.arguments.length === 0;
    const text = `${chosen.name}${isCalled ? "" : isWhole ? "()" : "("}`;
    this.#editor.replace(word.from, word.to, text, word.from + chosen.name.length + (isWhole ? 2 : 1));
  }

  /**
   * Show what a function takes, and which argument the caret is at.
   * @param {Described|null} shown
   * @param {number} place -1: none of them
   */
  #explain(shown, place) {
    const at = shown && place >= 0 ? argumentAt(shown, place) : -1;
    const news = shown ? `${shown.name} ${at}` : "";
    if (news === this.#hinted) return;
    this.#hinted = news;
    this.#hint.hidden = shown === null;
    if (shown === null) return;
    const signature = element("div", "formula-signature");
    signature.append(`${shown.name}(`);
    for (const [index, name] of shown.arguments.entries()) {
      if (index > 0) signature.append(", ");
      const isNow = index === at;
      signature.append(element(isNow ? "b" : "span", "formula-argument", {}, shown.isOptional[index] ? `[${name}]` : name));
    }
    signature.append(shown.repeats > 0 ? ", …)" : ")");
    this.#hint.replaceChildren(signature, element("div", "formula-says", {}, shown.says));
  }

  /** Tell assistive technology what belongs to the field. */
  #tell() {
    const { field } = this.#editor;
    const names = {
      "aria-autocomplete": this.#panel.hidden ? null : "list",
      "aria-controls": this.isOpen ? this.#list.id : null,
      "aria-activedescendant": this.isOpen ? `formula-function-${this.#active}` : null,
      "aria-describedby": this.#panel.hidden || this.#hint.hidden ? null : this.#hint.id,
    };
    for (const [name, value] of Object.entries(names)) {
      if (value === null) field.removeAttribute(name);
      else if (field.getAttribute(name) !== value) field.setAttribute(name, value);
    }
  }
}
