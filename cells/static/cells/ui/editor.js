/** The open cell: one draft, seen over the cell and in the formula bar; it stays with its cell when rows move. */

import { MAX_INPUT_CHARACTERS, cleanText, splitEdits } from "../domain/operations.js";
import { inputOf, typedOf } from "../domain/references.js";
import { element } from "./elements.js";
import { gettext } from "./words.js";

/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("../domain/references.js").Axes} Axes */
/** @typedef {{row: number, column: number}} Step how far to move when done */
/**
 * What helps with formulas while they are typed.
 * @typedef {object} Assistant
 * @property {(event: KeyboardEvent) => boolean} pressed whether the key was meant for it
 * @property {() => void} changed another draft, another place in it, or none any more
 * @property {(text: string) => string} finished what was meant by a formula that breaks off
 * @property {(text: string, before: Axes, now: Axes) => {text: string, at: (place: number) => number}} retyped the same on other axes; `at`: where a place in it has come to
 */

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
  #before = ""; // the cell's input when it was opened
  #original = ""; // the same as it is typed
  /** @type {Axes} that the draft is written for: formulas name cells by their places on them */ #axes;
  #isComposing = false;
  /** Opened by typing: arrows finish it, or point at cells. */ isTyping = false;
  /** @type {Assistant|null} null until it has come */ assistant = null;
  /** What is laid over the cell. */ frame = element("div", "editor", { role: "row" });

  /**
   * @param {Model} model
   * @param {HTMLTextAreaElement} formula the formula bar's input
   * @param {object} around
   * @param {() => {row: number, column: number}} around.activeCell ids
   * @param {() => boolean} around.isRefused the active cell is not to be changed, and that has been said
   * @param {() => boolean} around.isRange more than one cell is selected
   * @param {(input: string) => boolean} around.fill write into every selected cell; false if they are too many
   * @param {() => void} around.changed opened, closed, or another draft
   * @param {(leave: Step|"tab"|"tab back"|"enter"|"enter back"|null) => void} around.done
   */
  constructor(model, formula, around) {
    this.#model = model;
    this.#formula = formula;
    this.#around = around;
    this.#axes = { rows: model.rows, columns: model.columns };
    const cell = element("div", "editor-cell", { role: "gridcell" }); // a grid holds nothing but rows of cells
    cell.append(this.#input);
    this.frame.append(cell);
    this.frame.hidden = true;
    for (const input of [this.#input, formula]) {
      input.maxLength = MAX_INPUT_CHARACTERS;
      input.addEventListener("input", () => this.#typed(input));
      input.addEventListener("keydown", (event) => this.#pressed(event));
      input.addEventListener("compositionstart", () => this.#compose(true));
      input.addEventListener("compositionend", () => this.#compose(false));
    }
    this.#input.addEventListener("mousedown", () => (this.isTyping = false));
    formula.addEventListener("focus", () => this.#openFromFormula());
    document.addEventListener("selectionchange", () => this.#cell !== null && this.assistant?.changed());
  }

  /** The ids of the cell that is being edited. */
  get cell() {
    return this.#cell;
  }

  get draft() {
    return this.#input.value;
  }

  /** The field that is typed into. */
  get field() {
    return document.activeElement === this.#formula ? this.#formula : this.#input;
  }

  /** Whether it is typed into over the cell, and not in the formula bar. */
  get isOverCell() {
    return this.field === this.#input;
  }

  /** Whether an input method is at work: until it is done, nobody else may touch the draft. */
  get isComposing() {
    return this.#isComposing;
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
    if (this.#cell !== null || this.#around.isRefused()) return false;
    this.#cell = this.#around.activeCell();
    this.#axes = { rows: this.#model.rows, columns: this.#model.columns };
    this.#before = this.#model.inputAt(this.#cell.row, this.#cell.column);
    this.#original = typedOf(this.#before, this.#axes);
    this.isTyping = isTyping;
    this.frame.hidden = false;
    return true;
  }

  /** Write the draft into the cell it was opened on, if it says something else than the cell did. */
  commit() {
    const cell = this.#cell;
    if (cell === null) return;
    const text = this.#finished();
    const input = inputOf(text, this.#axes);
    const isSame = text === this.#original || input === this.#before;
    this.#close();
    if (isSame) return;
    for (const operation of splitEdits([[cell.row, cell.column, input]])) this.#model.submit(operation);
  }

  /** Rows or columns are others: the draft goes on naming the same cells, by the places that they have now. */
  rebase() {
    const { rows, columns } = this.#model;
    const before = this.#axes;
    if (this.#cell === null || this.assistant === null || this.#isComposing || (before.rows === rows && before.columns === columns)) return;
    this.#axes = { rows, columns };
    this.#original = typedOf(this.#before, this.#axes);
    const { text, at } = this.assistant.retyped(this.draft, before, this.#axes);
    if (text === this.draft) return;
    const { field } = this;
    const [start, end] = [at(field.selectionStart), at(field.selectionEnd)];
    this.#show(text);
    field.setSelectionRange(start, end);
  }

  /**
   * Write over a part of the draft, as if it were typed: the browser's own undo takes it back.
   * @param {number} from
   * @param {number} to
   * @param {string} text
   * @param {number} [caret] where to go on typing, else behind it
   */
  replace(from, to, text, caret = from + text.length) {
    const { field } = this;
    field.focus({ preventScroll: true });
    field.setSelectionRange(from, to);
    if (!document.execCommand("insertText", false, text)) {
      field.setRangeText(text, from, to, "end");
      this.#typed(field);
    }
    field.setSelectionRange(caret, caret);
  }

  #finished() {
    const text = cleanText(this.draft);
    return text === this.#original ? text : (this.assistant?.finished(text) ?? text);
  }

  /** @param {boolean} isComposing */
  #compose(isComposing) {
    this.#isComposing = isComposing;
    this.frame.classList.toggle("is-composing", isComposing);
    if (!isComposing) this.rebase();
    this.assistant?.changed();
  }

  /** Leave the cell as it was. */
  cancel() {
    if (this.#cell === null) return;
    this.#close();
  }

  #close() {
    this.#cell = null;
    this.frame.hidden = true;
    this.assistant?.changed();
    this.#around.changed();
  }

  /** @param {string} text */
  #show(text) {
    this.#input.value = text;
    this.#formula.value = text;
    this.frame.dataset.text = text;
    this.assistant?.changed();
    this.#around.changed();
  }

  /** @param {HTMLTextAreaElement} source */
  #typed(source) {
    if (this.#cell === null) return;
    const other = source === this.#input ? this.#formula : this.#input;
    other.value = source.value;
    this.frame.dataset.text = source.value;
    this.assistant?.changed();
    this.#around.changed();
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (this.#cell === null || event.isComposing) return;
    if (this.assistant?.pressed(event)) {
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.altKey && this.#around.isRange()) {
      event.preventDefault();
      event.stopPropagation();
      if (!this.#around.fill(inputOf(this.#finished(), this.#axes))) return;
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
    if (this.isTyping && !hasModifier && !event.shiftKey && event.target === this.#input) return ARROWS[event.key];
    if (event.key === "F2") this.isTyping = !this.isTyping;
    return undefined;
  }

  /** @param {HTMLTextAreaElement} input */
  #insertLineBreak(input) {
    input.setRangeText("\n", input.selectionStart, input.selectionEnd, "end");
    this.#typed(input);
  }
}
