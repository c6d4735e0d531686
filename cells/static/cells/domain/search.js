/** What is looked for in cells, and what takes its place. */

import { SheetSyncError } from "./errors.js";
import { TEXT_MARK, textOf } from "./literals.js";
import { cleanText } from "./operations.js";
import { isFormula } from "./references.js";

/** @typedef {{text: string, isCase: boolean, isWhole: boolean, isExpression: boolean}} Wanted */
/** @typedef {{test: (text: string) => boolean, replace: (text: string, by: string) => string}} Search */

/**
 * Return what finds a text in others; null if nothing is wanted. Throws malformed for an expression that is none.
 * @param {Wanted} wanted
 * @returns {Search|null}
 */
export function searchFor({ text, isCase, isWhole, isExpression }) {
  if (text === "") return null;
  const source = isExpression ? text : text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  const flags = `${isCase ? "" : "i"}${isExpression ? "m" : ""}`;
  const whole = `^(?:${source})$`;
  try {
    // Without "m", ^ and $ are the ends of the cell and not of a line.
    const one = isWhole ? new RegExp(whole, isCase ? "" : "i") : new RegExp(source, flags);
    const all = isWhole ? one : new RegExp(source, `g${flags}`);
    return {
      test: (cell) => one.test(cell),
      // As it is written: only an expression has groups that "$1" could name.
      replace: (cell, by) => (isExpression ? cell.replace(all, by) : cell.replace(all, () => by)),
    };
  } catch {
    throw new SheetSyncError("malformed", "The regular expression is not complete.");
  }
}

/**
 * Return what is typed into a cell instead: an input that says what it said, with all that was found replaced.
 *
 * A text stays one. What was none is read anew, so that "x=A1" without its x is a formula; but an apostrophe that comes
 * to stand in front is a character like others, and no sign of a text. A formula is replaced in as it was typed.
 * @param {string} typed
 * @param {Search} search
 * @param {string} by
 */
export function replacedIn(typed, search, by) {
  if (isFormula(typed)) return cleanText(search.replace(typed, by));
  const said = cleanText(search.replace(textOf(typed), by));
  const isText = said.startsWith(TEXT_MARK) || (typed.startsWith(TEXT_MARK) && said !== "");
  return isText ? `${TEXT_MARK}${said}` : said;
}

/**
 * Return the place of the first match at or after a cell, or before it; the search goes round. Null without matches.
 * @param {readonly {row: number, column: number}[]} matches by rows, then columns
 * @param {{row: number, column: number}} from
 * @param {1|-1} direction
 * @param {boolean} isHereMeant whether the cell itself counts
 */
export function nextMatch(matches, from, direction, isHereMeant) {
  if (matches.length === 0) return null;
  /** @type {(match: {row: number, column: number}) => number} */
  const distance = ({ row, column }) => (row - from.row || column - from.column) * direction;
  const isAhead = (/** @type {{row: number, column: number}} */ match) => distance(match) > 0 || (isHereMeant && distance(match) === 0);
  if (direction > 0) {
    const found = matches.findIndex(isAhead);
    return found < 0 ? 0 : found;
  }
  for (let index = matches.length - 1; index >= 0; index -= 1) if (isAhead(matches[index])) return index;
  return matches.length - 1;
}
