/** Copy, cut and paste of ranges, as other spreadsheets and text editors understand them. */

import { formatTable } from "../domain/html_table.js";
import { textOf } from "../domain/literals.js";
import { isFormula, typedOf } from "../domain/references.js";
import { formatTsv, parseTsv } from "../domain/tsv.js";
import { readClipboard, writeClipboard } from "./system_clipboard.js";
import { shownOf } from "./formats.js";
import { valueText } from "./values.js";
import { readTable } from "./html_tables.js";
import { gettext } from "./words.js";

/** @typedef {import("../domain/addresses.js").Range} Range */
/** @typedef {import("../domain/operations.js").Edit} Edit */
/** @typedef {import("./actions.js").Actions} Actions */
/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("../domain/copies.js").Origin} Origin */
/** @typedef {import("../domain/html_table.js").Table} Table */
/** @typedef {import("./selection.js").Selection} Selection */

const MAX_COPIED_CELLS = 1_000_000; // a text of more would freeze the tab
const MAX_STYLED_CELLS = 100_000; // likewise of HTML; more cells are copied without their looks

/**
 * What this page copied last. Other programs get values; what was typed is here, and travels as it reads in the HTML.
 * @typedef {object} Taken
 * @property {string} id in the HTML
 * @property {boolean} hasHtml
 * @property {string} text
 * @property {string[][]|null} inputs null: the text says it all, for there is neither a formula nor an apostrophe that makes a text
 * @property {string[][]} values what is pasted without formulas: a text that was typed as one stays one
 * @property {[row: number, column: number]} corner ids of the first cell
 * @property {{row: number, column: number}} at where it stood
 */

export class Clipboard {
  #model;
  #selection;
  #actions;
  #around;
  /** @type {{text: string, edits: Edit[], corners: number[]}|null} what is cut, by ids, and goes where it is pasted */ #cut = null;
  /** @type {Taken|null} */ #taken = null;
  #isValuesOnly = false; // the keys that are down ask for it

  /**
   * @param {HTMLElement} host
   * @param {Model} model
   * @param {Selection} selection
   * @param {Actions} actions
   * @param {{shown: import("./shown_cells.js").ShownCells, tell: (sentence: string) => void, changed: () => void, isEditing: () => boolean}} around
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
    const table = isValuesOnly || html === "" ? null : readTable(html);
    if (table === null && text === "") return;
    const isOther = table !== null && table.source?.id !== this.#taken?.id;
    const cut = this.#cut?.text === text && !isOther ? this.#cut.edits : [];
    const own = isValuesOnly ? null : this.#ownOf(text, table);
    const ownValues = isValuesOnly && this.#taken?.text === text ? this.#taken.values : null;
    const texts = own?.inputs ?? table?.texts ?? ownValues ?? parseTsv(text);
    const cleared = isValuesOnly ? cut.map(([row, column]) => /** @type {Edit} */ ([row, column, ""])) : cut;
    const pasted = this.#model.asOneStep(() => this.#actions.paste(texts, cleared, table?.styles, this.#originOf(own, table)));
    if (pasted === null) return;
    this.forgetCut();
    this.#selection.selectRange(pasted);
  }

  /**
   * Return what this page copied last, if that is what is pasted.
   * @param {string} text
   * @param {Table|null} table
   */
  #ownOf(text, table) {
    const taken = this.#taken;
    if (taken === null) return null;
    if (table) return table.source?.id === taken.id ? taken : null;
    // The text alone may as well be another program's, whose "6" is no formula; what was cut goes where it says.
    return taken.text === text && (!taken.hasHtml || this.#cut?.text === text) ? taken : null;
  }

  /**
   * @param {Taken|null} own
   * @param {Table|null} table
   * @returns {Origin}
   */
  #originOf(own, table) {
    if (own && this.#cut?.text === own.text) return { kind: "moved" };
    if (own) {
      const row = this.#model.rows.findPosition(own.corner[0]) ?? own.at.row;
      const column = this.#model.columns.findPosition(own.corner[1]) ?? own.at.column;
      return { kind: "copied", at: { row, column } };
    }
    if (!table?.source) return { kind: "typed" };
    const [row, column] = table.source.at;
    return { kind: "elsewhere", at: { row, column } };
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
    const { rows, columns } = this.#model;
    const corner = /** @type {[number, number]} */ ([rows.idAt(top), columns.idAt(left)]);
    const inputs = this.#actions.inputs();
    let hasOthers = false;
    const values = inputs.map((line, down) =>
      line.map((input, across) => {
        hasOthers ||= isFormula(input) || textOf(input) !== input;
        return isFormula(input) ? valueText(this.#shownAt(top + down, left + across)) : input;
      }),
    );
    const text = formatTsv(inputs.map((line, down) => line.map((input, across) => (isFormula(input) ? values[down][across] : harmless(input)))));
    const id = Math.random().toString(36).slice(2);
    const html = inputs.length * inputs[0].length > MAX_STYLED_CELLS ? "" : this.#htmlOf(inputs, { id, at: [top, left] });
    this.#taken = { id, hasHtml: html !== "", text, inputs: hasOthers ? inputs : null, values, corner, at: { row: top, column: left } };
    this.forgetCut();
    if (isCut && this.#model.mayEdit) {
      const corners = /** @type {number[]} */ ([...corner, rows.idAt(bottom), columns.idAt(right)]);
      this.#cut = { text, edits: this.#actions.emptying(range), corners };
      this.#around.changed();
    }
    return { text, html };
  }

  /**
   * @param {string[][]} inputs
   * @param {import("../domain/html_table.js").Source} source
   */
  #htmlOf(inputs, source) {
    const [top, left] = source.at;
    const lines = inputs.map((line, down) =>
      line.map((input, across) => {
        const cell = this.#shownAt(top + down, left + across);
        const isAsTyped = !isFormula(input) && cell?.style?.format === undefined && cell?.style?.decimals === undefined;
        return { typed: typedOf(input, this.#model), shown: isAsTyped ? textOf(input) : shownOf(cell)[0], style: this.#styleAt(top + down, left + across) };
      }),
    );
    return formatTable(lines, source);
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  #shownAt(row, column) {
    const { rows, columns } = this.#model;
    return this.#around.shown.at(/** @type {number} */ (rows.idAt(row)), /** @type {number} */ (columns.idAt(column)));
  }

  /**
   * Return the style that a cell really has: what its formula makes it look like is not copied.
   * @param {number} row
   * @param {number} column
   */
  #styleAt(row, column) {
    const { rows, columns } = this.#model;
    return this.#model.styleAt(/** @type {number} */ (rows.idAt(row)), /** @type {number} */ (columns.idAt(column)));
  }
}

/**
 * What a program gets that takes nothing but text: what is shown, and a text that would be a formula there with its mark.
 * @param {string} input
 */
function harmless(input) {
  const text = textOf(input);
  return isFormula(text) ? input : text;
}
