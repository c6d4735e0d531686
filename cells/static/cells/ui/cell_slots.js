/** One element of the grid that stands for a cell: what it shows, how it looks, as few DOM writes as it takes. */

import { isRightToLeft } from "../domain/direction.js";
import { element } from "./elements.js";
import { lookOf } from "./looks.js";

export const LINE_PX = 17; // of text, as .cell has it
const ROOM_PX = 8; // of a row, above and below its text
export const PADDING_PX = 13; // of a cell, both sides and its border

/** @typedef {import("./looks.js").Look} Look */
/** @typedef {import("./formula_notes.js").Note} Note */
/** @typedef {import("./origins.js").Mark} Mark */
/** @typedef {import("./ruler.js").Ruler} Ruler */
/** @typedef {{element: HTMLElement, text: string, kind: string, look: Look, left: number, width: number, spill: number, leading: string, isSingle: boolean, column: number, isSelected: boolean, tint: string, isRtl: boolean, isFound: boolean, mark: Mark|undefined, note: Note|undefined}} CellSlot */

/**
 * @param {string} id
 * @returns {CellSlot}
 */
export function makeCell(id) {
  return {
    element: element("div", "cell", { role: "gridcell", id, hidden: "" }),
    text: "",
    kind: "empty",
    look: lookOf(undefined),
    left: NaN,
    width: NaN,
    spill: 0,
    leading: "",
    isSingle: true,
    column: -1,
    isSelected: false,
    tint: "",
    isRtl: false,
    isFound: false,
    mark: undefined,
    note: undefined,
  };
}

/**
 * Return how high a row must be for so many lines.
 * @param {number} lines
 */
export function heightOf(lines) {
  return lines * LINE_PX + ROOM_PX;
}

/**
 * Return how many lines a text takes in a cell of a width.
 * @param {string} text
 * @param {Look} look
 * @param {number} width
 * @param {Ruler} ruler
 */
export function linesIn(text, look, width, ruler) {
  if (look.isWrapped && text.length * 15 > width) return ruler.linesOf(text, Math.max(1, width - PADDING_PX), look);
  return text.includes("\n") ? text.split("\n").length : 1;
}

/**
 * Return the line height that lets no line of a text be cut in half: as many lines as fit share the height of the row,
 * and the next one begins below it. Empty where all fit.
 * @param {number} lines
 * @param {number} height of the row
 */
function leadingOf(lines, height) {
  if (lines === 1) return "";
  const room = height - 1; // the line below
  const fitting = Math.max(1, Math.floor(room / LINE_PX));
  return lines > fitting ? `${room / fitting}px` : "";
}

/**
 * @param {CellSlot} slot
 * @param {import("./row_walk.js").Walked} walked
 * @param {number} left in pixels of its pane
 * @param {number} height of its row
 * @param {Ruler} ruler
 */
export function paintCell(slot, { column, text, kind, look, width, room }, left, height, ruler) {
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
  if (slot.look !== look) paintLook(slot, look);
  if (slot.left !== left) cell.style.left = `${(slot.left = left)}px`;
  if (slot.width !== width) cell.style.width = `${(slot.width = width)}px`;
  const lines = text === "" ? 1 : linesIn(text, look, width, ruler);
  if (slot.isSingle !== (lines === 1)) cell.classList.toggle("lines", !(slot.isSingle = lines === 1));
  const leading = leadingOf(lines, height);
  if (slot.leading !== leading) {
    cell.style.lineHeight = slot.leading = leading;
    cell.classList.toggle("clipped", leading !== "");
  }
  // Measuring is dear, so only texts that may be too long (a character has 15 pixels at most) are measured.
  const maySpill = kind === "text" && room > width && text.length * 15 > width && !slot.isRtl && !look.isWrapped && (look.align === "" || look.align === "left");
  const spill = maySpill && ruler.widthOf(text, look) > width - PADDING_PX ? room : 0;
  if (slot.spill === spill) return;
  slot.spill = spill;
  cell.classList.toggle("spill", spill > 0);
  cell.style.minWidth = spill > 0 ? `${width}px` : "";
  cell.style.maxWidth = spill > 0 ? `${spill}px` : "";
}

/**
 * @param {CellSlot} slot
 * @param {Look} look
 */
function paintLook(slot, look) {
  const { element: cell, look: before } = slot;
  slot.look = look;
  if (before.words !== look.words) {
    if (look.words) cell.dataset.look = look.words;
    else delete cell.dataset.look;
  }
  if (before.ink !== look.ink) cell.style.color = look.ink;
  if (before.fill !== look.fill) cell.style.backgroundColor = look.fill;
}

/**
 * @param {CellSlot} slot
 * @param {boolean} isSelected
 * @param {string} tint
 * @param {boolean} isFound by a search
 * @param {Mark|undefined} mark
 * @param {Note|undefined} note
 */
export function markCell(slot, isSelected, tint, isFound, mark, note) {
  if (slot.mark !== mark || slot.note !== note) paintMark(slot.element, (slot.mark = mark), (slot.note = note));
  if (slot.isFound !== isFound) slot.element.classList.toggle("found", (slot.isFound = isFound));
  if (slot.tint !== tint) paintTint(slot.element, (slot.tint = tint));
  if (slot.isSelected === isSelected) return;
  slot.isSelected = isSelected;
  slot.element.setAttribute("aria-selected", String(isSelected));
}

/**
 * @param {HTMLElement} cell
 * @param {Mark|undefined} mark
 * @param {Note|undefined} note
 */
function paintMark(cell, mark, note) {
  cell.dataset.mark = mark?.kind ?? "";
  cell.title = [note?.title, mark?.color && mark.says].filter(Boolean).join("\n"); // whose colour it is
  if (mark?.color) cell.style.setProperty("--then", mark.color);
  cell.ariaDescription = [note?.says, mark?.says].filter(Boolean).join(". ") || null;
}

/**
 * Show what others have just changed, or nothing.
 * @param {HTMLElement} cell
 * @param {string} mark as Tints.row gives it; "" for none
 */
function paintTint(cell, mark) {
  if (mark === "") {
    delete cell.dataset.tint;
    return;
  }
  const [name, color] = mark.split(" ");
  cell.dataset.tint = name;
  if (color) cell.style.setProperty("--tint", color);
}
