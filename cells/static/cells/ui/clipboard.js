/** Copy, cut and paste of ranges, as other spreadsheets and text editors understand them. */

import { formatTable } from "../domain/html_table.js";
import { formatTsv, parseTsv } from "../domain/tsv.js";
import { readClipboard, writeClipboard } from "./system_clipboard.js";
import { shownOf } from "./formats.js";
import { readTable } from "./html_tables.js";
import { gettext } from "./words.js";

/** @typedef {import("../domain/addresses.js").Range} Range */
/** @typedef {import("../domain/operations.js").Edit} Edit */
/** @typedef {import("./actions.js").Actions} Actions */
/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./selection.js").Selection} Selection */

const MAX_COPIED_CELLS = 1_000_000; // a text of more would freeze the tab
const MAX_STYLED_CELLS = 100_000; // likewise of HTML; more cells are copied without their looks

export class Clipboard {
  #model;
  #selection;
  #actions;
  #around;
  /** @type {{text: string, edits: Edit[], corners: number[]}|null} what is cut, by ids, and goes where it is pasted */ #cut = null;
  /** @type {{text: string, values: string[][]}|null} what formulas among the copied cells had come to */ #values = null;
  #isValuesOnly = false; // the keys that are down ask for it

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
      const html = event.clipboardData.getData("text/html");
      this.paste(event.clipboardData.getData("text/plain"), html, this.#isValuesOnly);
    });
    // A browser may bring the looks with these keys, too: the event that follows does not say which it was.
    host.addEventListener("keydown", ({ key, shiftKey, ctrlKey, metaKey }) => {
      this.#isValuesOnly = shiftKey && (ctrlKey || metaKey) && key.toLowerCase() === "v";
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
    const taken = this.#take(isCut);
    if (taken === null) return;
    if (await writeClipboard(taken.text, taken.html)) return;
    this.#around.tell(
      isCut
        ? gettext("The browser does not let the menu write to the clipboard: use Ctrl+X or ⌘X.")
        : gettext("The browser does not let the menu write to the clipboard: use Ctrl+C or ⌘C."),
    );
    this.forgetCut();
  }

  /** Paste by menu. */
  async pasteFromMenu(isValuesOnly = false) {
    const found = await readClipboard();
    if (found === null) this.#around.tell(gettext("The browser does not let the menu read the clipboard: use Ctrl+V or ⌘V."));
    else this.paste(found.text, found.html, isValuesOnly);
  }

  /**
   * Paste a table with its looks, else rows of texts; one step of undo.
   * @param {string} text
   * @param {string} [html] the same, as another program or this page wrote it
   * @param {boolean} [isValuesOnly] leave looks, and write what formulas have come to
   */
  paste(text, html = "", isValuesOnly = false) {
    if (!this.#model.mayEdit) return;
    const cut = this.#cut?.text === text ? this.#cut.edits : [];
    const table = isValuesOnly || html === "" ? null : readTable(html);
    if (table === null && text === "") return;
    const values = isValuesOnly && this.#values?.text === text ? this.#values.values : null;
    const pasted = this.#model.asOneStep(() => {
      if (table !== null) return this.#actions.paste(table.texts, cut, table.styles);
      const cleared = isValuesOnly ? cut.map(([row, column]) => /** @type {Edit} */ ([row, column, ""])) : cut;
      return this.#actions.paste(values ?? parseTsv(text), cleared);
    });
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
    const taken = this.#take(isCut);
    if (taken === null) return;
    event.preventDefault();
    if (taken.html !== "") event.clipboardData?.setData("text/html", taken.html);
    event.clipboardData?.setData("text/plain", taken.text);
  }

  /**
   * @param {boolean} isCut
   * @returns {{text: string, html: string}|null} no HTML of too many cells
   */
  #take(isCut) {
    const { range, shape } = this.#selection;
    const { top, left, bottom, right } = range;
    if (shape === "cells" && (bottom - top + 1) * (right - left + 1) > MAX_COPIED_CELLS) {
      this.#around.tell(gettext("At most %(count)s cells can be copied at once.", { count: MAX_COPIED_CELLS }));
      return null;
    }
    const texts = this.#actions.texts();
    const text = formatTsv(texts);
    this.#values = null;
    const html = texts.length * texts[0].length > MAX_STYLED_CELLS ? "" : this.#htmlOf(texts, text);
    this.forgetCut();
    if (isCut && this.#model.mayEdit) {
      const { rows, columns } = this.#model;
      const corners = /** @type {number[]} */ ([rows.idAt(top), columns.idAt(left), rows.idAt(bottom), columns.idAt(right)]);
      this.#cut = { text, edits: this.#actions.emptying(range), corners };
      this.#around.changed();
    }
    return { text, html };
  }

  /**
   * @param {string[][]} texts of the selection
   * @param {string} text the same, as it is copied
   */
  #htmlOf(texts, text) {
    const { rows, columns } = this.#model;
    const { top, left } = this.#selection.range;
    let hasValues = false;
    const lines = texts.map((line, down) =>
      line.map((input, across) => {
        const cell = this.#model.cellAt(/** @type {number} */ (rows.idAt(top + down)), /** @type {number} */ (columns.idAt(left + across)));
        const { style, value } = cell ?? {};
        hasValues ||= value !== undefined;
        const isAsTyped = value === undefined && style?.format === undefined && style?.decimals === undefined;
        return { input, shown: isAsTyped ? input : shownOf(cell)[0], style, value };
      }),
    );
    if (hasValues) this.#values = { text, values: lines.map((line) => line.map(({ input, value }) => valueText(input, value))) };
    return formatTable(lines);
  }
}

/**
 * Return what a cell is worth as a text that can be typed.
 * @param {string} input
 * @param {unknown} value
 */
function valueText(input, value) {
  if (value === undefined || (typeof value === "object" && value !== null)) return input;
  return typeof value === "boolean" ? String(value).toUpperCase() : String(value ?? "");
}
