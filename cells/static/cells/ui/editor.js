/** The open cell: one draft, seen over the cell and in the formula bar; it stays with its cell when rows move. */

import { MAX_INPUT_CHARACTERS, cleanText, splitEdits } from "../domain/operations.js";
import { element } from "./elements.js";
import { gettext } from "./words.js";

/** @typedef {import("./model.js").Model} Model */
/** @typedef {{row: number, column: number}} Step how far to move when done */

/** @type {Record<string, Step>} */
const ARROWS = {
  ArrowUp: { row: -1, column: 0 },
  ArrowDown: { row: 1, column: 0 },
  ArrowLeft: { row: 0, column: -1 },
  ArrowRight: { row: 0, column: 1 },
};

export class Editor {
  #model;
  #formula;
  #around;
  #input = element("textarea", "editor-input", { rows: "1", spellcheck: "false", autocomplete: "off", dir: "auto", "aria-label": gettext("Cell contents") });
  /** @type {{row: number, column: number}|null} ids */ #cell = null;
  #original = "";
  #isTyping = false; // opened by typing: arrows finish it
  /** What is laid over the cell. */ frame = element("div", "editor", { role: "row" });

  /**
   * @param {Model} model
   * @param {HTMLTextAreaElement} formula the formula bar's input
   * @param {object} around
   * @param {() => {row: number, column: number}} around.activeCell ids
   * @param {() => boolean} around.isRange more than one cell is selected
   * @param {(text: string) => boolean} around.fill write into every selected cell; false if they are too many
   * @param {() => void} around.changed opened, closed, or another draft
   * @param {(leave: Step|"tab"|"tab back"|"enter"|"enter back"|null) => void} around.done
   */
  constructor(model, formula, around) {
    this.#model = model;
    this.#formula = formula;
    this.#around = around;
    const cell = element("div", "editor-cell", { role: "gridcell" }); // a grid holds nothing but rows of cells
    cell.append(this.#input);
    this.frame.append(cell);
    this.frame.hidden = true;
    for (const input of [this.#input, formula]) {
      input.maxLength = MAX_INPUT_CHARACTERS;
      input.addEventListener("input", () => this.#typed(input));
      input.addEventListener("keydown", (event) => this.#pressed(event));
    }
    this.#input.addEventListener("mousedown", () => (this.#isTyping = false));
    formula.addEventListener("focus", () => this.#openFromFormula());
  }

  /** The ids of the cell that is being edited. */
  get cell() {
    return this.#cell;
  }

  get draft() {
    return this.#input.value;
  }

  /**
   * Open the active cell over the grid: with its input, or empty for what is being typed to replace it.
   * @param {{isTyping: boolean, text?: string}} how `text`: what came without a key
   */
  open({ isTyping, text = "" }) {
    if (!this.#begin(isTyping)) return;
    this.#show(isTyping ? text : this.#original);
    this.#input.focus({ preventScroll: true });
    this.#input.setSelectionRange(this.#input.value.length, this.#input.value.length);
  }

  #openFromFormula() {
    if (this.#cell !== null || !this.#begin(false)) return;
    this.#show(this.#original);
  }

  /** @param {boolean} isTyping */
  #begin(isTyping) {
    if (!this.#model.mayEdit || !this.#model.isLoaded) return false;
    if (this.#cell !== null) return false;
    this.#cell = this.#around.activeCell();
    this.#original = this.#model.inputAt(this.#cell.row, this.#cell.column);
    this.#isTyping = isTyping;
    this.frame.hidden = false;
    return true;
  }

  /** Write the draft into the cell it was opened on, if it says something else than the cell did. */
  commit() {
    const cell = this.#cell;
    if (cell === null) return;
    const text = cleanText(this.draft);
    this.#close();
    if (text === this.#original) return;
    for (const operation of splitEdits([[cell.row, cell.column, text]])) this.#model.submit(operation);
  }

  /** Leave the cell as it was. */
  cancel() {
    if (this.#cell === null) return;
    this.#close();
  }

  #close() {
    this.#cell = null;
    this.frame.hidden = true;
    this.#around.changed();
  }

  /** @param {string} text */
  #show(text) {
    this.#input.value = text;
    this.#formula.value = text;
    this.frame.dataset.text = text;
    this.#around.changed();
  }

  /** @param {HTMLTextAreaElement} source */
  #typed(source) {
    if (this.#cell === null) return;
    const other = source === this.#input ? this.#formula : this.#input;
    other.value = source.value;
    this.frame.dataset.text = source.value;
    this.#around.changed();
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (this.#cell === null || event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.altKey && this.#around.isRange()) {
      event.preventDefault();
      event.stopPropagation();
      if (!this.#around.fill(cleanText(this.draft))) return;
      this.#close();
      this.#around.done(null);
      return;
    }
    const leave = this.#leaveOf(event);
    if (leave === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (leave === null) this.cancel();
    else this.commit();
    this.#around.done(leave);
  }

  /**
   * Return how a key leaves the editor, null for without writing, undefined if it does not.
   * @param {KeyboardEvent} event
   */
  #leaveOf(event) {
    const hasModifier = event.altKey || event.ctrlKey || event.metaKey;
    if (event.key === "Escape") return null;
    if (event.key === "Tab") return event.shiftKey ? "tab back" : "tab";
    if (event.key === "Enter" && hasModifier) {
      this.#insertLineBreak(/** @type {HTMLTextAreaElement} */ (event.target));
      event.preventDefault();
      return undefined;
    }
    if (event.key === "Enter") return event.shiftKey ? "enter back" : "enter";
    if (this.#isTyping && !hasModifier && !event.shiftKey && event.target === this.#input) return ARROWS[event.key];
    if (event.key === "F2") this.#isTyping = !this.#isTyping;
    return undefined;
  }

  /** @param {HTMLTextAreaElement} input */
  #insertLineBreak(input) {
    input.setRangeText("\n", input.selectionStart, input.selectionEnd, "end");
    this.#typed(input);
  }
}
