/** Copy, cut and paste of ranges, as other spreadsheets and text editors understand them. */

import { formatTsv, parseTsv } from "../domain/tsv.js";
import { writeClipboard } from "./elements.js";

/** @typedef {import("../domain/addresses.js").Range} Range */
/** @typedef {import("../domain/operations.js").Edit} Edit */
/** @typedef {import("./actions.js").Actions} Actions */
/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./selection.js").Selection} Selection */

const MAX_COPIED_CELLS = 1_000_000; // a text of more would freeze the tab

export class Clipboard {
  #model;
  #selection;
  #actions;
  #around;
  /** @type {{text: string, edits: Edit[], corners: number[]}|null} what is cut, by ids, and goes where it is pasted */ #cut = null;

  /**
   * @param {HTMLElement} host
   * @param {Model} model
   * @param {Selection} selection
   * @param {Actions} actions
   * @param {{tell: (sentence: string) => void, changed: () => void, isEditing: () => boolean}} around
   */
  constructor(host, model, selection, actions, around) {
    this.#model = model;
    this.#selection = selection;
    this.#actions = actions;
    this.#around = around;
    host.addEventListener("copy", (event) => this.#copied(event, false));
    host.addEventListener("cut", (event) => this.#copied(event, true));
    host.addEventListener("paste", (event) => {
      if (around.isEditing() || !event.clipboardData) return;
      event.preventDefault();
      this.paste(event.clipboardData.getData("text/plain"));
    });
  }

  /**
   * Where the cut cells stand now; null if nothing is cut.
   * @returns {Range|null}
   */
  get cutRange() {
    if (this.#cut === null) return null;
    const [top, left, bottom, right] = this.#cut.corners.map((id, index) =>
      (index % 2 === 0 ? this.#model.rows : this.#model.columns).findPosition(id),
    );
    if (top === undefined || left === undefined || bottom === undefined || right === undefined) return null;
    return { top, left, bottom, right };
  }

  /** Copy by menu, where there is no clipboard event. */
  async copy(isCut = false) {
    const text = this.#take(isCut);
    if (text === null) return;
    if (await writeClipboard(text)) return;
    const keys = isCut ? "Ctrl+X or ⌘X" : "Ctrl+C or ⌘C";
    this.#around.tell(`The browser does not let the menu write to the clipboard: use ${keys}.`);
    this.forgetCut();
  }

  /** Paste by menu. */
  async pasteFromMenu() {
    const text = await navigator.clipboard?.readText().catch(() => undefined);
    if (text === undefined) this.#around.tell("The browser does not let the menu read the clipboard: use Ctrl+V or ⌘V.");
    else this.paste(text);
  }

  /** @param {string} text */
  paste(text) {
    if (!this.#model.mayEdit || text === "") return;
    const pasted = this.#actions.paste(parseTsv(text), this.#cut?.text === text ? this.#cut.edits : []);
    if (pasted === null) return;
    this.forgetCut();
    this.#selection.selectRange(pasted);
  }

  forgetCut() {
    if (this.#cut === null) return;
    this.#cut = null;
    this.#around.changed();
  }

  /**
   * @param {ClipboardEvent} event
   * @param {boolean} isCut
   */
  #copied(event, isCut) {
    if (this.#around.isEditing()) return;
    const text = this.#take(isCut);
    if (text === null) return;
    event.preventDefault();
    event.clipboardData?.setData("text/plain", text);
  }

  /**
   * @param {boolean} isCut
   * @returns {string|null}
   */
  #take(isCut) {
    const { range, shape } = this.#selection;
    const { top, left, bottom, right } = range;
    if (shape === "cells" && (bottom - top + 1) * (right - left + 1) > MAX_COPIED_CELLS) {
      this.#around.tell(`At most ${MAX_COPIED_CELLS.toLocaleString("en")} cells can be copied at once.`);
      return null;
    }
    const text = formatTsv(this.#actions.texts());
    this.forgetCut();
    if (isCut && this.#model.mayEdit) {
      const { rows, columns } = this.#model;
      const corners = /** @type {number[]} */ ([rows.idAt(top), columns.idAt(left), rows.idAt(bottom), columns.idAt(right)]);
      this.#cut = { text, edits: this.#actions.clearing(range), corners };
      this.#around.changed();
    }
    return text;
  }
}
