/**
 * The cells on a canvas, while the view leaps from frame to frame: making elements of what no eye can rest on takes longer
 * than a frame. As soon as the view rests, elements stand in their place, for eyes and for assistive technology.
 */

import { LINE_PX, PADDING_PX, heightOf } from "./cell_slots.js";
import { isRightToLeft } from "../domain/direction.js";
import { walkRow } from "./row_walk.js";

const LEFT_PX = 6; // of the padding of a cell, as .cell has it
const FOUND = "rgb(250 190 30 / 32%)";
const HINT = "rgb(20 24 26 / 8%)"; // the lines around a cell with a ground of its own

/** @typedef {import("./painter.js").View} View */
/** @typedef {import("./ports.js").Stretch} Stretch */
/** @typedef {import("./row_walk.js").Walked} Walked */
/** @typedef {{rows: Stretch, columns: Stretch, x: number, y: number, left: number, top: number}} Part what is painted, how far it is scrolled, and where it begins, in pixels of what is seen */

export class Flight {
  #host;
  #ruler;
  #ink = { paper: "", desk: "", ink: "", soft: "", danger: "", line: "", strong: "" };
  #scale = 1;
  #font = "";
  #ascent = 0; // of the font, and its height, in whole pixels, as a browser's layout has them
  #textHeight = 0;
  element = document.createElement("canvas");
  #context = /** @type {CanvasRenderingContext2D} */ (this.element.getContext("2d", { alpha: false }));

  /**
   * @param {HTMLElement} host whose colours and font they are
   * @param {import("./ruler.js").Ruler} ruler
   */
  constructor(host, ruler) {
    this.#host = host;
    this.#ruler = ruler;
    this.element.className = "flight";
    this.element.hidden = true;
    this.element.ariaHidden = "true";
  }

  /**
   * Get ready: colours and sizes are asked for once, not in each frame.
   * @param {number} scale pixels of the screen for one of the sheet
   */
  begin(scale) {
    const style = getComputedStyle(this.#host);
    const color = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    this.#ink = {
      ...{ paper: color("--paper"), desk: color("--desk"), ink: color("--ink"), soft: color("--ink-soft") },
      ...{ danger: color("--danger"), line: color("--line"), strong: color("--line-strong") },
    };
    this.#scale = scale;
    this.#font = "";
    this.#context.font = this.#ruler.fontOf();
    const { fontBoundingBoxAscent, fontBoundingBoxDescent } = this.#context.measureText("x");
    this.#ascent = Math.round(fontBoundingBoxAscent);
    this.#textHeight = this.#ascent + Math.round(fontBoundingBoxDescent);
    this.element.hidden = false;
  }

  end() {
    this.element.hidden = true;
  }

  /** @param {View} view */
  paint(view) {
    const { down, across } = view;
    const width = Math.round(across.seen * this.#scale);
    const height = Math.round(down.seen * this.#scale);
    if (this.element.width !== width || this.element.height !== height) {
      Object.assign(this.element, { width, height }); // which forgets everything
      this.element.style.width = `${across.seen}px`;
      this.element.style.height = `${down.seen}px`;
      this.#font = "";
    }
    this.#context.setTransform(this.#scale, 0, 0, this.#scale, 0, 0);
    this.#rect(this.#ink.desk, 0, 0, across.seen, down.seen);
    const [x, y, left, top] = [across.scroll, down.scroll, across.frozenSize, down.frozenSize];
    this.#paintPart(view, { rows: down.moving, columns: across.moving, x, y, left, top });
    if (top > 0) this.#paintPart(view, { rows: down.still, columns: across.moving, x, y: 0, left, top: 0 });
    if (left > 0) this.#paintPart(view, { rows: down.moving, columns: across.still, x: 0, y, left: 0, top });
    if (top > 0 && left > 0) this.#paintPart(view, { rows: down.still, columns: across.still, x: 0, y: 0, left: 0, top: 0 });
    if (top > 0) this.#rect(this.#ink.strong, 0, top, across.seen, 2);
    if (left > 0) this.#rect(this.#ink.strong, left, 0, 2, down.seen);
  }

  /**
   * @param {View} view
   * @param {Part} part
   */
  #paintPart(view, { rows, columns, x, y, left, top }) {
    const { rowGeometry, columnGeometry } = view;
    const right = Math.min(view.across.seen, columnGeometry.offsetOf(columns.last + 1) - x);
    const bottom = Math.min(view.down.seen, rowGeometry.offsetOf(rows.last + 1) - y);
    if (right <= left || bottom <= top) return;
    this.#context.save();
    this.#context.beginPath();
    this.#context.rect(left, top, right - left, bottom - top);
    this.#context.clip();
    this.#rect(this.#ink.paper, left, top, right - left, bottom - top);
    for (let row = rows.first; row <= rows.last; row += 1) {
      this.#rect(this.#ink.line, left, rowGeometry.offsetOf(row + 1) - y - 1, right - left, 1);
    }
    for (let column = columns.first; column <= columns.last; column += 1) {
      this.#rect(this.#ink.line, columnGeometry.offsetOf(column + 1) - x - 1, top, 1, bottom - top);
    }
    for (let row = rows.first; row <= rows.last; row += 1) this.#paintRow(view, row, columns, x, rowGeometry.offsetOf(row) - y);
    this.#context.restore();
    this.#font = ""; // restored, too
  }

  /**
   * @param {View} view
   * @param {number} row
   * @param {Stretch} columns
   * @param {number} x how far it is scrolled
   * @param {number} top
   */
  #paintRow(view, row, columns, x, top) {
    const row_id = /** @type {number} */ (view.rows.idAt(row));
    const height = view.rowGeometry.sizeOf(row);
    const found = view.found(row_id);
    if (!view.isKnown(row_id)) {
      for (let column = columns.first; column <= columns.last; column += 1) {
        const width = view.columnGeometry.sizeOf(column);
        this.#rect(this.#ink.line, view.columnGeometry.offsetOf(column) - x + LEFT_PX, top + height / 2 - 4, (width - PADDING_PX) * 0.6, 8);
      }
      return;
    }
    walkRow(view, row_id, columns, (cell, column_id) => {
      const left = cell.start - x;
      if (cell.look.fill) {
        this.#rect(cell.look.fill, left, top, cell.width, height);
        this.#rect(HINT, left, top + height - 1, cell.width, 1);
        this.#rect(HINT, left + cell.width - 1, top, 1, height);
      }
      if (found?.has(column_id)) this.#rect(FOUND, left, top, cell.width, height);
      if (cell.text !== "") this.#paintText(cell, left, top, height);
    });
  }

  /**
   * @param {Walked} cell
   * @param {number} left
   * @param {number} top
   * @param {number} height of its row
   */
  #paintText({ text, kind, look, width, room }, left, top, height) {
    const context = this.#context;
    const font = kind === "boolean" ? this.#ruler.fontOf(look, 12) : this.#ruler.fontOf(look);
    if (font !== this.#font) context.font = this.#font = font;
    context.fillStyle = look.ink || (kind === "boolean" ? this.#ink.soft : kind === "error" ? this.#ink.danger : this.#ink.ink);
    const lines = text.includes("\n") ? text.split("\n").slice(0, Math.max(1, Math.floor((height - 1) / LINE_PX))) : [text];
    const isRtl = isRightToLeft(text);
    const align = look.align || (kind === "number" ? "right" : kind === "text" ? (isRtl ? "right" : "left") : "center");
    context.direction = isRtl ? "rtl" : "ltr";
    const maySpill = kind === "text" && align === "left" && !isRtl && !look.isWrapped;
    let middle = top + (height - 1) / 2 - ((lines.length - 1) * LINE_PX) / 2;
    if (lines.length > 1 && heightOf(lines.length) > height) middle = top + LINE_PX / 2;
    for (const line of lines) {
      const place = { align, left, top, width, height, middle, room: maySpill ? room : width };
      this.#paintLine(line, look, place);
      middle += LINE_PX;
    }
  }

  /**
   * Set a line of text; one that is too long begins where the cell does and, where it can run no further, is cut.
   * @param {string} line
   * @param {import("./looks.js").Look} look
   * @param {{align: string, left: number, top: number, width: number, height: number, middle: number, room: number}} place
   */
  #paintLine(line, { words, fill }, { align, left, top, width, height, middle, room }) {
    const context = this.#context;
    const inner = width - PADDING_PX;
    const isStruck = words.includes("strike");
    const measured = line.length * 15 > inner || align !== "left" || isStruck ? context.measureText(line).width : 0;
    const isLong = measured > inner;
    const spare = isLong || align === "left" ? 0 : align === "right" ? inner - measured : (inner - measured) / 2;
    const from = left + LEFT_PX + spare;
    context.textAlign = "left";
    if (isLong) {
      const ink = context.fillStyle;
      context.save();
      context.beginPath();
      context.rect(left, top, room - 1, height - 1);
      context.clip();
      if (room > width) this.#rect(fill || this.#ink.paper, left, top, measured + PADDING_PX, height - 1); // over the lines
      context.fillStyle = ink;
    }
    context.fillText(line, from, Math.floor(middle - this.#textHeight / 2) + this.#ascent);
    if (isStruck) context.fillRect(from, Math.round(middle), measured, 1);
    if (isLong) context.restore();
  }

  /**
   * @param {string} color
   * @param {number} left
   * @param {number} top
   * @param {number} width
   * @param {number} height
   */
  #rect(color, left, top, width, height) {
    this.#context.fillStyle = color;
    this.#context.fillRect(left, top, width, height);
  }
}
