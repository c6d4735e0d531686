/** What menus offer to freeze, for what is selected. */

import { formatColumn } from "../domain/addresses.js";
import { MAX_FROZEN } from "./styling.js";
import { gettext } from "./words.js";

/** @typedef {import("./menu.js").Item} Item */

/**
 * @param {import("./model.js").Model} model
 * @param {import("./selection.js").Selection} selection
 * @param {import("./styling.js").Styling} styling
 * @param {"rows"|"columns"|"both"} which
 * @returns {Item[]}
 */
export function freezeItems({ frozenNext: frozen, rows, columns }, { range }, styling, which) {
  /** @type {Item[]} */
  const items = [];
  const upTo = { rows: range.bottom + 1, columns: range.right + 1 };
  if (which !== "columns") {
    items.push({
      label: gettext("Freeze up to row %(name)s", { name: String(upTo.rows) }),
      isOff: upTo.rows > MAX_FROZEN || upTo.rows >= rows.length || upTo.rows === frozen.rows,
      run: () => styling.freeze({ rows: upTo.rows }),
    });
  }
  if (which !== "rows") {
    items.push({
      label: gettext("Freeze up to column %(name)s", { name: formatColumn(range.right) }),
      isOff: upTo.columns > MAX_FROZEN || upTo.columns >= columns.length || upTo.columns === frozen.columns,
      run: () => styling.freeze({ columns: upTo.columns }),
    });
  }
  if (which !== "columns" && frozen.rows > 0) items.push({ label: gettext("Unfreeze rows"), run: () => styling.freeze({ rows: 0 }) });
  if (which !== "rows" && frozen.columns > 0) items.push({ label: gettext("Unfreeze columns"), run: () => styling.freeze({ columns: 0 }) });
  return items;
}
