/**
 * Which formulas come to a date or a time, and so look like one: by their outermost function, or by the cells that they
 * add up. What a cell looks like is no style of it: it follows what it refers to.
 */

import { isFormula, storedReferencesIn } from "./references.js";

const MAX_CHARACTERS = 500; // of a formula that is looked at: sums of dates are short
const MAX_CELLS = 20_000; // in a chain of formulas, each a day later than the one before

/** @typedef {"date"|"time"|"datetime"} MomentFormat */
/** @typedef {{row: number, column: number}} Cell by ids */
/** @typedef {{sign: 1|-1, is: MomentFormat|Cell}} Term */

/** @type {Record<string, MomentFormat>} */
const FUNCTIONS = {
  ...{ TODAY: "date", DATE: "date", EDATE: "date", EOMONTH: "date", WORKDAY: "date", "WORKDAY.INTL": "date", DATEVALUE: "date" },
  ...{ NOW: "datetime", TIME: "time", TIMEVALUE: "time" },
};

const TOKEN = /"(?:[^"]|"")*"|'(?:[^']|'')*'|[^"']/g;

/**
 * Return what is added and subtracted in a stored formula, as far as it may be a date or a time; null if it is no sum.
 * @param {string} formula
 * @returns {Term[]|null}
 */
export function momentsIn(formula) {
  if (formula.length > MAX_CHARACTERS) return null;
  const pieces = [{ sign: 1, text: "" }];
  let depth = 0;
  for (const [token] of formula.slice(1).matchAll(TOKEN)) {
    if (token === "(" || token === "{") depth += 1;
    if (token === ")" || token === "}") depth -= 1;
    if (depth === 0 && /[&<>=]/.test(token) && token.length === 1) return null;
    const last = pieces[pieces.length - 1];
    const isSign = depth === 0 && (token === "+" || token === "-");
    if (isSign && last.text.trim() === "") last.sign *= token === "-" ? -1 : 1;
    else if (isSign && !/[*/^(]\s*$/.test(last.text)) pieces.push({ sign: token === "-" ? -1 : 1, text: "" });
    else last.text += token;
  }
  return pieces.flatMap(({ sign, text }) => {
    const is = momentOf(text.trim());
    return is === null ? [] : [{ sign: /** @type {1|-1} */ (sign), is }];
  });
}

/**
 * @param {string} term
 * @returns {MomentFormat|Cell|null}
 */
function momentOf(term) {
  const name = /^([A-Z][A-Z.]*)\(.*\)$/s.exec(term)?.[1];
  if (name !== undefined) return isOneCall(term) ? (FUNCTIONS[name] ?? null) : null;
  const [found] = storedReferencesIn(term);
  if (found === undefined || found.from !== 0 || found.to !== term.length) return null;
  const { rows, columns } = found.reference;
  return rows.length === 1 && columns.length === 1 ? { row: rows[0].at, column: columns[0].at } : null;
}

/**
 * Say whether the first bracket is closed by the last one: not in A(1)*B(2).
 * @param {string} term
 */
function isOneCall(term) {
  let depth = 0;
  let place = 0;
  for (const [token] of term.matchAll(TOKEN)) {
    place += token.length;
    if (token === "(") depth += 1;
    if (token === ")" && (depth -= 1) === 0) return place === term.length;
  }
  return false;
}

/**
 * Return what a sum of moments is: two dates have a number of days between them.
 * @param {{sign: 1|-1, format: MomentFormat}[]} terms
 * @returns {MomentFormat|null}
 */
function sumOf(terms) {
  const dates = terms.filter(({ format }) => format !== "time");
  const days = dates.reduce((sum, { sign }) => sum + sign, 0);
  const hasClock = terms.some(({ format }) => format !== "date");
  if (dates.length === 0) return terms.length > 0 ? "time" : null;
  return days === 1 ? (hasClock ? "datetime" : "date") : null;
}

/**
 * Return what a formula's value looks like; null for a number as others.
 * @param {string} formula stored
 * @param {(cell: Cell) => {formula: string}|{format: MomentFormat|null}} lookAt what a cell has: a formula that says it, or a look of its own
 * @param {Map<string, MomentFormat|null>} known by formula; added to
 * @returns {MomentFormat|null}
 */
export function momentFormatOf(formula, lookAt, known) {
  const stack = [formula];
  const begun = new Set();
  while (stack.length > 0 && begun.size <= MAX_CELLS) {
    const at = stack[stack.length - 1];
    const terms = known.has(at) ? null : momentsIn(at);
    /** @type {{sign: 1|-1, format: MomentFormat}[]} */
    const sums = [];
    let isWaiting = false;
    for (const { sign, is } of terms ?? []) {
      const look = typeof is === "string" ? { format: is } : lookAt(is);
      if ("format" in look) {
        if (look.format !== null) sums.push({ sign, format: look.format });
        continue;
      }
      const format = known.get(look.formula);
      if (format) sums.push({ sign, format });
      else if (format === undefined && !begun.has(look.formula) && isFormula(look.formula)) {
        stack.push(look.formula);
        isWaiting = true;
      }
    }
    begun.add(at);
    if (isWaiting) continue;
    if (!known.has(at)) known.set(at, sumOf(sums));
    stack.pop();
  }
  return known.get(formula) ?? null;
}
