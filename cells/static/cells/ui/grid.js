/** The grid: joins selection, keyboard, pointer, editor and clipboard to the painter. */

import { formatAddress } from "../domain/addresses.js";
import { Commands } from "./commands.js";
import { Editor } from "./editor.js";
import { FormulaBar } from "./formula_bar.js";
import { commandOf } from "./keyboard.js";
import { takeKeylessText } from "./keyless.js";
import { LookingAhead } from "./looking_ahead.js";
import { NameBox } from "./name_box.js";
import { Painter } from "./painter.js";
import { Pointer } from "./pointer.js";
import { Scrolling } from "./scrolling.js";
import { Selection } from "./selection.js";
import { ShownCells } from "./shown_cells.js";
import { Sight } from "./sight.js";
import { Strays } from "./strays.js";
import { whereaboutsOf } from "./whereabouts.js";
import { gettext } from "./words.js";

/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./formats.js").Cell} Cell */
/** @typedef {import("./painter.js").Cursor} Cursor */
/** @typedef {import("./selection.js").Place} Place */
/** @typedef {import("./equipment.js")} Parts */
/**
 * @typedef {Pick<Parts, "fitRows"|"lookChangeOf"|"menuItems"|"noteOf"|"placeHandles"> & {
 *   actions: import("./actions.js").Actions, clipboard: import("./clipboard.js").Clipboard,
 *   filling: import("./filling.js").Filling, fillHandle: import("./fill_handle.js").FillHandle, formulas: import("./formula_editing.js").FormulaEditing,
 *   measures: import("./fitting.js").Measures, menu: import("./menu.js").Menu,
 *   styling: import("./styling.js").Styling, touch: import("./touch.js").Touch,
 * }} Equipment what the grid does without until its first cells are shown
 */
/**
 * @typedef {object} Surroundings
 * @property {HTMLElement} host
 * @property {HTMLElement} stage what the grid lies in
 * @property {HTMLTextAreaElement} formula
 * @property {HTMLInputElement} nameBox
 * @property {() => Cursor[]} cursors where others are
 * @property {(row_id: number) => ReadonlyMap<number, string>|undefined} tints marks of a row's cells that others have just changed
 * @property {() => boolean} isLively whether so much changes that nothing should fade
 * @property {(row_id: number) => ReadonlyMap<number, true>|undefined} found columns of a row that a search has found
 * @property {(row_id: number) => import("./protections.js").Marks|undefined} marks of a row's cells
 * @property {(range: import("../domain/addresses.js").Range) => string} refusalIn why a range may not be changed; "" if it may
 * @property {() => void} painted what stands beside a cell may have to move
 * @property {(zoom: number) => void} zoomed
 * @property {(whereabouts: import("./whereabouts.js").Whereabouts) => void} moved
 * @property {() => (import("./menu.js").Item|null)[]} items what the menu offers beside what the grid does
 * @property {() => void} leave Tab stays in the grid: hand the keyboard to the rest of the page
 * @property {(sentence: string, lost?: string) => (lost: string) => void} tell returns what says more of the same
 */

export class Grid {
  #model;
  #around;
  #painter;
  #scrolling;
  #selection;
  #editor;
  /** @type {Equipment|null} null until it has come */ #equipment = null;
  /** @type {((equipment: Equipment) => void)[]} what was asked for before */ #waiting = [];
  #strays;
  #pointer;
  #sight;
  #commands;
  #nameBox;
  #formulaBar;
  /** The cells as they are shown. */ shown;
  #isPaintDue = false;
  #lookingAhead;
  /** @type {{axis: "rows"|"columns", offset: number}|null} */ #guide = null;

  /**
   * @param {Model} model
   * @param {Surroundings} around
   */
  constructor(model, around) {
    const { host, formula, nameBox } = around;
    this.#model = model;
    this.#around = around;
    this.shown = new ShownCells(model);
    this.#formulaBar = new FormulaBar(model, formula);
    this.#painter = new Painter(host, () => this.repaint());
    this.#scrolling = new Scrolling(this.#painter.scroller, this.#painter.extent, () => this.repaint());
    this.#sight = new Sight(model, this.#painter, this.#scrolling);
    this.#lookingAhead = new LookingAhead(model, () => this.#sight.port("rows"));
    this.#selection = new Selection(model.rows, model.columns, () => this.#selected());
    this.#editor = new Editor(model, formula, {
      activeCell: () => this.activeIds(),
      isRange: () => !this.#selection.isSingle,
      isRefused: () => this.#isRefused(),
      fill: (input) => this.#equipment !== null && this.#equipment.actions.fill(input),
      changed: () => this.#announce(),
      done: (leave) => this.#leave(leave),
    });
    this.#painter.adopt(this.#editor.frame);
    this.#nameBox = new NameBox(nameBox, {
      model,
      selection: this.#selection,
      finish: () => this.#editor.commit(),
      goTo: (range) => {
        this.#selection.selectRange(range);
        this.#sight.reveal(this.#selection.active);
        this.focus();
      },
      focus: () => this.focus(),
      tell: (sentence) => void around.tell(sentence),
    });
    this.#commands = new Commands(model, {
      selection: this.#selection,
      sight: this.#sight,
      scrolling: this.#scrolling,
      whenEquipped: (run) => this.#whenEquipped(run),
      edit: () => this.#editor.open({ isTyping: false }),
      openMenu: () => this.#openMenuAtActive(),
      takeBack: (kind) => this.takeBack(kind),
      leave: around.leave,
    });
    const focus = () => this.#focus();
    const zoom = () => this.#sight.zoom;
    this.#pointer = new Pointer({
      painter: this.#painter,
      scrolling: this.#scrolling,
      selection: this.#selection,
      geometry: (axis) => (axis === "rows" ? this.#sight.rows : this.#sight.columns),
      port: (axis) => this.#sight.port(axis),
      get mayEdit() {
        return model.mayEdit;
      },
      get zoom() {
        return zoom();
      },
      focus,
      pointAt: (...pointed) => this.#equipment?.formulas.pointAt(...pointed) ?? null,
      edit: () => this.#editor.open({ isTyping: false }),
      openMenu: (x, y) => this.openMenu(x, y),
      resize: (axis, position, size) => this.#whenEquipped(({ actions }) => actions.resize(axis, position, size)),
      fit: (axis, position) => this.#fit(axis, position),
      showGuide: (guide) => {
        this.#guide = guide;
        this.repaint();
      },
    });
    host.setAttribute("aria-description", gettext("Tab moves between cells. Press F6 or Ctrl+F6 to leave the grid."));
    this.#strays = new Strays((isOpen) => host.classList.toggle("is-astray", isOpen));
    host.addEventListener("pointerdown", () => this.#strays.end(), true);
    host.addEventListener("blur", () => this.#strays.end());
    for (const kind of /** @type {const} */ (["paste", "cut"])) {
      host.addEventListener(kind, (event) => this.#keepFromCells(event), true); // before the clipboard hears of it
    }
    // What scrolls must be reached by keyboard, and it is: by the active cell. So its focus is the grid's, or the editor's.
    this.#painter.scroller.addEventListener("focus", () => {
      if (this.#editor.cell === null) this.focus();
      else this.#editor.frame.querySelector("textarea")?.focus({ preventScroll: true });
    });
    host.addEventListener("keydown", (event) => this.#pressed(event));
    takeKeylessText(host, (text) => this.#takeText(text));
    formula.addEventListener("focus", () => this.#sight.reveal(this.#selection.active));
    new ResizeObserver(() => this.#resized()).observe(host);
  }

  /**
   * Take what came after the first cells were shown.
   * @param {Parts} parts
   * @returns {Equipment}
   */
  equip({ Actions, Borders, Clipboard, FillHandle, Filling, Flight, FormulaEditing, Menu, Styling, Touch, fitRows, lookChangeOf, menuItems, noteOf, placeHandles }) {
    const { formula: bar, host, stage, tell } = this.#around;
    this.#painter.equip(Flight);
    this.#pointer.equip(Borders);
    const actions = new Actions(this.#model, this.#selection, tell, this.#around.refusalIn);
    const measures = {
      heightOf: (/** @type {Cell|undefined} */ cell, /** @type {number} */ column) => this.#painter.fittingHeight(this.shown.dressed(cell), this.#sight.columns.sizeOf(column)),
      rowHeight: (/** @type {number} */ row) => this.#sight.rows.sizeOf(row),
    };
    const styling = new Styling(this.#model, this.#selection, { tell, measures });
    const clipboard = new Clipboard(host, this.#model, this.#selection, actions, {
      shown: this.shown,
      tell,
      changed: () => this.repaint(),
      isEditing: () => this.#editor.cell !== null,
    });
    const focus = () => this.#focus();
    const filling = new Filling(this.#model, this.#selection, actions, tell);
    const fillHandle = new FillHandle({
      painter: this.#painter,
      scrolling: this.#scrolling,
      selection: this.#selection,
      filling,
      placeAt: (point) => this.#sight.placeAt(point),
      focus,
      changed: () => this.repaint(),
    });
    const reveal = (/** @type {Place} */ place) => this.#sight.reveal(place);
    const formulas = new FormulaEditing(this.#editor, this.#model, { stage, bar, reveal, repaint: () => this.repaint() });
    const zoom = () => this.#sight.zoom;
    const touch = new Touch({
      host,
      painter: this.#painter,
      scrolling: this.#scrolling,
      selection: this.#selection,
      placeAt: (point) => this.#sight.placeAt(point),
      edit: () => this.#editor.open({ isTyping: false }),
      get zoom() {
        return zoom();
      },
      zoomTo: (wanted, around) => this.zoomTo(wanted, around),
    });
    const equipment = {
      ...{ actions, clipboard, filling, fillHandle, formulas, measures, styling, touch, menu: new Menu() },
      ...{ fitRows, lookChangeOf, menuItems, noteOf, placeHandles },
    };
    this.#equipment = equipment;
    for (const run of this.#waiting.splice(0)) run(equipment);
    this.repaint();
    return equipment;
  }

  /**
   * Do something at once, or as soon as what it takes has come.
   * @param {(equipment: Equipment) => void} run
   */
  #whenEquipped(run) {
    if (this.#equipment === null) this.#waiting.push(run);
    else run(this.#equipment);
  }

  get selection() {
    return this.#selection;
  }

  /**
   * Write edits, as one step of undo.
   * @param {import("../domain/operations.js").Edit[]} edits
   */
  write(edits) {
    if (this.#model.mayEdit) this.#whenEquipped(({ actions }) => actions.submit(edits));
  }

  /** Write what is being typed, for the page is about to go. */
  finish() {
    this.#editor.commit();
  }

  /**
   * Say whether it was this page that deleted a row or column that an operation is about.
   * @param {import("../domain/operations.js").Intended} operation
   */
  hasDeletedFor(operation) {
    return this.#equipment !== null && this.#equipment.actions.hasDeletedFor(operation);
  }

  /** Take the keyboard. */
  focus() {
    this.#around.host.focus({ preventScroll: true });
  }

  /**
   * Show the grid larger or smaller; what is at a point stays there.
   * @param {number} wanted 1: as it is
   * @param {{clientX: number, clientY: number}} [around] else the upper left corner stays
   */
  zoomTo(wanted, around) {
    this.#sight.zoomTo(wanted, around, (zoom) => {
      this.#around.host.style.setProperty("--zoom", String(zoom));
      this.#resized();
    });
    this.#around.zoomed(this.#sight.zoom);
  }

  /** Rows, columns or sizes are others than before: stay with the selected and the edited cell. */
  reshape() {
    this.#sight.reshape();
    const { cell } = this.#editor;
    if (cell && (this.#model.rows.findPosition(cell.row) === undefined || this.#model.columns.findPosition(cell.column) === undefined)) {
      const { draft } = this.#editor;
      this.#editor.cancel();
      this.focus();
      this.#strays.begin(draft, this.#around.tell(gettext("The cell that you were typing into has been deleted."), draft));
    }
    this.#editor.rebase();
    this.#selection.rebase(this.#model.rows, this.#model.columns);
    this.changed();
    this.#resized();
  }

  /** Cells are others than before. */
  changed() {
    this.shown.changed();
    this.repaint();
  }

  /** Paint before the next frame. */
  repaint() {
    if (this.#isPaintDue || this.#model.isAwaitingCells) return;
    this.#isPaintDue = true;
    requestAnimationFrame(() => {
      this.#isPaintDue = false;
      this.#paint();
    });
  }

  /** The rows that are shown, by position, as far as can be told before the sheet is there. */
  get firstRows() {
    return this.#lookingAhead.first;
  }

  /**
   * Bring a cell into view and select it.
   * @param {number} row_id
   * @param {number} column_id
   */
  goTo(row_id, column_id) {
    const row = this.#model.rows.findPosition(row_id);
    const column = this.#model.columns.findPosition(column_id);
    if (row === undefined || column === undefined) return;
    this.#editor.commit();
    this.#selection.select({ row, column });
    this.#sight.reveal({ row, column });
    this.focus();
  }

  /**
   * Bring a cell into view, and leave the selection where it is.
   * @param {number} row_id
   * @param {number} column_id
   */
  reveal(row_id, column_id) {
    const place = this.#placeOf(row_id, column_id);
    if (place) this.#sight.reveal(place);
  }

  /**
   * Open a cell's editor on a text that is not in it.
   * @param {number} row_id
   * @param {number} column_id
   * @param {string} text
   */
  putBack(row_id, column_id, text) {
    this.goTo(row_id, column_id);
    this.#editor.open({ isTyping: true, text });
  }

  /**
   * Return how a cell is called now; null if it is gone.
   * @param {number} row_id
   * @param {number} column_id
   */
  addressOf(row_id, column_id) {
    const place = this.#placeOf(row_id, column_id);
    return place && formatAddress(place.row, place.column);
  }

  /**
   * Return where a cell is on the screen, be it beyond the edges of what is seen, and these edges; null if it is gone.
   * @param {number} row_id
   * @param {number} column_id
   * @returns {{cell: DOMRect, view: DOMRect}|null}
   */
  rectOf(row_id, column_id) {
    const place = this.#placeOf(row_id, column_id);
    return place && this.#sight.rectOf(place);
  }

  /**
   * Return what is seen of an axis.
   * @param {"rows"|"columns"} axis
   */
  port(axis) {
    return this.#sight.port(axis);
  }

  /** Where the last row ends on the screen; null while that is not seen. */
  get end() {
    return this.#sight.end;
  }

  /**
   * Add empty rows below the last one.
   * @param {number} count
   */
  addRows(count) {
    this.#whenEquipped(({ actions }) => actions.addRows(count));
  }

  /**
   * @param {number} row_id
   * @param {number} column_id
   * @returns {Place|null}
   */
  #placeOf(row_id, column_id) {
    const row = this.#model.rows.findPosition(row_id);
    const column = this.#model.columns.findPosition(column_id);
    return row === undefined || column === undefined ? null : { row, column };
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  openMenu(x, y) {
    if (this.#model.rows.length === 0 || this.#equipment === null) return;
    const { actions, clipboard, menu, styling, menuItems } = this.#equipment;
    this.#editor.commit();
    const items = menuItems(this.#model, this.#selection, { actions, clipboard, styling }, this.#around.tell);
    menu.open([...items, ...this.#around.items()], x, y, this.#around.host);
  }

  /**
   * Give a row or column, or each of those selected whole around it, the size of its content.
   * @param {"rows"|"columns"} axis
   * @param {number} position
   */
  #fit(axis, position) {
    this.#whenEquipped(({ actions, fitRows, measures }) => {
      if (axis === "columns") {
        actions.fit(position, (cell) => this.#painter.fittingWidth(this.shown.dressed(cell)));
        return;
      }
      const { top, bottom } = this.#selection.range;
      const isAmongWhole = this.#selection.shape === "rows" && top <= position && position <= bottom;
      fitRows(this.#model, isAmongWhole ? top : position, isAmongWhole ? bottom : position, measures, "exactly");
    });
  }

  #paint() {
    const { cell } = this.#editor;
    const { rows, columns } = this.#model;
    const row = cell && rows.findPosition(cell.row);
    const column = cell && columns.findPosition(cell.column);
    const isOpen = typeof row === "number" && typeof column === "number";
    /** @type {import("./painter.js").View} */
    const view = {
      rows,
      columns,
      rowGeometry: this.#sight.rows,
      columnGeometry: this.#sight.columns,
      down: this.#sight.port("rows"),
      across: this.#sight.port("columns"),
      cellAt: (row_id, column_id) => this.shown.at(row_id, column_id),
      noteOf: this.#equipment?.noteOf,
      isKnown: (row_id) => this.#model.isKnown(row_id),
      active: this.#selection.active,
      range: this.#selection.range,
      cut: this.#equipment?.clipboard.cutRange ?? null,
      fill: this.#equipment?.fillHandle.range ?? null,
      outlines: this.#equipment?.formulas.outlines ?? [],
      cursors: this.#around.cursors(),
      tints: this.#around.tints,
      found: this.#around.found,
      marks: this.#around.marks,
      editor: isOpen ? { place: { row, column }, element: this.#editor.frame } : null,
      guide: this.#guide,
    };
    this.#painter.paint(view);
    const isOff = isOpen || this.#selection.shape !== "cells";
    this.#equipment?.placeHandles(this.#equipment, view, isOff, this.#model.mayEdit, this.#scrolling);
    this.#equipment?.formulas.place();
    this.#around.host.classList.toggle("is-lively", this.#around.isLively());
    this.#around.host.ariaReadOnly = String(!this.#model.mayEdit);
    if (cell === null) this.#formulaBar.show(this.activeIds(), this.#refusalHere() !== "");
    this.#lookingAhead.painted();
    this.#around.painted();
  }

  #resized() {
    const digits = String(this.#sight.rows.length).length;
    this.#around.host.style.setProperty("--row-header-width", `${Math.max(46, 20 + digits * 8)}px`);
    this.#scrolling.resize(this.#sight.columns.total, this.#sight.rows.total);
    this.repaint();
  }

  /** @returns {{row: number, column: number}} */
  activeIds() {
    const { row, column } = this.#selection.active;
    return { row: this.#model.rows.idAt(row) ?? -1, column: this.#model.columns.idAt(column) ?? -1 };
  }

  #focus() {
    this.#editor.commit();
    this.focus();
  }

  #selected() {
    this.#nameBox.show();
    this.#announce();
  }

  #announce() {
    this.repaint();
    if (this.#model.rows.length === 0 || this.#model.columns.length === 0) return;
    this.#around.moved(whereaboutsOf(this.#model, this.#selection, this.#editor.cell));
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.target !== this.#around.host || this.#model.rows.length === 0) return;
    const change = this.#equipment?.lookChangeOf(event);
    if (change) {
      event.preventDefault();
      change(/** @type {Equipment} */ (this.#equipment).styling);
      return;
    }
    const command = commandOf(event);
    if (command === null) return;
    if (this.#strays.takesKey(command, event)) {
      event.preventDefault();
      return;
    }
    if (command.kind === "type") {
      this.#sight.reveal(this.#selection.active);
      this.#editor.open({ isTyping: true }); // takes the focus now, and so this very key's character
      if (!this.#model.mayEdit && !event.isComposing) this.#around.tell(this.#model.refusal);
      return;
    }
    event.preventDefault();
    this.#commands.run(command);
  }

  #refusalHere() {
    const { row, column } = this.#selection.active;
    return this.#around.refusalIn({ top: row, left: column, bottom: row, right: column });
  }

  /** Say why the active cell may not be changed, and whether that is so. */
  #isRefused() {
    const sentence = this.#refusalHere();
    if (sentence !== "") this.#around.tell(sentence);
    return sentence !== "";
  }

  /** @param {string} text */
  #takeText(text) {
    if (this.#model.rows.length === 0 || this.#editor.cell !== null || this.#strays.takesText(text)) return;
    this.#sight.reveal(this.#selection.active);
    this.#editor.open({ isTyping: true, text });
  }

  /** @param {ClipboardEvent} event */
  #keepFromCells(event) {
    const text = event.type === "paste" ? event.clipboardData?.getData("text/plain") : "";
    if (!this.#strays.takesText(text ?? "")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  /** @param {"undo"|"redo"} kind */
  takeBack(kind) {
    const { mayEdit } = this.#model;
    if (!mayEdit || this.#model[kind]()) return;
    this.#around.tell(kind === "undo" ? gettext("There is nothing of yours to undo.") : gettext("There is nothing to redo."));
  }

  #openMenuAtActive() {
    const { row, column } = this.#selection.active;
    const { left, top } = this.#painter.body.getBoundingClientRect();
    this.#sight.reveal(this.#selection.active);
    this.openMenu(
      left + this.#sight.port("columns").endOf(column) * this.#sight.zoom,
      top + this.#sight.port("rows").endOf(row) * this.#sight.zoom,
    );
  }

  /** @param {import("./editor.js").Step|"tab"|"tab back"|"enter"|"enter back"|null} leave */
  #leave(leave) {
    const { row, column } = this.#selection.active;
    if (leave === "tab") this.#selection.tab(1);
    else if (leave === "tab back") this.#selection.tab(-1);
    else if (leave === "enter") this.#selection.enter(1);
    else if (leave === "enter back") this.#selection.enter(-1);
    else if (leave !== null) this.#selection.select({ row: row + leave.row, column: column + leave.column });
    this.#sight.reveal(this.#selection.active);
    this.focus();
  }
}
