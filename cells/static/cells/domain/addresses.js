/** A1 text to zero-based positions and back; tests/vectors/addresses.json is the truth. */

import { SheetSyncError } from "./errors.js";

export const MAX_ROWS = 1_000_000; // what one axis of a sheet may hold; a grid of 24 px rows is 24 million pixels high
export const MAX_COLUMNS = 16_384; // XFD, where other spreadsheets end too

const ADDRESS = /^\$?([A-Za-z]{1,3})\$?([1-9][0-9]{0,6})$/;
const COLUMN = /^\$?([A-Za-z]{1,3})$/;

/** @typedef {{row: number, column: number}} Address */
/** @typedef {{top: number, left: number, bottom: number, right: number}} Range Both ends included. */

/**
 * @param {string} text
 * @returns {SheetSyncError}
 */
function refusal(text) {
  return new SheetSyncError("invalid_address", `"${text.slice(0, 40)}" is not an address such as B2.`);
}

/**
 * Return the position of the column named by `text`; "A" is 0. Throws invalid_address.
 * @param {string} text
 */
export function parseColumn(text) {
  const match = COLUMN.exec(text);
  if (match === null) throw refusal(text);
  let column = 0;
  for (const letter of match[1].toUpperCase()) column = column * 26 + letter.charCodeAt(0) - 64;
  if (column > MAX_COLUMNS) throw refusal(text);
  return column - 1;
}

/**
 * Return the letters of a column; 0 is "A". Throws invalid_address.
 * @param {number} column
 */
export function formatColumn(column) {
  if (!(column >= 0 && column < MAX_COLUMNS)) throw refusal(`column ${column}`);
  let text = "";
  for (let rest = column + 1; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    text = String.fromCharCode(65 + ((rest - 1) % 26)) + text;
  }
  return text;
}

/**
 * Return the position that `text` ("B2", "$b$2") names. Throws invalid_address.
 * @param {string} text
 * @returns {Address}
 */
export function parseAddress(text) {
  const match = ADDRESS.exec(text);
  if (match === null) throw refusal(text);
  const row = Number(match[2]) - 1;
  if (row >= MAX_ROWS) throw refusal(text);
  return { row, column: parseColumn(match[1]) };
}

/**
 * Return the address of a position; (0, 0) is "A1". Throws invalid_address.
 * @param {number} row
 * @param {number} column
 */
export function formatAddress(row, column) {
  if (!(row >= 0 && row < MAX_ROWS)) throw refusal(`row ${row}`);
  return `${formatColumn(column)}${row + 1}`;
}

/**
 * Return the range that `text` ("A1:C9" or "B2") names, its corners put in order. Throws invalid_address.
 * @param {string} text
 * @returns {Range}
 */
export function parseRange(text) {
  const corners = text.split(":");
  if (corners.length > 2) throw refusal(text);
  const first = parseAddress(corners[0]);
  const last = corners.length === 2 ? parseAddress(corners[1]) : first;
  return {
    top: Math.min(first.row, last.row),
    left: Math.min(first.column, last.column),
    bottom: Math.max(first.row, last.row),
    right: Math.max(first.column, last.column),
  };
}

/**
 * Return the text of a range; one by one is a single address. Throws invalid_address.
 * @param {Range} range
 */
export function formatRange({ top, left, bottom, right }) {
  const first = formatAddress(top, left);
  return top === bottom && left === right ? first : `${first}:${formatAddress(bottom, right)}`;
}
