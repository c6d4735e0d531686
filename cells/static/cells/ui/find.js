/** Find and replace: a panel over the grid, and a search that never holds up the page. */

import { CellMap } from "../domain/cells.js";
import { SheetSyncError } from "../domain/errors.js";
import { TEXT_MARK } from "../domain/literals.js";
import { isTooLong } from "../domain/operations.js";
import { inputOf, typedOf } from "../domain/references.js";
import { nextMatch, replacedIn, searchFor } from "../domain/search.js";
import { element } from "./elements.js";
import { shownOf } from "./formats.js";
import { gettext, ngettext } from "./words.js";

const SLICE_MS = 8; // of searching at once, so that frames go on
const AGAIN_MS = 250; // after a change; a stream must not keep the search from its end
const CLOCK_CELLS = 256; // looked at before the clock is

/** @typedef {import("../domain/operations.js").Edit} Edit */
/** @typedef {import("../domain/search.js").Search} Search */
/** @typedef {{row: number, column: number, row_id: number, column_id: number}} Match */
/**
 * @typedef {object} Around
 * @property {import("./model.js").Model} model
 * @property {import("./grid.js").Grid} grid
 * @property {(sentence: string) => void} tell
 */

export class Find {
  #around;
  #panel = element("div", "find", { role: "search", "aria-label": gettext("Find and replace"), hidden: "" });
  #text = element("input", "find-text", { type: "text", "aria-label": gettext("Find"), placeholder: gettext("Find"), autocomplete: "off", spellcheck: "false", dir: "auto" });
  #by = element("input", "find-text", { type: "text", "aria-label": gettext("Replace with"), placeholder: gettext("Replace with"), autocomplete: "off", spellcheck: "false", dir: "auto" });
  #count = element("span", "find-count", { role: "status" });
  #second = element("div", "find-line", { hidden: "" });
  #isCase = choice(gettext("Match case"));
  #isWhole = choice(gettext("Whole cell"));
  #isExpression = choice(gettext("Regular expression"));
  /** @type {Match[]} by rows, then columns */ #matches = [];
  /** @type {CellMap<true>} */ #marks = new CellMap();
  #run = 0; // a search that another one has overtaken stops
  #isSearching = false;
  #told = ""; // what the count was made of
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #againTimer;

  /**
   * @param {HTMLElement} host
   * @param {Around} around
   */
  constructor(host, around) {
    this.#around = around;
    this.#build();
    host.append(this.#panel);
    document.addEventListener("keydown", (event) => this.#called(event), true);
    this.#panel.addEventListener("keydown", (event) => this.#pressed(event));
    for (const input of [this.#text, this.#isCase.box, this.#isWhole.box, this.#isExpression.box]) {
      input.addEventListener("input", () => void this.#search(true));
    }
  }

  get isOpen() {
    return !this.#panel.hidden;
  }

  /**
   * Say which columns of a row are to be marked; undefined for none.
   * @param {number} row_id
   */
  row(row_id) {
    return this.isOpen ? this.#marks.row(row_id) : undefined;
  }

  /** @param {boolean} isReplacing */
  open(isReplacing) {
    const { grid, model } = this.#around;
    grid.finish();
    this.#second.hidden = !(isReplacing && model.mayEdit);
    this.#panel.hidden = false;
    this.#text.focus();
    this.#text.select();
    void this.#search(false);
  }

  close() {
    this.#run += 1;
    this.#panel.hidden = true;
    clearTimeout(this.#againTimer);
    this.#around.grid.repaint();
    this.#around.grid.focus();
  }

  /** Cells are others than before: search again, soon. */
  changed() {
    if (!this.isOpen || this.#text.value === "") return;
    clearTimeout(this.#againTimer);
    this.#againTimer = setTimeout(() => (this.#isSearching ? this.changed() : void this.#search(false)), AGAIN_MS);
  }

  #build() {
    /** @type {(label: string, sign: string, run: () => void) => HTMLButtonElement} */
    const button = (label, sign, run) => {
      const made = element("button", "button button-quiet find-button", { type: "button" }, sign || label);
      if (sign) made.setAttribute("aria-label", label);
      if (sign) made.title = label;
      made.addEventListener("click", run);
      return made;
    };
    const first = element("div", "find-line");
    first.append(
      this.#text,
      this.#count,
      button(gettext("Previous match"), "↑", () => this.#go(-1)),
      button(gettext("Next match"), "↓", () => this.#go(1)),
      button(gettext("Close"), "✕", () => this.close()),
    );
    this.#second.append(
      this.#by,
      button(gettext("Replace"), "", () => this.#replace()),
      button(gettext("Replace all"), "", () => void this.#replaceAll()),
    );
    const choices = element("div", "find-choices");
    choices.append(this.#isCase.label, this.#isWhole.label, this.#isExpression.label);
    this.#panel.append(first, this.#second, choices);
  }

  /** @param {KeyboardEvent} event */
  #called(event) {
    const key = event.key.toLowerCase();
    if (!(event.ctrlKey || event.metaKey) || event.altKey || document.querySelector("dialog[open]")) return;
    if (key === "g" && this.isOpen) this.#go(event.shiftKey ? -1 : 1);
    else if (!event.shiftKey && (key === "f" || key === "h")) this.open(key === "h" || (this.isOpen && !this.#second.hidden));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    event.stopPropagation(); // not for the grid
    if (event.isComposing) return;
    if (event.key === "Escape") this.close();
    else if (event.key === "Enter" && event.target === this.#text) this.#go(event.shiftKey ? -1 : 1);
    else if (event.key === "Enter" && event.target === this.#by) this.#replace();
    else return;
    event.preventDefault();
  }

  /** @returns {Search|null} */
  #wanted() {
    return searchFor({ text: this.#text.value, isCase: this.#isCase.box.checked, isWhole: this.#isWhole.box.checked, isExpression: this.#isExpression.box.checked });
  }

  /**
   * Look through all filled cells, a slice at a time; then show what was found.
   * @param {boolean} isGoing whether to go to the first match from the active cell on
   */
  async #search(isGoing) {
    const run = (this.#run += 1);
    this.#panel.classList.remove("is-broken");
    /** @type {Search|null} */
    let search = null;
    try {
      search = this.#wanted();
    } catch (error) {
      if (!(error instanceof SheetSyncError)) throw error;
      this.#panel.classList.add("is-broken");
    }
    this.#isSearching = search !== null;
    const found = search && (await this.#matchesOf(search, run));
    if (run !== this.#run) return;
    this.#isSearching = false;
    this.#matches = found ?? [];
    this.#marks = new CellMap();
    for (const { row_id, column_id } of this.#matches) this.#marks.set(row_id, column_id, true);
    if (isGoing && this.#matches.length > 0) this.#show(nextMatch(this.#matches, this.#around.grid.selection.active, 1, true));
    this.refresh();
    this.#around.grid.repaint();
  }

  /**
   * @param {Search} search
   * @param {number} run
   * @returns {Promise<Match[]|null>} null: overtaken
   */
  async #matchesOf(search, run) {
    const { model } = this.#around;
    /** @type {Match[]} */
    const found = [];
    let looked = 0;
    let end = performance.now() + SLICE_MS;
    for (const [row_id, column_id] of model.filled()) {
      looked += 1;
      if (looked % CLOCK_CELLS === 0 && performance.now() > end) {
        await new Promise((resolve) => setTimeout(resolve));
        if (run !== this.#run) return null;
        end = performance.now() + SLICE_MS;
      }
      if (!this.#isFound(search, row_id, column_id)) continue;
      const row = model.rows.findPosition(row_id);
      const column = model.columns.findPosition(column_id);
      if (row !== undefined && column !== undefined) found.push({ row, column, row_id, column_id });
    }
    return found.sort((one, other) => one.row - other.row || one.column - other.column);
  }

  /**
   * Say whether a cell has it in what was typed, a formula as it reads now, or in what it shows.
   * @param {Search} search
   * @param {number} row_id
   * @param {number} column_id
   */
  #isFound(search, row_id, column_id) {
    const { model, grid } = this.#around;
    const cell = grid.shown.at(row_id, column_id);
    if (cell === undefined) return false;
    if (search.test(typedOf(cell.input, model))) return true;
    const isAsTyped = !cell.input.startsWith(TEXT_MARK) && cell.value === undefined && cell.style?.format === undefined && cell.style?.decimals === undefined;
    return !isAsTyped && search.test(shownOf(cell)[0]);
  }

  /** Say which match the active cell is, of how many. */
  refresh() {
    if (!this.isOpen) return;
    const { row, column } = this.#around.grid.selection.active;
    const count = this.#matches.length;
    const told = `${this.#run} ${this.#isSearching} ${row} ${column}`;
    if (told === this.#told) return; // each frame asks, and matches may be many
    this.#told = told;
    const at = this.#matches.findIndex((match) => match.row === row && match.column === column);
    let said = "";
    if (this.#panel.classList.contains("is-broken")) said = gettext("Not a regular expression");
    else if (this.#text.value !== "" && count === 0) said = this.#isSearching ? gettext("Searching…") : gettext("Nothing found");
    else if (count > 0 && at >= 0) said = gettext("%(number)s of %(count)s", { number: at + 1, count });
    else if (count > 0) said = ngettext("%(count)s match", "%(count)s matches", count);
    if (this.#count.textContent !== said) this.#count.textContent = said;
  }

  /** @param {1|-1} direction */
  #go(direction) {
    this.#show(nextMatch(this.#matches, this.#around.grid.selection.active, direction, false));
    this.refresh();
  }

  /** @param {number|null} place of a match */
  #show(place) {
    if (place === null) return;
    const { row_id, column_id } = this.#matches[place];
    const { model, grid } = this.#around;
    const row = model.rows.findPosition(row_id);
    const column = model.columns.findPosition(column_id);
    if (row === undefined || column === undefined) return;
    grid.selection.select({ row, column });
    grid.reveal(row_id, column_id);
  }

  /** Replace in the active cell, if it is a match, and go to the next one. */
  #replace() {
    const { model, grid } = this.#around;
    const { row, column } = grid.selection.active;
    const match = this.#matches.find((one) => one.row === row && one.column === column);
    const search = this.#panel.classList.contains("is-broken") ? null : this.#wanted();
    const edits = match && search ? this.#editsOf(search, [match]) : [];
    if (edits.length > 0) for (const edit of edits) model.submit({ kind: "set_cells", cells: [edit] });
    else if (match) this.#around.tell(gettext("What was found is only how the cell shows its contents: nothing was replaced."));
    this.#go(1);
  }

  /** Replace in all cells, as one step of undo. */
  async #replaceAll() {
    if (this.#panel.classList.contains("is-broken")) return;
    const search = this.#wanted();
    if (search === null || !this.#around.model.mayEdit) return;
    await this.#search(false); // what came meanwhile counts, too
    const edits = this.#editsOf(search, this.#matches);
    this.#around.grid.write(edits);
    this.#around.tell(ngettext("Replaced in %(count)s cell.", "Replaced in %(count)s cells.", edits.length));
    await this.#search(false);
  }

  /**
   * @param {Search} search
   * @param {Match[]} matches
   * @returns {Edit[]}
   */
  #editsOf(search, matches) {
    const { model } = this.#around;
    return matches.flatMap(({ row_id, column_id }) => {
      const typed = typedOf(model.inputAt(row_id, column_id), model);
      const text = replacedIn(typed, search, this.#by.value);
      const input = inputOf(text, model);
      return !model.mayEdit || text === typed || isTooLong(input) ? [] : [/** @type {Edit} */ ([row_id, column_id, input])];
    });
  }
}

/** @param {string} text */
function choice(text) {
  const label = element("label", "find-choice");
  const box = element("input", "", { type: "checkbox" });
  label.append(box, element("span", "", {}, text));
  return { label, box };
}
