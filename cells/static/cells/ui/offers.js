/** Cards beside cells whose text was refused or replaced: why, and the lost text to be had back. */

import { editsOf } from "../domain/operations.js";
import { element } from "./elements.js";
import { writeClipboard } from "./system_clipboard.js";
import { gettext } from "./words.js";

const MAX_CARDS = 3; // more would hide the sheet: the oldest goes to the notices
const GAP_PX = 8;
const EDGE_PX = 4;

/** @typedef {import("../domain/operations.js").Intended} Intended */
/** @typedef {{row: number, column: number}} Cell by ids */
/** @typedef {{left: number, top: number, right: number, bottom: number}} Box */
/** @typedef {{width: number, height: number}} Size */
/** @typedef {"right"|"left"|"below"|"above"|"away"} Side where a card stands; "away": its cell is not in view */
/** @typedef {{cell: Cell, sentence: string, texts: string[], again: (() => void)|null, element: HTMLElement, where: HTMLButtonElement, side: string}} Card */
/**
 * @typedef {object} Around
 * @property {(row_id: number, column_id: number) => {cell: DOMRect, view: DOMRect}|null} rectOf null for a cell that is gone
 * @property {(row_id: number, column_id: number) => string|null} addressOf
 * @property {(row_id: number, column_id: number) => void} goTo
 * @property {(row_id: number, column_id: number, text: string) => void} putBack
 * @property {(operation: Intended) => void} submit
 * @property {(input: string) => string} typedOf an input as it reads now
 * @property {() => boolean} mayEdit
 * @property {() => void} focus give the keyboard back to the grid
 * @property {(sentence: string) => void} say at once, to a screen reader
 * @property {(sentence: string, lost: string) => void} tell where there is no cell to stand beside
 */

/**
 * Return where a card stands beside its cell: to the right, for who types goes on downwards; else where there is room.
 * @param {Box} cell
 * @param {Box} view
 * @param {Size} card
 * @returns {{left: number, top: number, side: Side}}
 */
export function placeBeside(cell, view, { width, height }) {
  /** @type {(value: number, low: number, high: number) => number} */
  const clamp = (value, low, high) => Math.max(low, Math.min(value, high));
  const isInView = cell.right > view.left && cell.left < view.right && cell.bottom > view.top && cell.top < view.bottom;
  const lowest = view.bottom - height - EDGE_PX;
  const rightmost = view.right - width - EDGE_PX;
  if (!isInView) {
    return {
      left: clamp(cell.left, view.left + EDGE_PX, rightmost),
      top: clamp(cell.top, view.top + EDGE_PX, lowest),
      side: "away",
    };
  }
  const top = clamp(cell.top - 2, view.top + EDGE_PX, lowest);
  if (cell.right + GAP_PX <= rightmost) return { left: cell.right + GAP_PX, top, side: "right" };
  if (cell.left - GAP_PX - width >= view.left + EDGE_PX) return { left: cell.left - GAP_PX - width, top, side: "left" };
  const left = clamp(cell.left, view.left + EDGE_PX, rightmost);
  if (cell.bottom + GAP_PX <= lowest) return { left, top: cell.bottom + GAP_PX, side: "below" };
  return { left, top: Math.max(view.top + EDGE_PX, cell.top - GAP_PX - height), side: "above" };
}

export class Offers {
  #stage;
  #around;
  /** @type {Card[]} the oldest first */ #cards = [];

  /**
   * @param {HTMLElement} stage what the grid lies in
   * @param {Around} around
   */
  constructor(stage, around) {
    this.#stage = stage;
    this.#around = around;
  }

  /**
   * Say that an operation was refused, beside the first of its cells that is still there.
   * @param {string} sentence
   * @param {string} text what was lost
   * @param {Intended} operation
   */
  refused(sentence, text, operation) {
    const edits = editsOf(operation) ?? [];
    const cells = operation.kind === "paste" ? [operation.cell] : edits;
    const cell = cells.find(([row, column]) => this.#around.addressOf(row, column) !== null);
    if (cell === undefined) {
      this.#around.tell(sentence, text);
      return;
    }
    const isOne = edits.length === 1;
    const again = text === "" ? null : isOne ? this.#intoEditor(cell[0], cell[1], edits[0][2]) : () => this.#around.submit(operation);
    this.#show({ row: cell[0], column: cell[1] }, sentence, text, again);
  }

  /**
   * Say that somebody replaced what was typed here a moment ago.
   * @param {string} name
   * @param {Cell & {text: string}} overwritten `text`: the input
   */
  overwritten(name, { row, column, text }) {
    this.#show({ row, column }, gettext("%(name)s replaced your text", { name }), this.#around.typedOf(text), this.#intoEditor(row, column, text));
  }

  /** Stand where the cells are now. Cheap while there is no card. */
  place() {
    if (this.#cards.length === 0) return;
    const stage = this.#stage.getBoundingClientRect();
    /** @type {Box[]} */
    const taken = [];
    for (const card of [...this.#cards]) {
      const rects = this.#around.rectOf(card.cell.row, card.cell.column);
      if (rects === null) {
        this.#remove(card);
        this.#around.tell(card.sentence, card.texts.join("\n"));
        continue;
      }
      const { offsetWidth: width, offsetHeight: height } = card.element;
      const spot = placeBeside(rects.cell, rects.view, { width, height });
      for (const box of taken) {
        const isOver = spot.left < box.right && spot.left + width > box.left && spot.top < box.bottom && spot.top + height > box.top;
        if (isOver) spot.top = box.bottom + height + GAP_PX <= rects.view.bottom ? box.bottom + GAP_PX : box.top - height - GAP_PX;
      }
      taken.push({ left: spot.left, top: spot.top, right: spot.left + width, bottom: spot.top + height });
      card.element.style.transform = `translate(${Math.round(spot.left - stage.left)}px, ${Math.round(spot.top - stage.top)}px)`;
      this.#point(card, spot.side);
    }
  }

  /**
   * @param {Card} card
   * @param {Side} side
   */
  #point(card, side) {
    const address = this.#around.addressOf(card.cell.row, card.cell.column) ?? "";
    const news = `${side} ${address}`;
    if (card.side === news) return;
    card.side = news;
    card.element.dataset.side = side;
    card.where.textContent = gettext("in %(address)s · Go there", { address });
    card.where.hidden = side !== "away";
    card.element.setAttribute("aria-label", `${card.sentence}: ${address}`);
  }

  /**
   * @param {number} row
   * @param {number} column
   * @param {string} input
   */
  #intoEditor(row, column, input) {
    return () => this.#around.putBack(row, column, this.#around.typedOf(input));
  }

  /**
   * @param {Cell} cell
   * @param {string} sentence
   * @param {string} text
   * @param {(() => void)|null} again
   */
  #show(cell, sentence, text, again) {
    const same = this.#cards.find((card) => card.cell.row === cell.row && card.cell.column === cell.column);
    const texts = [...new Set([...(same?.texts ?? []), text])].filter((lost) => lost !== "");
    if (same) this.#remove(same);
    if (this.#cards.length >= MAX_CARDS) {
      const [oldest] = this.#cards;
      this.#remove(oldest);
      this.#around.tell(oldest.sentence, oldest.texts.join("\n"));
    }
    const box = element("div", "offer", { role: "group", "data-region": "" });
    const where = element("button", "offer-where", { type: "button" });
    /** @type {Card} */
    const card = { cell, sentence, texts, again, element: box, where, side: "" };
    where.addEventListener("click", () => this.#around.goTo(cell.row, cell.column));
    const lost = element("pre", "offer-lost", { role: "group", dir: "auto", tabindex: "0", "aria-label": gettext("Your text") }, texts.join("\n"));
    box.append(element("p", "offer-text", {}, sentence));
    if (texts.length > 0) box.append(lost);
    box.append(this.#buttons(card, lost), where);
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.#around.focus();
    });
    this.#cards.push(card);
    this.#stage.append(box);
    this.place();
    const address = this.#around.addressOf(cell.row, cell.column) ?? "";
    this.#around.say(gettext("%(sentence)s, in %(address)s. Press Ctrl+F6 for what can be done.", { sentence, address }));
  }

  /**
   * @param {Card} card
   * @param {HTMLElement} lost
   */
  #buttons(card, lost) {
    const row = element("div", "offer-buttons");
    /** @type {(label: string, className: string, run: () => void) => HTMLButtonElement} */
    const button = (label, className, run) => {
      const made = element("button", `button ${className}`, { type: "button" }, label);
      made.addEventListener("click", run);
      row.append(made);
      return made;
    };
    const { again } = card;
    if (again && this.#around.mayEdit()) {
      button(gettext("Put back"), "button-primary", () => {
        this.#remove(card);
        this.#around.focus();
        again();
      });
    }
    if (card.texts.length > 0) {
      const copy = button(gettext("Copy"), "", async () => {
        const isCopied = await writeClipboard(card.texts.join("\n"));
        copy.textContent = isCopied ? gettext("Copied") : gettext("Selected: press Ctrl+C or ⌘C");
        if (!isCopied) getSelection()?.selectAllChildren(lost);
      });
    }
    button(gettext("Dismiss"), "button-quiet", () => {
      this.#remove(card);
      this.#around.focus();
    });
    return row;
  }

  /** @param {Card} card */
  #remove(card) {
    const place = this.#cards.indexOf(card);
    if (place >= 0) this.#cards.splice(place, 1);
    card.element.remove();
  }
}
