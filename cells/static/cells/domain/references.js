/**
 * References of formulas: by place, as people see them, and by identity, as they are stored.
 *
 * A stored formula is written in A1 notation, too, but its letters and numbers count ids; references.py does the same, and
 * tests/vectors/references.json holds both to it.
 */

import { formatColumn, MAX_COLUMNS, MAX_ROWS, parseColumn } from "./addresses.js";
import { SheetSyncError } from "./errors.js";

export const MISSING = "#REF!"; // what stands for a reference to what is not there
const WORD = "\\p{L}\\p{N}_"; // what Python's \w is
const LETTER = "\\p{L}\\p{Nl}\\p{No}_"; // what a name begins with
const PART = /^(\$?)([A-Za-z]+|\[C[0-9]+\])?(\$?)([0-9]+|\[R[0-9]+\])?$/;

/** @typedef {import("./axes.js").Axis} Axis */
/** @typedef {{rows: Axis, columns: Axis}} Axes the rows and columns that a formula refers to */
/** @typedef {{at: number, isFixed: boolean}} End one end of a reference along one axis: a place or an id, and whether a $ holds it */
/** @typedef {{rows: End[], columns: End[]}} Reference none: the whole axis, one: a lone cell, two: a range; one beside two: where a range begins that has no end, as A2:A */
/** @typedef {{reference: Reference, from: number, to: number}} Found a reference of places, and where in the text it stands */

/**
 * Return what finds the references of a formula, and what only looks like one.
 * @param {string} column
 * @param {string} row
 */
function pattern(column, row) {
  const cell = `\\$?(?:${column})\\$?(?:${row})`;
  return new RegExp(
    [
      `"[^"]*(?:""[^"]*)*(?:"|$)`, // a text
      `'[^']*'(?:'[^']*')*!?[${WORD}$:.]*`, // what another sheet has: 'My data'!A1
      `[${LETTER}][${WORD}.]*![${WORD}$:.]*`, // likewise: Data!A1
      "#[A-Za-z0-9\\/]+[!?]?", // an error
      `(?<reference>(?<![${WORD}.$\\[\\]])(?:${cell}:${cell}|${cell}:\\$?(?:${column})|${cell}:\\$?(?:${row})|${cell}|\\$?(?:${column}):\\$?(?:${column})|\\$?(?:${row}):\\$?(?:${row}))(?![${WORD}.$(\\[!]))`,
      "[0-9]+\\.?[0-9]*(?:[eE][+\\-]?[0-9]+)?", // a number
      `(?<call>[${LETTER}][${WORD}.]*\\()`, // a function
      `[${LETTER}][${WORD}.]*(?:\\[[^\\]]*\\]*)?`, // a name, or a table with a column
    ].join("|"),
    "gu",
  );
}

const SHOWN = pattern("[A-Za-z]{1,3}", "[1-9][0-9]{0,6}");
const STORED = pattern("[A-Za-z]{1,3}|\\[C[0-9]{1,10}\\]", "[1-9][0-9]{0,6}|\\[R[0-9]{1,10}\\]");

/**
 * Say whether an input is a formula: = and something to calculate.
 * @param {string} text
 */
export function isFormula(text) {
  return text.length > 1 && text.startsWith("=");
}

/**
 * Return the input that a typed text is: a formula with references by identity; anything else as it is.
 * @param {string} text
 * @param {Axes} axes that its author saw
 */
export function inputOf(text, axes) {
  return isFormula(text) ? toStored(text, axes) : text;
}

/**
 * Return an input as a person types and sees it.
 * @param {string} input
 * @param {Axes} axes
 */
export function typedOf(input, axes) {
  return isFormula(input) ? toShown(input, axes) : input;
}

/**
 * Return the stored form of a formula that names cells by their place.
 *
 * What lies beyond the sheet becomes #REF!; a range ends at the sheet's end. Names of functions and columns become upper
 * case, as spreadsheet programs write them.
 * @param {string} text
 * @param {Axes} axes
 * @returns {string}
 */
export function toStored(text, axes) {
  return rewritten(SHOWN, text, (reference) => stored(reference, axes), (call) => call.toUpperCase());
}

/**
 * Return a stored formula as it reads in the sheet's present order.
 *
 * A range that has lost an end reaches to the nearest survivor, and what is born beyond that later is not in it; what is
 * gone altogether is #REF!.
 * @param {string} text
 * @param {Axes} axes
 * @returns {string}
 */
export function toShown(text, axes) {
  return rewritten(STORED, text, (reference) => {
    const there = placed(reference, axes);
    return there === null ? MISSING : formatReference(there);
  });
}

/**
 * Return a stored formula as a copy of it that many rows below and columns to the right.
 *
 * References without a $ go along, and become #REF! beyond the sheet's edges.
 * @param {string} text
 * @param {Axes} axes
 * @param {number} rows
 * @param {number} columns
 * @returns {string}
 */
export function shifted(text, axes, rows, columns) {
  return rewritten(STORED, text, (reference) => {
    const there = placed(reference, axes);
    return there === null ? MISSING : stored({ rows: moved(there.rows, rows), columns: moved(there.columns, columns) }, axes);
  });
}

/**
 * Return a stored formula with other ids in their places.
 * @param {string} text
 * @param {(row: number) => number} rowOf
 * @param {(column: number) => number} columnOf
 * @returns {string}
 */
export function renamed(text, rowOf, columnOf) {
  return rewritten(STORED, text, ({ rows, columns }) =>
    written({ rows: rows.map((end) => ({ ...end, at: rowOf(end.at) })), columns: columns.map((end) => ({ ...end, at: columnOf(end.at) })) }, columnIdText, rowIdText),
  );
}

/**
 * Return the references of a formula that names cells by their place, in order.
 * @param {string} text
 * @returns {Found[]}
 */
export function referencesIn(text) {
  return found(SHOWN, text);
}

/**
 * Likewise of a stored formula: its references name ids.
 * @param {string} text
 * @returns {Found[]}
 */
export function storedReferencesIn(text) {
  return found(STORED, text);
}

/**
 * Return where what a stored reference names stands now; null where nothing of it is left.
 * @param {Reference} reference of ids
 * @param {Axes} axes
 * @returns {Reference|null}
 */
function placed(reference, axes) {
  const isOpen = reference.rows.length + reference.columns.length === 3;
  const rows = places(reference.rows, axes.rows, isOpen);
  const columns = places(reference.columns, axes.columns, isOpen);
  return rows === null || columns === null ? null : { rows, columns };
}

/**
 * Return the text of a reference of places.
 * @param {Reference} reference
 */
export function formatReference(reference) {
  return written(reference, formatColumn, (row) => String(row + 1));
}

/**
 * @param {RegExp} tokens
 * @param {string} text
 * @returns {Found[]}
 */
function found(tokens, text) {
  /** @type {Found[]} */
  const all = [];
  for (const match of text.matchAll(tokens)) {
    const reference = match.groups?.reference ? read(match[0]) : null;
    const from = match.index ?? 0;
    if (reference !== null) all.push({ reference, from, to: from + match[0].length });
  }
  return all;
}

/**
 * @param {RegExp} tokens
 * @param {string} text
 * @param {(reference: Reference) => string} rewrite
 * @param {(call: string) => string} [name]
 */
function rewritten(tokens, text, rewrite, name = (call) => call) {
  return text.replace(tokens, (match, ...more) => {
    const groups = more.at(-1);
    if (groups.call) return name(match);
    const reference = groups.reference ? read(match) : null;
    return reference === null ? match : rewrite(reference);
  });
}

/**
 * Read a reference, of places or of ids; null for a name such as ZZZ1, beyond the last column.
 * @param {string} text
 * @returns {Reference|null}
 */
function read(text) {
  /** @type {End[]} */
  const rows = [];
  /** @type {End[]} */
  const columns = [];
  for (const part of text.split(":")) {
    const [, first, column, second, row] = /** @type {RegExpExecArray} */ (PART.exec(part));
    if (column) {
      const at = column[0] === "[" ? Number(column.slice(2, -1)) : columnAt(column);
      if (at === null) return null;
      columns.push({ at, isFixed: first !== "" });
    }
    if (row) rows.push({ at: row[0] === "[" ? Number(row.slice(2, -1)) : Number(row) - 1, isFixed: (column ? second : first) !== "" });
  }
  return { rows, columns };
}

/** @param {string} text */
function columnAt(text) {
  try {
    return parseColumn(text);
  } catch (error) {
    if (error instanceof SheetSyncError) return null;
    throw error;
  }
}

/**
 * @param {End[]} ends of ids
 * @param {Axis} axis
 * @param {boolean} isOpen
 * @returns {End[]|null}
 */
function places(ends, axis, isOpen) {
  if (ends.length === 0) return ends;
  if (ends.length === 1 && isOpen) {
    const at = axis.rangeFrom(ends[0].at);
    return at === undefined ? null : [{ ...ends[0], at }];
  }
  if (ends.length === 1) {
    const at = axis.findPosition(ends[0].at);
    return at === undefined ? null : [{ ...ends[0], at }];
  }
  const span = axis.rangeBetween(ends[0].at, ends[1].at);
  if (span === undefined) return null;
  const [start, stop] = span.isReversed ? [ends[1], ends[0]] : ends;
  return [{ ...start, at: span.first }, { ...stop, at: span.last }];
}

/**
 * @param {End[]} ends
 * @param {number} offset
 * @returns {End[]}
 */
function moved(ends, offset) {
  return ends.map((end) => (end.isFixed ? end : { ...end, at: end.at + offset }));
}

/**
 * Return a reference of places as it is stored.
 * @param {Reference} reference
 * @param {Axes} axes
 */
export function stored(reference, axes) {
  const rows = ids(reference.rows, axes.rows);
  const columns = ids(reference.columns, axes.columns);
  return rows === null || columns === null ? MISSING : written({ rows, columns }, columnIdText, rowIdText);
}

/**
 * Return the ids at places, the first in front; null for what is beyond the axis.
 * @param {End[]} ends
 * @param {Axis} axis
 * @returns {End[]|null}
 */
function ids(ends, axis) {
  const ordered = [...ends].sort((one, other) => one.at - other.at);
  if (ordered.length > 0 && !(ordered[0].at >= 0 && ordered[0].at < axis.length)) return null;
  return ordered.map(({ at, isFixed }) => ({ at: /** @type {number} */ (axis.idAt(Math.min(at, axis.length - 1))), isFixed }));
}

/**
 * @param {Reference} reference
 * @param {(column: number) => string} columnText
 * @param {(row: number) => string} rowText
 */
function written({ rows, columns }, columnText, rowText) {
  const down = rows.map(({ at, isFixed }) => (isFixed ? "$" : "") + rowText(at));
  const across = columns.map(({ at, isFixed }) => (isFixed ? "$" : "") + columnText(at));
  if (down.length > 0 && across.length > 0) {
    const longer = down.length > across.length ? down : across;
    return longer.map((_, end) => (across[end] ?? "") + (down[end] ?? "")).join(":");
  }
  return (down.length > 0 ? down : across).join(":");
}

/** @param {number} id */
function rowIdText(id) {
  return id < MAX_ROWS ? String(id + 1) : `[R${id}]`;
}

/** @param {number} id */
function columnIdText(id) {
  return id < MAX_COLUMNS ? formatColumn(id) : `[C${id}]`;
}
