/** What formulas become that are pasted: moved ones stay, copies refer to what stands as far away, typed ones are read. */

import { MAX_COLUMNS, MAX_ROWS } from "./addresses.js";
import { Axis } from "./axes.js";
import { isFormula, shifted, toStored } from "./references.js";

/** @typedef {import("./references.js").Axes} Axes */
/** @typedef {{row: number, column: number}} Place */
/**
 * Where pasted texts are from: `typed` by a person or a program; `moved` within the sheet; `copied` within it, from a place
 * that is `at` now; or from `elsewhere`, where they stood `at` a place of another sheet, or of this one in another tab.
 * @typedef {{kind: "typed"|"moved"}|{kind: "copied"|"elsewhere", at: Place}} Origin
 */

const largest = { rows: Axis.fromRuns([[0, MAX_ROWS]]), columns: Axis.fromRuns([[0, MAX_COLUMNS]]) }; // ids are places there

/**
 * Return texts as inputs.
 * @param {string[][]} texts repeated as often as they are pasted
 * @param {Place} to where the first of them goes
 * @param {{height: number, width: number}} tile what is repeated
 * @param {Origin} origin
 * @param {Axes} axes
 * @returns {string[][]}
 */
export function pastedInputs(texts, to, tile, origin, axes) {
  if (origin.kind === "moved") return texts;
  const at = "at" in origin ? origin.at : to;
  /** @type {(text: string, down: number, across: number) => string} */
  const inputOf = (text, down, across) => {
    if (!isFormula(text)) return text;
    if (origin.kind === "typed") return toStored(text, axes);
    const rows = to.row - at.row + down - (down % tile.height);
    const columns = to.column - at.column + across - (across % tile.width);
    if (origin.kind === "copied") return shifted(text, axes, rows, columns);
    return toStored(shifted(text, largest, rows, columns), axes);
  };
  return texts.map((line, down) => line.map((text, across) => inputOf(text, down, across)));
}
