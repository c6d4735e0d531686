/** A formula that is being typed: what the caret is in, what may come there, and what F4 makes of a reference. */

import { formatReference, referencesIn } from "./references.js";

const TOKEN = /"(?:[^"]|"")*(?:"|$)|'(?:[^']|'')*(?:'|$)|[\p{L}_$][\p{L}\p{N}_.$]*|\s+|[^]/gu;
const MAX_CLOSED = 64; // brackets left open; more is no slip
const BEFORE_OPERAND = new Set(["=", "(", ",", ";", "+", "-", "*", "/", "^", "&", "<", ">", "{"]);

/** @typedef {{from: number, to: number}} Span */
/**
 * @typedef {object} Context
 * @property {(Span & {text: string})|null} word the name of a function that may be meant, up to the caret
 * @property {{name: string, argument: number}|null} call the function whose arguments the caret is among, and at which, from 0
 * @property {boolean} takesReference whether a reference may come here
 */

/** @type {Context} */
const NOTHING = { word: null, call: null, takesReference: false };

/**
 * @param {string} text
 * @param {number} caret
 * @returns {Context}
 */
export function contextAt(text, caret) {
  if (!text.startsWith("=") || caret < 1) return NOTHING;
  /** @type {{name: string, argument: number}[]} */
  const open = [];
  /** @type {Context["word"]} */
  let word = null;
  let before = "";
  let name = "";
  for (const { 0: token, index = 0 } of text.matchAll(TOKEN)) {
    if (index >= caret) break;
    const isQuote = token[0] === '"' || token[0] === "'";
    if (isQuote && (index + token.length > caret || isUnclosed(token))) return { word: null, call: open.at(-1) ?? null, takesReference: false };
    if (/^\s/.test(token)) continue;
    const isName = /^[\p{L}_$]/u.test(token);
    word = isName && index + token.length >= caret && /^\p{L}/u.test(token) ? { from: index, to: caret, text: text.slice(index, caret) } : null;
    if (token === "(") open.push({ name: name.toUpperCase(), argument: 0 });
    if (token === "{") open.push({ name: "", argument: 0 });
    if (token === ")" || token === "}") open.pop();
    const inner = open.at(-1);
    if (token === "," && inner) inner.argument += 1;
    name = isName ? token : "";
    before = token;
  }
  const isBeforeWord = /^[\p{L}\p{N}_$.("']/u.test(text.slice(caret));
  const call = open.filter((one) => one.name !== "").at(-1) ?? null; // brackets alone have no arguments
  return { word: isBeforeWord ? null : word, call, takesReference: BEFORE_OPERAND.has(before) && !isBeforeWord };
}

/**
 * Return a formula with the brackets and the quotation mark closed that it leaves open.
 * @param {string} text
 */
export function closed(text) {
  if (!text.startsWith("=")) return text;
  let end = "";
  for (const { 0: token } of text.matchAll(TOKEN)) {
    if (token === "(") end = `)${end}`;
    if (token === ")" && end.startsWith(")")) end = end.slice(1);
    if (token[0] === '"' && isUnclosed(token)) end = `"${end}`;
  }
  return end.length <= MAX_CLOSED ? text + end : text;
}

/**
 * Say whether a quotation breaks off: the quotation marks in it are doubled.
 * @param {string} token
 */
function isUnclosed(token) {
  return token.split(token[0]).length % 2 === 0;
}

/**
 * Return the references that a selection touches, each held the next way: A1, $A$1, A$1, $A1.
 * @param {string} text
 * @param {number} start
 * @param {number} end
 * @returns {(Span & {written: string})|null} what stands instead of a part of the text; null: no reference is there
 */
export function cycled(text, start, end) {
  const touched = referencesIn(text).filter(({ from, to }) => from <= end && to >= start);
  if (touched.length === 0) return null;
  const { from } = touched[0];
  const { to } = touched[touched.length - 1];
  let written = "";
  let done = from;
  for (const { reference, from: begins, to: ends } of touched) {
    const { rows, columns } = reference;
    const isRow = rows[0]?.isFixed ?? false;
    const isColumn = columns[0]?.isFixed ?? false;
    const isWhole = rows.length === 0 || columns.length === 0;
    const state = isWhole ? Number(!(isRow || isColumn)) * 3 : [0b11, 0b01, 0b10, 0b00][[0b00, 0b11, 0b01, 0b10].indexOf(Number(isColumn) * 2 + Number(isRow))];
    const held = {
      rows: rows.map((one) => ({ ...one, isFixed: (state & 1) === 1 })),
      columns: columns.map((one) => ({ ...one, isFixed: (state & 2) === 2 })),
    };
    written += text.slice(done, begins) + formatReference(held);
    done = ends;
  }
  return { from, to, written };
}
