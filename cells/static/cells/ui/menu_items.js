/** What the grid's menu offers for what is selected. */

import { formatColumn } from "../domain/addresses.js";
import { ADDED_ROWS } from "./more_rows.js";
import { sortedRange, sortRange } from "./sorting.js";
import { gettext } from "./words.js";

/** @typedef {import("./menu.js").Item} Item */

const IS_MAC = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? "");

/**
 * Return how a shortcut with Ctrl, or ⌘, is written.
 * @param {string} key
 */
export function withControl(key) {
  return IS_MAC ? `⌘${key}` : `Ctrl+${key}`;
}

/**
 * @param {import("./model.js").Model} model
 * @param {import("./selection.js").Selection} selection
 * @param {import("./actions.js").Actions} actions
 * @param {import("./clipboard.js").Clipboard} clipboard
 * @returns {(Item|null)[]}
 */
export function menuItems(model, selection, actions, clipboard) {
  /** @type {(Item|null)[]} */
  const items = [
    { label: "Cut", hint: withControl("X"), isOff: !model.mayEdit, run: () => void clipboard.copy(true) },
    { label: "Copy", hint: withControl("C"), run: () => void clipboard.copy() },
    { label: "Paste", hint: withControl("V"), isOff: !model.mayEdit, run: () => void clipboard.pasteFromMenu() },
    { label: gettext("Paste values only"), hint: withControl(IS_MAC ? "⇧V" : "Shift+V"), isOff: !model.mayEdit, run: () => void clipboard.pasteFromMenu(true) },
    { label: "Clear", hint: "Delete", isOff: !model.mayEdit, run: () => actions.clear() },
  ];
  if (!model.mayEdit) return items;
  const { shape } = selection;
  if (shape === "cells" || shape === "rows") items.push(null, ...axisItems("rows", model.rows.length, actions));
  if (shape === "cells" || shape === "columns") items.push(null, ...axisItems("columns", model.columns.length, actions));
  return items;
}

/**
 * Return what can be done to a range as a whole, and to the sheet's end.
 * @param {import("./model.js").Model} model
 * @param {import("./selection.js").Selection} selection
 * @param {import("./actions.js").Actions} actions
 * @param {(sentence: string) => void} tell
 * @returns {Item[]}
 */
export function rangeItems(model, selection, actions, tell) {
  const { top, bottom } = sortedRange(model, selection);
  const column = { column: formatColumn(selection.active.column) };
  const sort = (/** @type {1|-1} */ direction) => sortRange(model, selection, actions, direction, tell);
  return [
    { label: gettext("Sort by column %(column)s, A to Z", column), isOff: bottom <= top, run: () => sort(1) },
    { label: gettext("Sort by column %(column)s, Z to A", column), isOff: bottom <= top, run: () => sort(-1) },
    { label: gettext("Add %(count)s rows at the bottom", { count: ADDED_ROWS }), run: () => actions.addRows(ADDED_ROWS) },
  ];
}

/**
 * @param {"rows"|"columns"} axis
 * @param {number} length
 * @param {import("./actions.js").Actions} actions
 * @returns {Item[]}
 */
function axisItems(axis, length, actions) {
  const { first, last, count } = actions.span(axis);
  const isRows = axis === "rows";
  const noun = isRows ? "row" : "column";
  const many = count === 1 ? noun : `${count.toLocaleString("en")} ${noun}s`;
  const name = (/** @type {number} */ position) => (isRows ? String(position + 1) : formatColumn(position));
  const which = count === 1 ? `${noun} ${name(first)}` : `${noun}s ${name(first)}–${name(last)}`;
  const [before, after] = isRows ? ["above", "below"] : ["left", "right"];
  const [back, forth] = isRows ? ["up", "down"] : ["left", "right"];
  return [
    { label: `Insert ${many} ${before}`, run: () => actions.insert(axis, "before") },
    { label: `Insert ${many} ${after}`, run: () => actions.insert(axis, "after") },
    { label: `Move ${which} ${back}`, isOff: first === 0, run: () => actions.move(axis, -1) },
    { label: `Move ${which} ${forth}`, isOff: last >= length - 1, run: () => actions.move(axis, 1) },
    { label: `Delete ${which}`, isOff: count >= length, run: () => actions.delete(axis) },
  ];
}
