/**
 * All painting of the grid: what a view says, as few DOM writes as it takes.
 *
 * Elements are a fixed ring: row 57 of a ring of 40 is painted by element 17, so that scrolling by one row rewrites one
 * row. Nothing else creates, moves or fills elements of the grid; a canvas could take this module's place.
 */

import { formatColumn } from "../domain/addresses.js";
import { isRightToLeft } from "../domain/direction.js";
import { kindOf } from "../domain/literals.js";
import { element } from "./elements.js";
import { Frames } from "./frames.js";
import { paintTint } from "./tints.js";

const MAX_SHOWN_CHARACTERS = 500; // of a cell: no column is wide enough for more
const LINE_PX = 17; // of text, as .cell has it
const PADDING_PX = 13; // of a cell, both sides and its border
const REANCHOR_PX = 500_000; // transforms are floats: keep them small on tall sheets
const SPARE = 4; // elements beyond those needed, so that a ring is not rebuilt for one more row

/** @typedef {import("../domain/axes.js").Axis} Axis */
/** @typedef {import("../domain/addresses.js").Range} Range */
/** @typedef {import("./geometry.js").Geometry} Geometry */
/** @typedef {{row: number, column: number}} Place */
/** @typedef {Place & {range: Range|null, name: string, color: string, editing: boolean}} Cursor */
/**
 * @typedef {object} View
 * @property {Axis} rows
 * @property {Axis} columns
 * @property {Geometry} rowGeometry
 * @property {Geometry} columnGeometry
 * @property {number} x of the sheet's pixel at the left edge
 * @property {number} y
 * @property {number} width
 * @property {number} height
 * @property {(row: number, column: number) => {input: string, value?: unknown}|undefined} cellAt by ids
 * @property {Place} active
 * @property {Range} range
 * @property {Range|null} cut
 * @property {Cursor[]} cursors
 * @property {{row: (row_id: number) => ReadonlyMap<number, string>|undefined}} tints marks of what others have just changed
 * @property {{place: Place, element: HTMLElement}|null} editor
 * @property {{axis: "rows"|"columns", offset: number}|null} guide where a border is being dragged to
 */
/** @typedef {{element: HTMLElement, text: string, kind: string, left: number, width: number, spill: number, leading: string, column: number, isSelected: boolean, tint: string, isRtl: boolean}} CellSlot */
/** @typedef {{element: HTMLElement, header: HTMLElement, name: HTMLElement, cells: CellSlot[], top: number, height: number, row: number, mark: string}} RowSlot */
/** @typedef {{element: HTMLElement, column: number, left: number, width: number, mark: string}} HeaderSlot */

/**
 * Return what a cell shows and how it is aligned.
 * @param {{input: string, value?: unknown}|undefined} cell
 * @returns {[text: string, kind: string]}
 */
function shownOf(cell) {
  if (cell === undefined) return ["", "empty"];
  const { input, value } = cell;
  if (value === undefined) return [input.slice(0, MAX_SHOWN_CHARACTERS), kindOf(input)];
  if (typeof value === "number") return [String(value), "number"];
  if (typeof value === "boolean") return [value ? "TRUE" : "FALSE", "boolean"];
  if (value !== null && typeof value === "object" && "error" in value) return [String(value.error), "error"];
  return [String(value ?? "").slice(0, MAX_SHOWN_CHARACTERS), "text"];
}

/**
 * Return the line height that lets no line of a text be cut in half: as many lines as fit share the height of the row,
 * and the next one begins below it. Empty where all fit.
 * @param {string} text
 * @param {number} height of the row
 */
function leadingOf(text, height) {
  if (!text.includes("\n")) return "";
  const fitting = Math.max(1, Math.floor((height - 1) / LINE_PX)); // 1: the border
  return text.split("\n").length > fitting ? `${height / fitting}px` : "";
}

/**
 * Return the one position at or beyond `first` that a place in a ring stands for.
 * @param {number} place
 * @param {number} capacity
 * @param {number} first
 */
function positionIn(place, capacity, first) {
  return first + ((place - (first % capacity) + capacity) % capacity);
}

export class Painter {
  #host;
  /** @type {RowSlot[]} */ #rowSlots = [];
  /** @type {HeaderSlot[]} */ #headerSlots = [];
  #columnCapacity = 0;
  /** @type {CanvasRenderingContext2D|null} */ #ruler = null;
  #origin = { x: 0, y: 0 };
  #corner = element("button", "corner", { type: "button", tabindex: "-1", "aria-hidden": "true" });
  #columnStrip = element("div", "strip", { role: "row", "aria-rowindex": "1" });
  #rowStrip = element("div", "strip", { role: "presentation" });
  #layer = element("div", "layer", { role: "presentation" });
  #overlay = element("div", "overlay", { role: "presentation" });
  #frames = new Frames(this.#overlay);
  columnHeaders = element("div", "column-headers", { role: "rowgroup" });
  rowHeaders = element("div", "row-headers", { "aria-hidden": "true" }); // each row has its name within, unseen
  scroller = element("div", "scroller", { role: "rowgroup", tabindex: "0" }); // the grid takes its focus
  extent = element("div", "extent", { role: "presentation" });
  /** What is seen of the sheet; its upper left corner is the view's x and y. */
  body = element("div", "body", { role: "presentation" });

  /** @param {HTMLElement} host the element with the role "grid" */
  constructor(host) {
    this.#host = host;
    this.columnHeaders.append(this.#columnStrip);
    this.rowHeaders.append(this.#rowStrip);
    this.body.append(this.#layer, this.#overlay);
    this.extent.append(this.body);
    this.scroller.append(this.extent);
    host.append(this.#corner, this.columnHeaders, this.rowHeaders, this.scroller);
  }

  get corner() {
    return this.#corner;
  }

  /**
   * Put an element over the cells: the editor.
   * @param {HTMLElement} child
   */
  adopt(child) {
    this.#overlay.append(child);
  }

  /** @param {View} view */
  paint(view) {
    const { rowGeometry, columnGeometry, x, y, width, height } = view;
    this.#host.setAttribute("aria-rowcount", String(rowGeometry.length + 1));
    this.#host.setAttribute("aria-colcount", String(columnGeometry.length + 1));
    this.body.style.width = `${width}px`;
    this.body.style.height = `${height}px`;
    if (Math.abs(x - this.#origin.x) > REANCHOR_PX) this.#origin.x = Math.floor(x);
    if (Math.abs(y - this.#origin.y) > REANCHOR_PX) this.#origin.y = Math.floor(y);
    const isEmpty = rowGeometry.length === 0 || columnGeometry.length === 0;
    const top = rowGeometry.positionAt(y);
    const left = columnGeometry.positionAt(x);
    const bottom = isEmpty ? top - 1 : rowGeometry.positionAt(y + height);
    const right = isEmpty ? left - 1 : columnGeometry.positionAt(x + width);
    this.#makeRoom(bottom - top + 1, right - left + 1);
    this.#paintColumnHeaders(view, left, right);
    for (const [place, slot] of this.#rowSlots.entries()) {
      const row = positionIn(place, this.#rowSlots.length, top);
      this.#paintRow(view, slot, row, row <= bottom, left, right);
    }
    this.#move(this.#layer, this.#origin.x - x, this.#origin.y - y);
    this.#move(this.#columnStrip, this.#origin.x - x, 0);
    this.#move(this.#rowStrip, 0, this.#origin.y - y);
    this.#nameActive(view.active);
    this.#frames.paint(view);
  }

  /**
   * Tell assistive technology which element the active cell is, if it is one of those that are seen.
   * @param {Place} active
   */
  #nameActive({ row, column }) {
    const slot = this.#rowSlots[row % this.#rowSlots.length];
    const cell = slot?.cells[column % this.#columnCapacity];
    const isSeen = slot?.row === row && cell?.column === column && !slot.element.hidden;
    if (isSeen) this.#host.setAttribute("aria-activedescendant", cell.element.id);
    else this.#host.removeAttribute("aria-activedescendant");
  }

  /**
   * @param {HTMLElement} target
   * @param {number} x
   * @param {number} y
   */
  #move(target, x, y) {
    target.style.transform = `translate(${x}px, ${y}px)`;
  }

  /**
   * @param {number} rows
   * @param {number} columns
   */
  #makeRoom(rows, columns) {
    if (rows <= this.#rowSlots.length && columns <= this.#columnCapacity) return;
    const capacity = Math.max(rows + SPARE, this.#rowSlots.length);
    this.#columnCapacity = Math.max(columns + SPARE, this.#columnCapacity);
    const places = Array.from({ length: this.#columnCapacity }, (_, place) => place);
    this.#headerSlots = places.map(() => {
      const header = element("div", "column-header", { role: "columnheader" });
      return { element: header, column: -1, left: NaN, width: NaN, mark: "" };
    });
    this.#rowSlots = Array.from({ length: capacity }, (_, place) => {
      const header = element("div", "row-header");
      const row = element("div", "row", { role: "row" });
      const name = element("div", "row-name", { role: "rowheader", "aria-colindex": "1" });
      const cells = places.map((column) => {
        const cell = element("div", "cell", { role: "gridcell", id: `cell-${place}-${column}`, hidden: "" });
        return { element: cell, text: "", kind: "empty", left: NaN, width: NaN, spill: 0, leading: "", column: -1, isSelected: false, tint: "", isRtl: false };
      });
      row.append(name, ...cells.map((slot) => slot.element));
      return { element: row, header, name, cells, top: NaN, height: NaN, row: -1, mark: "" };
    });
    this.#columnStrip.replaceChildren(...this.#headerSlots.map((slot) => slot.element));
    this.#rowStrip.replaceChildren(...this.#rowSlots.map((slot) => slot.header));
    this.#layer.replaceChildren(...this.#rowSlots.map((slot) => slot.element));
  }

  /**
   * @param {View} view
   * @param {number} left
   * @param {number} right
   */
  #paintColumnHeaders({ columnGeometry, range, rowGeometry }, left, right) {
    const isWhole = range.top === 0 && range.bottom === rowGeometry.length - 1;
    for (const [place, slot] of this.#headerSlots.entries()) {
      const column = positionIn(place, this.#columnCapacity, left);
      slot.element.hidden = column > right;
      if (column > right) continue;
      if (slot.column !== column) {
        slot.column = column;
        slot.element.textContent = formatColumn(column);
        slot.element.setAttribute("aria-colindex", String(column + 2));
      }
      const offset = columnGeometry.offsetOf(column) - this.#origin.x;
      const size = columnGeometry.sizeOf(column);
      if (slot.left !== offset) slot.element.style.left = `${(slot.left = offset)}px`;
      if (slot.width !== size) slot.element.style.width = `${(slot.width = size)}px`;
      this.#mark(slot, slot.element, column >= range.left && column <= range.right, isWhole);
    }
  }

  /**
   * @param {{mark: string}} slot
   * @param {HTMLElement} header
   * @param {boolean} isSelected
   * @param {boolean} isWhole
   */
  #mark(slot, header, isSelected, isWhole) {
    const mark = isSelected ? (isWhole ? "whole" : "touched") : "";
    if (slot.mark === mark) return;
    slot.mark = mark;
    header.dataset.selected = mark;
  }

  /**
   * @param {View} view
   * @param {RowSlot} slot
   * @param {number} row
   * @param {boolean} isSeen
   * @param {number} left
   * @param {number} right
   */
  #paintRow(view, slot, row, isSeen, left, right) {
    slot.element.hidden = slot.header.hidden = !isSeen;
    if (!isSeen) return;
    const { rowGeometry, columnGeometry, range } = view;
    if (slot.row !== row) {
      slot.row = row;
      slot.header.textContent = slot.name.textContent = String(row + 1);
      slot.element.setAttribute("aria-rowindex", String(row + 2));
    }
    const top = rowGeometry.offsetOf(row) - this.#origin.y;
    const height = rowGeometry.sizeOf(row);
    if (slot.top !== top) slot.element.style.top = slot.header.style.top = `${(slot.top = top)}px`;
    if (slot.height !== height) slot.element.style.height = slot.header.style.height = `${(slot.height = height)}px`;
    const isInRange = row >= range.top && row <= range.bottom;
    this.#mark(slot, slot.header, isInRange, range.left === 0 && range.right === columnGeometry.length - 1);
    const row_id = /** @type {number} */ (view.rows.idAt(row));
    const tints = view.tints.row(row_id);
    let limit = columnGeometry.offsetOf(right + 1); // how far a text may spill: up to the next cell that is not empty
    for (let column = right; column >= left; column -= 1) {
      const cell = slot.cells[column % this.#columnCapacity];
      const column_id = /** @type {number} */ (view.columns.idAt(column));
      const [text, kind] = shownOf(view.cellAt(row_id, column_id));
      const start = columnGeometry.offsetOf(column);
      this.#paintCell(cell, column, text, kind, start - this.#origin.x, columnGeometry.sizeOf(column), limit - start, height);
      const tint = tints?.get(column_id) ?? "";
      if (cell.tint !== tint) paintTint(cell.element, (cell.tint = tint));
      const isSelected = isInRange && column >= range.left && column <= range.right;
      if (cell.isSelected !== isSelected) {
        cell.isSelected = isSelected;
        cell.element.setAttribute("aria-selected", String(isSelected));
      }
      if (kind !== "empty") limit = start;
    }
    if (right - left + 1 === this.#columnCapacity) return;
    for (const [place, cell] of slot.cells.entries()) {
      if (positionIn(place, this.#columnCapacity, left) > right && cell.column !== -1) {
        cell.column = -1;
        cell.element.hidden = true;
      }
    }
  }

  /**
   * Return how wide a column must be to show all of a cell; 0 for an empty one.
   * @param {{input: string, value?: unknown}|undefined} cell
   */
  fittingWidth(cell) {
    const [text, kind] = shownOf(cell);
    if (text === "") return 0;
    const digits = kind === "number" ? text.replace(/[0-9]/g, "0") : text; // numbers are set in digits of one width
    const widest = digits.split("\n").reduce((most, line) => Math.max(most, this.#widthOf(line)), 0);
    return Math.ceil(widest) + PADDING_PX + 1;
  }

  /**
   * @param {string} text
   * @returns {number} its width in pixels
   */
  #widthOf(text) {
    if (this.#ruler === null) {
      this.#ruler = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
      this.#ruler.font = getComputedStyle(this.#host).font;
    }
    return this.#ruler.measureText(text).width;
  }

  /**
   * @param {CellSlot} slot
   * @param {number} column
   * @param {string} text
   * @param {string} kind
   * @param {number} left
   * @param {number} width
   * @param {number} room
   * @param {number} height
   */
  #paintCell(slot, column, text, kind, left, width, room, height) {
    const { element: cell } = slot;
    if (slot.column !== column) {
      if (slot.column === -1) cell.hidden = false;
      slot.column = column;
      cell.setAttribute("aria-colindex", String(column + 2));
    }
    if (slot.text !== text) {
      cell.textContent = slot.text = text;
      const isRtl = isRightToLeft(text);
      if (slot.isRtl !== isRtl) cell.dir = (slot.isRtl = isRtl) ? "rtl" : "";
    }
    if (slot.kind !== kind) cell.dataset.kind = slot.kind = kind;
    if (slot.left !== left) cell.style.left = `${(slot.left = left)}px`;
    if (slot.width !== width) cell.style.width = `${(slot.width = width)}px`;
    const leading = leadingOf(text, height);
    if (slot.leading !== leading) {
      cell.style.lineHeight = slot.leading = leading;
      cell.classList.toggle("clipped", leading !== "");
    }
    // Measuring is dear, so only texts that may be too long (a character has 15 pixels at most) are measured.
    const mayOverflow = kind === "text" && !slot.isRtl && room > width && text.length * 15 > width;
    const spill = mayOverflow && this.#widthOf(text) > width - PADDING_PX ? room : 0;
    if (slot.spill === spill) return;
    slot.spill = spill;
    cell.classList.toggle("spill", spill > 0);
    cell.style.minWidth = spill > 0 ? `${width}px` : "";
    cell.style.maxWidth = spill > 0 ? `${spill}px` : "";
  }
}
