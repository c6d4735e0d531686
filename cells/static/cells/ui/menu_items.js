/** What the grid's menu offers for what is selected. */

import { formatColumn, formatRange } from "../domain/addresses.js";
import { byId, element } from "./elements.js";
import { freezeItems } from "./freezing.js";
import { keysNamed } from "./key_names.js";
import { ADDED_ROWS } from "./more_rows.js";
import { sortedRange, sortRange } from "./sorting.js";
import { gettext, ngettext } from "./words.js";

/** @typedef {import("./menu.js").Item} Item */

/**
 * @param {import("./model.js").Model} model
 * @param {import("./selection.js").Selection} selection
 * @param {{actions: import("./actions.js").Actions, clipboard: import("./clipboard.js").Clipboard, styling: import("./styling.js").Styling}} equipment
 * @param {(sentence: string) => void} tell
 * @returns {(Item|null)[]}
 */
export function menuItems(model, selection, { actions, clipboard, styling }, tell) {
  /** @type {(Item|null)[]} */
  const items = [
    { label: gettext("Cut"), hint: keysNamed("Ctrl+X"), isOff: !model.mayEdit, run: () => void clipboard.copy(true) },
    { label: gettext("Copy"), hint: keysNamed("Ctrl+C"), run: () => void clipboard.copy() },
    { label: gettext("Paste"), hint: keysNamed("Ctrl+V"), isOff: !model.mayEdit, run: () => void clipboard.pasteFromMenu() },
    { label: gettext("Paste values only"), hint: keysNamed("Ctrl+Shift+V"), isOff: !model.mayEdit, run: () => void clipboard.pasteFromMenu(true) },
    { label: gettext("Clear"), hint: keysNamed("Delete"), isOff: !model.mayEdit, run: () => actions.clear() },
  ];
  if (!model.mayEdit) return items;
  const { shape } = selection;
  if (shape === "cells" || shape === "rows") items.push(null, ...axisItems("rows", model.rows.length, actions));
  if (shape === "cells" || shape === "columns") items.push(null, ...axisItems("columns", model.columns.length, actions));
  items.push(null, ...rangeItems(model, selection, actions, tell));
  if (shape !== "all") items.push(null, ...freezeItems(model, selection, styling, shape === "cells" ? "both" : shape));
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
function rangeItems(model, selection, actions, tell) {
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
 * Return what tells of the past: of the active cell's, and of the sheet's.
 * @param {{row: number, column: number}} active by ids
 * @param {(row_id: number, column_id: number) => void} showCell
 * @param {() => void} showVersions
 * @returns {Item[]}
 */
export function historyItems({ row, column }, showCell, showVersions) {
  return [
    { label: gettext("Show edit history"), run: () => showCell(row, column) },
    { label: gettext("Version history"), hint: keysNamed("Ctrl+Alt+Shift+H"), run: showVersions },
  ];
}

/**
 * Return how the sheet leaves as a file, by addresses relative to its page's, and how one comes in.
 * @param {boolean} mayEdit
 * @returns {Item[]}
 */
export function fileItems(mayEdit) {
  return [
    { label: gettext("Download as CSV"), run: () => download("export.csv") },
    { label: gettext("Download as XLSX"), run: () => download("export.xlsx") },
    { label: gettext("Import a file…"), isOff: !mayEdit, run: importFile },
  ];
}

/**
 * Return how to protect what is selected: a page, which its sheet's owners are shown.
 * @param {import("./selection.js").Selection} selection
 * @returns {Item[]}
 */
export function protectionItems({ range, shape }) {
  return [{ label: gettext("Protect range…"), run: () => leaveFor(`protections/?${new URLSearchParams({ range: rangeText(range, shape) })}`) }];
}

/**
 * @param {import("../domain/addresses.js").Range} range
 * @param {import("./selection.js").Selection["shape"]} shape
 */
function rangeText(range, shape) {
  if (shape === "all") return "";
  if (shape === "rows") return `${range.top + 1}:${range.bottom + 1}`;
  if (shape === "columns") return `${formatColumn(range.left)}:${formatColumn(range.right)}`;
  return formatRange(range);
}

/** In a tab of its own where the sheet is a part of another page: an import is a page, not a part of one. */
function importFile() {
  leaveFor(byId("workbench").dataset.upload ?? "");
}

/** @param {string} address */
function leaveFor(address) {
  if (byId("workbench").dataset.embedded === undefined) location.assign(address);
  else open(address, "_blank");
}

/**
 * By a link, for a page that is left asks about edits that wait.
 * @param {string} address
 */
function download(address) {
  element("a", "", { href: address, download: "" }).click();
}

/**
 * @param {"rows"|"columns"} axis
 * @param {number} length
 * @param {import("./actions.js").Actions} actions
 * @returns {Item[]}
 */
function axisItems(axis, length, actions) {
  const { first, last, count } = actions.span(axis);
  const name = (/** @type {number} */ position) => (axis === "rows" ? String(position + 1) : formatColumn(position));
  const which = count === 1 ? name(first) : `${name(first)}–${name(last)}`;
  const labels = axis === "rows" ? rowLabels(count, which) : columnLabels(count, which);
  return [
    { label: labels.before, run: () => actions.insert(axis, "before") },
    { label: labels.after, run: () => actions.insert(axis, "after") },
    { label: labels.back, isOff: first === 0, run: () => actions.move(axis, -1) },
    { label: labels.forth, isOff: last >= length - 1, run: () => actions.move(axis, 1) },
    { label: labels.delete, isOff: count >= length, run: () => actions.delete(axis) },
  ];
}

/**
 * @param {number} count
 * @param {string} which "5", or "5–7"
 */
function rowLabels(count, which) {
  return {
    before: ngettext("Insert row above", "Insert %(count)s rows above", count),
    after: ngettext("Insert row below", "Insert %(count)s rows below", count),
    back: ngettext("Move row %(which)s up", "Move rows %(which)s up", count, { which }),
    forth: ngettext("Move row %(which)s down", "Move rows %(which)s down", count, { which }),
    delete: ngettext("Delete row %(which)s", "Delete rows %(which)s", count, { which }),
  };
}

/**
 * @param {number} count
 * @param {string} which "B", or "B–D"
 */
function columnLabels(count, which) {
  return {
    before: ngettext("Insert column left", "Insert %(count)s columns left", count),
    after: ngettext("Insert column right", "Insert %(count)s columns right", count),
    back: ngettext("Move column %(which)s left", "Move columns %(which)s left", count, { which }),
    forth: ngettext("Move column %(which)s right", "Move columns %(which)s right", count, { which }),
    delete: ngettext("Delete column %(which)s", "Delete columns %(which)s", count, { which }),
  };
}
