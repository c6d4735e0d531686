/** Help with a formula while it is typed: its references in colours, pointing at cells, F4, and what functions take. */

import { formatColumn, formatRange } from "../domain/addresses.js";
import { closed, contextAt, cycled } from "../domain/formula_text.js";
import { formatReference, referencesIn } from "../domain/references.js";
import { retyped } from "../domain/retyping.js";
import { element } from "./elements.js";
import { FormulaCompletion } from "./formula_completion.js";
import { jump } from "./movement.js";

const COLORS = 6; // as formulas.css has

/** @typedef {import("../domain/addresses.js").Range} Range */
/** @typedef {import("../domain/references.js").Reference} Reference */
/** @typedef {import("./editor.js").Editor} Editor */
/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./painter.js").Outline} Outline */
/** @typedef {import("./selection.js").Place} Place */
/** @typedef {"cells"|"rows"|"columns"} Shape */
/** @typedef {{from: number, to: number}} Span */
/** @typedef {Span & {anchor: Place, corner: Place, shape: Shape}} Pointed a reference that was pointed at, and may yet become another one */

/** @type {Record<string, [down: number, right: number]>} */
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export class FormulaEditing {
  #editor;
  #model;
  #around;
  #completion;
  #colors = element("div", "editor-colors", { "aria-hidden": "true", dir: "auto" });
  #barColors = element("div", "formula-colors", { "aria-hidden": "true", dir: "auto" });
  /** @type {Pointed|null} */ #pointed = null;
  #isPointing = false;
  #text = ""; // what the colours are of
  #axes;
  /** What the formula refers to. */ outlines = /** @type {Outline[]} */ ([]);

  /**
   * @param {Editor} editor
   * @param {Model} model
   * @param {{stage: HTMLElement, bar: HTMLTextAreaElement, reveal: (place: Place) => void, repaint: () => void}} around
   */
  constructor(editor, model, around) {
    this.#editor = editor;
    this.#model = model;
    this.#axes = { rows: model.rows, columns: model.columns };
    this.#around = around;
    this.#completion = new FormulaCompletion(editor, around.stage);
    editor.frame.append(this.#colors);
    editor.frame.addEventListener("scroll", ({ target }) => (this.#colors.scrollTop = /** @type {HTMLElement} */ (target).scrollTop), true);
    around.bar.after(this.#barColors);
    around.bar.addEventListener("scroll", () => this.#lieOnBar());
    around.bar.addEventListener("focus", () => this.#lieOnBar());
    editor.assistant = this;
    editor.rebase();
    this.changed();
  }

  /** Another draft, another place in it, or none any more. */
  changed() {
    const text = this.#editor.cell === null ? "" : this.#editor.draft;
    const isFormula = text.startsWith("=");
    if (!this.#isPointing && this.#pointed && !this.#isAtPointed(text)) this.#pointed = null;
    const { rows, columns } = this.#model;
    const isOther = text !== this.#text || rows !== this.#axes.rows || columns !== this.#axes.columns;
    if (isOther) this.#paint(isFormula ? text : "", text);
    this.#around.bar.classList.toggle("is-composing", this.#editor.isComposing);
    this.#completion.update(isFormula && !this.#editor.isComposing && !this.#isPointing ? this.#context : null);
  }

  /** What is beside the field may have to move with it. */
  place() {
    this.#completion.place();
  }

  /**
   * Return a formula as it was meant that breaks off: its brackets closed.
   * @param {string} text
   */
  finished(text) {
    return closed(text);
  }

  /**
   * @param {string} text
   * @param {import("../domain/references.js").Axes} before
   * @param {import("../domain/references.js").Axes} now
   */
  retyped(text, before, now) {
    return retyped(text, before, now);
  }

  /**
   * Say whether a key was meant for the formula.
   * @param {KeyboardEvent} event
   */
  pressed(event) {
    if (this.#editor.cell === null || !this.#editor.draft.startsWith("=")) return false;
    if (this.#completion.pressed(event)) return true;
    if (event.key === "F4" && !event.altKey && !event.ctrlKey && !event.metaKey) return this.#cycle();
    return event.key in ARROWS && !event.altKey && this.#pointByKey(event);
  }

  /**
   * Have the formula refer to what is at a place, if a reference may stand where the caret is.
   * @param {Place} place
   * @param {Shape} shape
   * @param {boolean} isExtending
   * @returns {((place: Place) => void)|null} does so to where the pointer is drawn; null: none may
   */
  pointAt(place, shape, isExtending) {
    const spot = this.#spot;
    if (spot === null) return null;
    const anchor = isExtending && this.#pointed ? this.#pointed.anchor : place;
    this.#point(spot, anchor, place, shape);
    return (moved) => {
      if (this.#pointed) this.#point(this.#pointed, anchor, moved, shape);
    };
  }

  get #context() {
    const { draft, field } = this.#editor;
    return contextAt(draft, field.selectionEnd);
  }

  /**
   * Where a reference may be written: over one that was pointed at or is selected, or behind an operator.
   * @returns {Span|null}
   */
  get #spot() {
    const { cell, draft, field, isComposing } = this.#editor;
    if (cell === null || isComposing || !draft.startsWith("=")) return null;
    if (this.#pointed) return this.#pointed;
    const { selectionStart: from, selectionEnd: to } = field;
    if (from === to) return contextAt(draft, to).takesReference ? { from, to } : null;
    return referencesIn(draft).some((found) => found.from === from && found.to === to) ? { from, to } : null;
  }

  /** @param {string} text */
  #isAtPointed(text) {
    const { from, to } = /** @type {Pointed} */ (this.#pointed);
    const { selectionStart, selectionEnd } = this.#editor.field;
    return selectionStart === to && selectionEnd === to && text.slice(from, to) === this.#textOf(/** @type {Pointed} */ (this.#pointed));
  }

  /**
   * @param {Span} span
   * @param {Place} anchor
   * @param {Place} corner
   * @param {Shape} shape
   */
  #point({ from, to }, anchor, corner, shape) {
    const text = this.#textOf({ anchor, corner, shape });
    this.#isPointing = true;
    this.#editor.replace(from, to, text);
    this.#pointed = { from, to: from + text.length, anchor, corner, shape };
    this.#isPointing = false;
    this.changed();
  }

  /**
   * @param {{anchor: Place, corner: Place, shape: Shape}} pointed
   */
  #textOf({ anchor, corner, shape }) {
    const [top, bottom] = [anchor.row, corner.row].sort((one, other) => one - other);
    const [left, right] = [anchor.column, corner.column].sort((one, other) => one - other);
    if (shape === "rows") return `${top + 1}:${bottom + 1}`;
    if (shape === "columns") return `${formatColumn(left)}:${formatColumn(right)}`;
    return formatRange({ top, left, bottom, right });
  }

  /**
   * An arrow key behind an operator points at a cell, while arrows are not for the text.
   * @param {KeyboardEvent} event
   */
  #pointByKey({ key, shiftKey, ctrlKey, metaKey }) {
    const { cell, isTyping, isOverCell } = this.#editor;
    const spot = this.#spot;
    if (cell === null || !isTyping || !isOverCell || spot === null) return false;
    const [down, right] = ARROWS[key];
    const { rows, columns } = this.#model;
    const from = this.#pointed?.corner ?? { row: rows.findPosition(cell.row) ?? 0, column: columns.findPosition(cell.column) ?? 0 };
    const wanted = ctrlKey || metaKey ? jump(this.#model, from, down, right) : { row: from.row + down, column: from.column + right };
    const corner = { row: clamp(wanted.row, rows.length), column: clamp(wanted.column, columns.length) };
    const anchor = shiftKey ? (this.#pointed?.anchor ?? from) : corner;
    this.#point(spot, anchor, corner, "cells");
    this.#around.reveal(corner);
    return true;
  }

  #cycle() {
    const { draft, field } = this.#editor;
    const { selectionStart, selectionEnd } = field;
    const change = cycled(draft, selectionStart, selectionEnd);
    if (change === null) return true; // it is no key for the text, either way
    this.#editor.replace(change.from, change.to, change.written);
    if (selectionStart !== selectionEnd) field.setSelectionRange(change.from, change.from + change.written.length);
    return true;
  }

  /** The coloured text scrolls with the field's own, and is broken as that is. */
  #lieOnBar() {
    const { bar } = this.#around;
    this.#barColors.style.width = `${bar.clientWidth}px`;
    this.#barColors.style.height = `${bar.clientHeight}px`;
    this.#barColors.scrollTop = bar.scrollTop;
  }

  /**
   * @param {string} formula "": none
   * @param {string} text
   */
  #paint(formula, text) {
    const hadAny = this.outlines.length > 0;
    this.#text = text;
    this.#axes = { rows: this.#model.rows, columns: this.#model.columns };
    this.outlines = [];
    this.#colors.replaceChildren();
    /** @type {Map<string, number>} */
    const colors = new Map();
    let done = 0;
    for (const { reference, from, to } of formula === "" ? [] : referencesIn(formula)) {
      const range = rangeOf(reference, this.#model);
      if (range === null) continue;
      const key = formatReference({ rows: reference.rows.map(loose), columns: reference.columns.map(loose) });
      const color = colors.get(key) ?? colors.size % COLORS;
      if (!colors.has(key)) this.outlines.push({ range, color });
      colors.set(key, color);
      const span = element("span", "", {}, formula.slice(from, to));
      span.dataset.color = String(color);
      this.#colors.append(formula.slice(done, from), span);
      done = to;
    }
    this.#colors.append(formula.slice(done));
    this.#barColors.replaceChildren(...[...this.#colors.childNodes].map((node) => node.cloneNode(true)));
    this.#editor.frame.classList.toggle("has-colors", this.outlines.length > 0);
    this.#around.bar.classList.toggle("has-colors", this.outlines.length > 0);
    if (!this.#editor.isOverCell) this.#lieOnBar();
    if (hadAny || this.outlines.length > 0) this.#around.repaint();
  }
}

/**
 * @param {number} position
 * @param {number} length
 */
function clamp(position, length) {
  return Math.max(0, Math.min(length - 1, position));
}

/** @param {import("../domain/references.js").End} end */
function loose(end) {
  return { ...end, isFixed: false };
}

/**
 * Return which cells a reference is about, as far as the sheet reaches; null for none.
 * @param {Reference} reference of places
 * @param {Model} model
 * @returns {Range|null}
 */
function rangeOf({ rows, columns }, model) {
  const isOpen = rows.length + columns.length === 3;
  const down = spanOf(rows, model.rows.length, isOpen);
  const across = spanOf(columns, model.columns.length, isOpen);
  return down && across && { top: down.first, bottom: down.last, left: across.first, right: across.last };
}

/**
 * @param {Reference["rows"]} ends
 * @param {number} length
 * @param {boolean} isOpen a lone end is where the range begins
 */
function spanOf(ends, length, isOpen) {
  const places = ends.map(({ at }) => at);
  const first = ends.length === 0 ? 0 : Math.min(...places);
  const reachesEnd = ends.length === 0 || (isOpen && ends.length === 1);
  const last = reachesEnd ? length - 1 : Math.min(length - 1, Math.max(...places));
  return first <= last ? { first, last } : null;
}
