/** What the painter lays over the cells: the selection, others' cursors, the cut range, the editor, a dragged border. */

import { element } from "./elements.js";
import { gettext } from "./words.js";

const OUTSIDE_PX = 8; // how far beyond the edge a frame may reach: its border must not show there
const BESIDE_PX = 300; // how far beside a frame its name may stand

/** @typedef {import("../domain/addresses.js").Range} Range */
/** @typedef {import("./painter.js").View} View */
/** @typedef {{left: number, top: number, width: number, height: number, cutLeft: number, cutTop: number}} Rect `cut…`: how much lies under what is frozen */

/**
 * Return where a range is seen, cut off a little beyond the edges; null if nowhere.
 * @param {View} view
 * @param {Range} range
 * @returns {Rect|null}
 */
export function rectOf({ across, down }, { top, left, bottom, right }) {
  const x = across.spanOf(left, right, OUTSIDE_PX);
  const y = down.spanOf(top, bottom, OUTSIDE_PX);
  if (x === null || y === null) return null;
  return { left: x.from, top: y.from, width: x.to - x.from, height: y.to - y.from, cutLeft: x.cut, cutTop: y.cut };
}

/**
 * Let nothing of an element show on what is frozen.
 * @param {HTMLElement} target
 * @param {number} left
 * @param {number} top
 */
function cut(target, left, top) {
  const clip = left > 0 || top > 0 ? `inset(${top || -BESIDE_PX}px ${-BESIDE_PX}px ${-BESIDE_PX}px ${left || -BESIDE_PX}px)` : "";
  if (target.style.clipPath !== clip) target.style.clipPath = clip;
}

/**
 * @param {HTMLElement} frame
 * @param {Rect|null} rect
 */
function place(frame, rect) {
  frame.hidden = rect === null;
  if (rect === null) return;
  // One pixel up and left, so that the frame lies on the grid lines around the cells; not where the edge would hide it.
  const left = rect.left === 0 ? 0 : 1;
  const top = rect.top === 0 ? 0 : 1;
  frame.style.transform = `translate(${rect.left - left}px, ${rect.top - top}px)`;
  frame.style.width = `${rect.width + left}px`;
  frame.style.height = `${rect.height + top}px`;
  cut(frame, rect.cutLeft && rect.cutLeft + left, rect.cutTop && rect.cutTop + top);
}

export class Frames {
  #overlay;
  #range = element("div", "frame frame-range");
  #active = element("div", "frame frame-active");
  #cut = element("div", "frame frame-cut");
  #fill = element("div", "frame frame-fill");
  #guide = element("div", "guide");
  /** @type {{frame: HTMLElement, area: HTMLElement, label: HTMLElement, news: string}[]} */ #cursors = [];
  /** @type {HTMLElement[]} */ #outlines = [];

  /** @param {HTMLElement} overlay */
  constructor(overlay) {
    this.#overlay = overlay;
    overlay.append(this.#range, this.#active, this.#cut, this.#fill, this.#guide);
  }

  /** @param {View} view */
  paint(view) {
    const { active, range, cut, editor, guide } = view;
    const isMany = range.top !== range.bottom || range.left !== range.right;
    place(this.#range, isMany ? rectOf(view, range) : null);
    place(this.#active, rectOf(view, { top: active.row, bottom: active.row, left: active.column, right: active.column }));
    place(this.#cut, cut && rectOf(view, cut));
    place(this.#fill, view.fill && rectOf(view, view.fill));
    this.#paintOutlines(view);
    this.#paintCursors(view);
    this.#paintGuide(view, guide);
    if (editor) this.#paintEditor(view, editor);
  }

  /** @param {View} view */
  #paintOutlines(view) {
    while (this.#outlines.length < view.outlines.length) {
      const outline = element("div", "frame frame-outline");
      this.#active.before(outline);
      this.#outlines.push(outline);
    }
    for (const [index, outline] of this.#outlines.entries()) {
      const wanted = view.outlines[index];
      place(outline, wanted ? rectOf(view, wanted.range) : null);
      if (wanted) outline.dataset.color = String(wanted.color);
    }
  }

  /** @param {View} view */
  #paintCursors(view) {
    while (this.#cursors.length < view.cursors.length) {
      const cursor = {
        frame: element("div", "frame frame-cursor"),
        area: element("div", "frame frame-area"),
        label: element("span", "cursor-name"),
        news: "",
      };
      cursor.frame.append(cursor.label);
      this.#overlay.prepend(cursor.area, cursor.frame);
      this.#cursors.push(cursor);
    }
    for (const [index, slot] of this.#cursors.entries()) {
      const { frame, area, label } = slot;
      const cursor = view.cursors[index];
      if (cursor === undefined) {
        frame.hidden = area.hidden = true;
        continue;
      }
      const { row, column } = cursor;
      const rect = rectOf(view, { top: row, bottom: row, left: column, right: column });
      place(frame, rect);
      place(area, cursor.range && rectOf(view, cursor.range));
      frame.style.setProperty("--color", cursor.color);
      area.style.setProperty("--color", cursor.color);
      frame.classList.toggle("is-typing", cursor.editing);
      const news = `${cursor.name} ${row} ${column} ${cursor.editing}`;
      if (slot.news !== news) {
        slot.news = news;
        label.textContent = cursor.editing ? gettext("%(name)s is typing…", { name: cursor.name }) : cursor.name;
        for (const animation of label.getAnimations()) animation.currentTime = 0;
      }
      const edge = row < view.down.frozen ? 0 : view.down.frozenSize;
      frame.classList.toggle("is-at-top", rect !== null && rect.top < edge + 18); // no room for a name above
    }
  }

  /**
   * @param {View} view
   * @param {View["guide"]} guide
   */
  #paintGuide({ across, down }, guide) {
    this.#guide.hidden = guide === null;
    if (guide === null) return;
    const isColumn = guide.axis === "columns";
    this.#guide.style.transform = isColumn ? `translate(${guide.offset - 1}px, 0)` : `translate(0, ${guide.offset - 1}px)`;
    this.#guide.style.width = isColumn ? "2px" : `${across.seen}px`;
    this.#guide.style.height = isColumn ? `${down.seen}px` : "2px";
  }

  /**
   * Cover the cell, and grow with the text to the right and down as far as is seen.
   * @param {View} view
   * @param {NonNullable<View["editor"]>} editor
   */
  #paintEditor({ across, down, columnGeometry, rowGeometry }, { place: { row, column }, element: editor }) {
    const left = across.startOf(column) - 1;
    const top = down.startOf(row) - 1;
    const width = columnGeometry.sizeOf(column) + 1;
    const height = rowGeometry.sizeOf(row) + 1;
    editor.style.transform = `translate(${left}px, ${top}px)`;
    editor.style.minWidth = `${width}px`;
    editor.style.maxWidth = `${Math.max(width, Math.min(560, across.seen - left - 8))}px`;
    editor.style.minHeight = `${height}px`;
    editor.style.maxHeight = `${Math.max(height, down.seen - top - 8)}px`;
    const edgeX = column < across.frozen ? 0 : across.frozenSize;
    const edgeY = row < down.frozen ? 0 : down.frozenSize;
    cut(editor, edgeX > 0 ? Math.max(0, edgeX - left - 1) : 0, edgeY > 0 ? Math.max(0, edgeY - top - 1) : 0);
  }
}
