/** Where the handles of the selection stand: that of filling, and those of fingers. */

import { rectOf } from "./frames.js";

/** @typedef {import("./painter.js").View} View */
/** @typedef {{width: number, height: number}} Seen */

/**
 * @param {Pick<import("./grid.js").Equipment, "fillHandle"|"touch">} handles
 * @param {View} view
 * @param {boolean} isOff a cell is being edited, or what is selected is more than cells
 * @param {boolean} mayEdit
 * @param {Seen} seen
 */
export function placeHandles({ fillHandle, touch }, view, isOff, mayEdit, seen) {
  const rect = isOff ? null : rectOf(view, view.range);
  const corners = rect && { left: rect.cutLeft > 0 ? -1 : rect.left, top: rect.cutTop > 0 ? -1 : rect.top, right: rect.left + rect.width, bottom: rect.top + rect.height };
  touch.place(corners, seen);
  const isCornerSeen = rect !== null && rect.cutLeft < rect.width && rect.cutTop < rect.height;
  fillHandle.place(mayEdit && isCornerSeen ? corners : null, seen);
}
