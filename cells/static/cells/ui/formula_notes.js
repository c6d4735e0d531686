/** What is said of a formula's cell beside its value: that it is one, why it has none yet, why it came to an error. */

import { textOf } from "../domain/literals.js";
import { typedOf } from "../domain/references.js";
import { shownOf } from "./formats.js";
import { gettext, locale } from "./words.js";

/** @typedef {import("./formats.js").Cell} Cell */
/** @typedef {{says: string, title: string}} Note `says`: to assistive technology; `title`: to who points at it */

/** @type {Map<string, Note>} by reason: the same object for the same note, so that painting can tell them apart at once */
const known = new Map();
/** @type {{plain: Note, pending: Note}|null} */
let usual = null;

/**
 * @param {string} code such as #DIV/0!
 */
function reasonFor(code) {
  switch (code) {
    case "#DIV/0!": return gettext("It divides by zero, or by an empty cell.");
    case "#REF!": return gettext("It refers to a cell that has been deleted, or lies beyond the sheet.");
    case "#NAME?": return gettext("It has a name that no function has: check how it is written.");
    case "#VALUE!": return gettext("It is given a text where it needs a number, or the other way round.");
    case "#N/A": return gettext("What it looks for is not there.");
    case "#NUM!": return gettext("There is no such number, or it is too large.");
    case "#NULL!": return gettext("Its ranges have no cell in common.");
    case "#SPILL!": return gettext("Its result needs more cells, and these are not empty.");
    case "#CIRC!": return gettext("It depends on itself, directly or through other cells.");
    case "#ERROR!": return gettext("It cannot be read: check brackets, quotation marks and commas.");
    case "#CALC!": return gettext("There is nothing that it could return.");
    case "#LIMIT!": return gettext("It takes too much time or memory.");
    default: return "";
  }
}

/**
 * Return a reason that the server gives in the reader's language; "" for one that is not known here (cells/calc/reasons.py).
 * @param {string} reason
 */
function translated(reason) {
  const name = /^There is no function (.+)\.$/.exec(reason)?.[1];
  if (name !== undefined) return gettext("There is no function %(name)s.", { name });
  switch (reason) {
    case "It depends on itself, directly or through other cells.": return gettext("It depends on itself, directly or through other cells.");
    case "A parenthesis or bracket is opened and not closed.": return gettext("A parenthesis or bracket is opened and not closed.");
    case "A parenthesis or bracket is closed that was not opened.": return gettext("A parenthesis or bracket is closed that was not opened.");
    case "A quotation mark is missing: a text is not closed.": return gettext("A quotation mark is missing: a text is not closed.");
    case "It is nested too deeply. Spread it over several cells.": return gettext("It is nested too deeply. Spread it over several cells.");
    case "It has too many parts in a row. Spread it over several cells.": return gettext("It has too many parts in a row. Spread it over several cells.");
    case "Arguments are separated by commas, not by semicolons.": return gettext("Arguments are separated by commas, not by semicolons.");
    case "It ends where more is expected.": return gettext("It ends where more is expected.");
    case "A cell that it needs took too much time or memory.": return gettext("A cell that it needs took too much time or memory.");
    case "A cell that it needs cannot be calculated.": return gettext("A cell that it needs cannot be calculated.");
    case "It, or a cell that it needs, asks for what is not supported here.": return gettext("It, or a cell that it needs, asks for what is not supported here.");
    case "A sheet has no others to refer to.": return gettext("A sheet has no others to refer to.");
    default: return "";
  }
}

/**
 * Return why a formula came to an error.
 * @param {{error: unknown, reason?: unknown}} value
 */
function reasonOf({ error, reason }) {
  const own = reasonFor(String(error));
  const given = typeof reason === "string" ? reason : "";
  return translated(given) || (locale.startsWith("en") ? given || own : own || given); // the server says it more exactly, and in English
}

/**
 * @param {Cell} cell of a formula
 * @returns {Note}
 */
export function noteOf({ value }) {
  usual ??= { plain: { says: gettext("Formula"), title: "" }, pending: { says: gettext("Formula, being calculated"), title: "" } };
  if (value === undefined) return usual.pending;
  if (typeof value !== "object" || value === null || !("error" in value)) return usual.plain;
  const reason = reasonOf(value);
  if (reason === "") return usual.plain;
  const note = known.get(reason) ?? { says: gettext("Formula. %(reason)s", { reason }), title: reason };
  known.set(reason, note);
  return note;
}

/**
 * Return what to say of an input: a formula as it reads, and what it has come to.
 * @param {string} input
 * @param {Cell|undefined} cell as it is by now
 * @param {import("../domain/references.js").Axes} axes
 */
export function spokenOf(input, cell, axes) {
  const typed = textOf(typedOf(input, axes));
  const { value } = cell ?? {};
  if (cell === undefined || cell.input !== input || value === undefined) return typed;
  const isError = typeof value === "object" && value !== null && "error" in value;
  return [typed, shownOf(cell)[0], isError ? reasonOf(value) : ""].filter(Boolean).join(", ");
}
